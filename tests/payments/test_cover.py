"""The order of cover: own pending, available, own tranche of the reserve, debt (R4); the way back (R3)."""

import uuid

import pytest
from django.db import transaction
from django.db.models import F

from core import clock
from core.drain import get_drain
from core.transactions import at_edge
from ledger.services import open_account
from ledger.templates.cover import Cover, cover_legs, restored_legs
from ledger.templates.entry import Leg, Posting, entry, signed
from merchants.services import change_terms
from payments.engine.cover import (
    Restoring,
    Taking,
    give_back_to_sellers,
    take_from_sellers,
)
from payments.locks import lock_shares
from payments.models import OrderShare, PaymentOrder
from tests.payments.conftest import Shop
from tests.racing import race
from wallet.selectors import wallets_of
from wallet.services import post_netted

pytestmark = pytest.mark.django_db(transaction=True)


def buckets(order: PaymentOrder) -> tuple[int, int, int, int]:
    """What the order's seller has: pending, available, held, receivable."""
    (found,) = wallets_of(merchant_id=order.merchant_id, owner_type="seller", owner_id=order.seller_id)
    return found.pending_minor, found.available_minor, found.held_minor, found.receivable_minor


def release(order: PaymentOrder, *, reserve_bps: int) -> None:
    """All that the order has earned becomes the seller's to spend, less a tranche of the reserve."""
    terms = {"reserve_bps": reserve_bps, "reserve_days": 90 if reserve_bps else 0}
    at_edge(change_terms)(merchant_id=order.merchant_id, seller_id=order.seller_id, terms=terms)
    shares = OrderShare.objects.filter(order=order)
    shares.update(matures_at=F("captured_at"), due_at=F("captured_at"))
    get_drain("releases").run()
    assert shares.get().released_minor


def _post(order: PaymentOrder, legs: list[Leg]) -> None:
    """An entry of no business event: the legs of sellers against money that nobody claims."""
    currency = order.amount_currency
    other = open_account(merchant_id=order.merchant_id, role="customer_overpayment", currency=currency)
    draft = entry(
        posting=Posting(order.merchant_id, currency, clock.today()),
        kind="taken_for_a_test",
        source="test",
        source_ref=uuid.uuid4(),
        leg="taken",
        legs=[*legs, signed(other, -sum(leg.amount_minor for leg in legs), key="test")],
    )
    post_netted(drafts=[draft])


def take(orders: list[PaymentOrder], amount_minor: int) -> dict[uuid.UUID, Cover]:
    """Take the same amount from each order's seller."""
    with transaction.atomic():
        shares = lock_shares(order_ids=[each.id for each in orders])
        takings = [Taking(each, shares[each.id], amount_minor) for each in orders]
        parts = take_from_sellers(takings=takings)
        _post(orders[0], [leg for part in parts.values() for leg in cover_legs(part)])
    return {key: part.cover for key, part in parts.items()}


def restore(order: PaymentOrder, amount_minor: int) -> None:
    with transaction.atomic():
        restored = give_back_to_sellers(restorings=[Restoring(order, amount_minor)])
        _post(order, restored_legs(*restored[order.id]))


def paid(shop: Shop, *amounts: str) -> list[PaymentOrder]:
    """Orders of bob, who pays no commission, each captured."""
    shop.pay(shop.body(*[shop.order(amount, "bob") for amount in amounts]))
    return list(PaymentOrder.objects.order_by("position"))


def test_cover_goes_through_every_source_in_order_r4(shop: Shop) -> None:
    """R4: the tranche that is drawn on keeps its rest, the debt is paid by what comes back first (R3)."""
    first, second = paid(shop, "50.00", "30.00")
    assert take([first], 10_00)[first.id] == Cover(pending_minor=10_00)
    release_left = OrderShare.objects.get(order=first)
    assert (release_left.pending_used_minor, buckets(first)) == (10_00, (70_00, 0, 0, 0))
    release(second, reserve_bps=5000)
    assert buckets(second) == (40_00, 15_00, 15_00, 0)
    # Another order's pending and another order's tranche are not touched.
    assert take([second], 20_00)[second.id] == Cover(available_minor=15_00, reserve_minor=5_00)
    assert buckets(second) == (40_00, 0, 10_00, 0)
    assert take([second], 17_00)[second.id] == Cover(reserve_minor=10_00, receivable_minor=7_00)
    assert buckets(second) == (40_00, 0, 0, 7_00)
    assert take([first], 45_00)[first.id] == Cover(pending_minor=40_00, receivable_minor=5_00)
    restore(first, 20_00)
    assert buckets(first) == (0, 8_00, 0, 0)


def test_two_orders_of_one_seller_share_what_is_available(shop: Shop) -> None:
    """What covers the first is not there for the second."""
    orders = paid(shop, "10.00", "10.00")
    for order in orders:
        release(order, reserve_bps=0)
    covers = take(orders, 12_00)
    assert sorted(cover.available_minor for cover in covers.values()) == [8_00, 12_00]
    assert sum(cover.receivable_minor for cover in covers.values()) == 4_00
    assert buckets(orders[0]) == (0, 0, 0, 4_00)


def test_covers_at_once_never_take_the_same_money_twice(shop: Shop) -> None:
    """Two orders of one seller, taken back in two transactions at once: the wallet's lock decides."""
    orders = paid(shop, "10.00", "10.00")
    for order in orders:
        release(order, reserve_bps=2000)
    outcomes = race([lambda each=each: take([each], 12_00) for each in orders])
    assert not [each for each in outcomes if isinstance(each, Exception)]
    # What the first left is gone, and the tranche of one order pays for no other.
    assert buckets(orders[0]) == (0, 0, 2_00, 6_00)
