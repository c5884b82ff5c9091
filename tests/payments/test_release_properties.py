"""Whatever is captured, released, used and owed: no bucket below zero, and the parts add up."""

from uuid import UUID

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import clock
from core.ids import uuid7
from core.transactions import at_edge
from merchants.services import change_terms, create_seller
from payments.models import OrderShare
from payments.releases.locks import lock_orders_with_shares
from payments.releases.plan import unreleased_minor
from payments.services import mark_proven
from tests.payments.captured import balances, capture, post_taken, share_of
from tests.payments.conftest import Shop
from tests.payments.test_releases import release
from wallet.selectors import accounts_of, wallets_of
from wallet.services import expire_holds

pytestmark = [pytest.mark.database, pytest.mark.usefixtures("hooks")]

_MINOR = st.integers(1, 20_000)
_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("capture"), _MINOR),
        st.tuples(st.just("use"), _MINOR),
        st.tuples(st.just("owe"), _MINOR),
        st.tuples(st.just("reserve"), st.integers(0, 10_000)),
        st.tuples(st.just("days"), st.integers(0, 9)),
        st.tuples(st.just("prove"), st.just(0)),
        st.tuples(st.just("release"), st.just(0)),
    ),
    max_size=10,
)


class Teller:
    """One seller whose money comes, goes and waits, with what it should be kept beside it."""

    def __init__(self, shop: Shop) -> None:
        self.shop, self.orders, self.account = shop, list[UUID](), f"s-{uuid7().hex}"
        at_edge(create_seller)(
            merchant_id=shop.store.merchant_id,
            seller_account=self.account,
            name="Sue",
            country="US",
            commission_bps=1000,
            tax_bps=2000,
            settlement_delay_days=3,
        )
        self.earned = self.used = self.owed = 0
        self.capture(100)
        self.seller = share_of(self.orders[0]).order.seller_id

    def capture(self, minor: int) -> None:
        amount = f"{minor // 100}.{minor % 100:02d}"
        (order,) = capture(self.shop, self.shop.order(amount, self.account))
        self.orders.append(order.id)
        self.earned += share_of(order).seller_net_minor

    def use(self, minor: int) -> None:
        """A refund takes what is still pending of the newest order, as far as there is any."""
        with transaction.atomic():
            (share,) = lock_orders_with_shares(order_ids=[self.orders[-1]])
            taken = min(minor, unreleased_minor(share))
            share.pending_used_minor += taken
            share.save(update_fields=["pending_used_minor"])
            if taken:
                self.post("seller_pending", taken)
        self.used += taken

    def owe(self, minor: int) -> None:
        """A debt, which is paid from what is there at once and from what comes later."""
        with transaction.atomic():
            there = min(minor, balances(self.seller)["available"])
            if there:
                self.post("seller_available", there)
            if minor - there:
                self.post("seller_receivable", minor - there)
        self.owed += minor

    def reserve(self, bps: int) -> None:
        terms = {"reserve_bps": bps, "reserve_days": 30 if bps else 0}
        at_edge(change_terms)(merchant_id=self.shop.store.merchant_id, seller_id=self.seller, terms=terms)

    def days(self, days: int) -> None:
        clock.move(seconds=days * 24 * 3600)

    def prove(self, _nothing: int) -> None:
        lines = share_of(self.orders[-1]).order.lines.values_list("charge_id", flat=True)
        with transaction.atomic():
            mark_proven(merchant_id=self.shop.store.merchant_id, charge_ids=list(lines), level="reported")

    def release(self, _nothing: int) -> None:
        release()
        while expire_holds():
            pass

    def post(self, role: str, minor: int) -> None:
        merchant_id = self.shop.store.merchant_id
        (wallet,) = wallets_of(merchant_id=merchant_id, owner_type="seller", owner_id=self.seller)
        accounts = accounts_of(merchant_id=merchant_id, wallet_id=wallet.id)
        post_taken(merchant_id=merchant_id, account=accounts[role], minor=minor)

    def check(self) -> None:
        """Every bucket is at least zero, and together they are what was earned less what was taken."""
        there = balances(self.seller)
        assert min(there.values()) >= 0
        assert there["pending"] + there["available"] + there["held"] - there["receivable"] == (
            self.earned - self.used - self.owed
        )
        shares = OrderShare.objects.filter(order_id__in=self.orders)
        assert there["pending"] == sum(unreleased_minor(share) for share in shares)
        assert there["available"] == 0 or there["receivable"] == 0


@given(_STEPS)
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_parts_add_up_and_nothing_is_below_zero(counter: Shop, steps: list[tuple[str, int]]) -> None:
    """I12, P4: random captures, uses of pending, debts, reserves, proofs and releases."""
    teller = Teller(counter)
    for name, minor in steps:
        getattr(teller, name)(minor)
        teller.check()
    teller.days(60)
    teller.release(0)
    teller.check()
    assert balances(teller.seller)["pending"] == 0
