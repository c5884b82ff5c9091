"""A4: a capture that the provider denies is borne by who was credited for it; A12: it has it after all."""

from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.db import transaction

from core import clock
from core.models import OutboxEvent
from payments.models import ChargeDenial, OrderShare, PaymentOrder
from reconciliation.errors import AdjustmentInvalid
from reconciliation.models import Discrepancy
from reconciliation.selectors import break_at_desk, preview
from reconciliation.services import look_again
from tests.payments.captured import balances, capture, post_taken
from tests.payments.conftest import Shop as Store
from tests.payments.conftest import counter as counter
from tests.payments.refunding import ask
from tests.reconciliation.resolving.conftest import Balances, Shop
from tests.reconciliation.resolving.test_identifying import difference, eur
from tests.reconciliation.resolving.test_identifying import shop as shop
from tests.reconciliation.seeded import at_day
from wallet.models import Wallet
from wallet.selectors import accounts_of

pytestmark = pytest.mark.django_db


@dataclass
class Denied:
    """A payment of 90.00 that the books have and no file does, and its break."""

    shop: Shop
    order: PaymentOrder
    row: Discrepancy

    def roles(self, before: Balances) -> dict[str, int]:
        """What the books moved by since then, by role."""
        found: dict[str, int] = {}
        for (role, _), minor in difference(before, self.shop.books()).items():
            found[role] = found.get(role, 0) + minor
        return {role: minor for role, minor in found.items() if minor}


@pytest.fixture
def denied(shop: Shop, counter: Store, monkeypatch: pytest.MonkeyPatch) -> Denied:
    """Captured today; files of the days after do not have it, and its time is over."""
    [order] = capture(counter, eur(counter))
    day = clock.today()
    at_day(monkeypatch, day + timedelta(days=5))
    shop.report("f|fee|-1|0", day=day + timedelta(days=2))
    at_day(monkeypatch, day + timedelta(days=20))
    look_again(source_id=shop.psp.id)
    return Denied(shop, order, shop.only(break_class="MISSING_EXTERNAL"))


def test_the_seller_gives_back_what_was_credited(denied: Denied) -> None:
    """A4 as the books have it: seller, commission and tax, and nothing is left at the provider."""
    row, before = denied.row, denied.shop.books()
    assert break_at_desk(discrepancy_id=row.id).offers == ("A4", "A5", "none")
    approval = denied.shop.propose(row, "A4")
    said = [(each.role, each.owner, each.amount_minor) for each in preview(approval.instruction)]
    assert said == [
        ("seller_cover", "ann", 8100),
        ("commission_refunded", "", 750),
        ("tax_payable", "", 150),
        ("psp_clearing", "", -9000),
    ]
    denied.shop.agree(approval)
    assert denied.roles(before) == {
        "seller_pending": 8100,
        "commission_refunded": 750,
        "tax_payable": 150,
        "psp_clearing": -9000,
    }
    denied.order.refresh_from_db()
    row.refresh_from_db()
    assert (denied.order.status, denied.order.reversed_minor, row.status) == ("SUCCESS", 9000, "RESOLVED")
    assert OrderShare.objects.get(order=denied.order).pending_used_minor == 8100
    assert OutboxEvent.objects.filter(type="payment.reversed").count() == 1


def test_a_seller_who_was_paid_owes_it_and_gets_it_back_when_it_comes_after_all(denied: Denied) -> None:
    """R4's order of cover ends in a debt; A12 pays that first, and the key of the payment is open again."""
    order, shop = denied.order, denied.shop
    wallet = Wallet.objects.get(owner_id=order.seller_id)
    pending = accounts_of(merchant_id=order.merchant_id, wallet_id=wallet.id)["seller_pending"]
    with transaction.atomic():
        OrderShare.objects.filter(order=order).update(pending_used_minor=6000)
        post_taken(merchant_id=order.merchant_id, account=pending, minor=6000, currency="EUR")
    before = shop.books()
    shop.settle(denied.row, "A4")
    assert denied.roles(before) == {
        "seller_pending": 2100,
        "seller_receivable": 6000,
        "commission_refunded": 750,
        "tax_payable": 150,
        "psp_clearing": -9000,
    }
    shop.reopen(denied.row)
    assert denied.roles(before) == {"seller_pending": 2100, "seller_available": -2100}
    assert balances(order.seller_id) == {"pending": 0, "available": 2100, "held": 0, "receivable": 0}
    order.refresh_from_db()
    assert (order.reversed_minor, denied.row.status) == (0, "OPEN")
    assert OutboxEvent.objects.filter(type="payment.reinstated").count() == 1
    assert [each.ended_at is None for each in ChargeDenial.objects.all()] == [False]
    shop.settle(denied.row, "A4")
    assert (shop.at("psp_clearing") - sum(before.values()), balances(order.seller_id)["available"]) == (
        shop.at("psp_clearing"),
        0,
    )


def test_the_marketplace_may_bear_it(denied: Denied) -> None:
    """The same break, and nobody is asked but exp.recon_loss."""
    before = denied.shop.books()
    with pytest.raises(AdjustmentInvalid):
        denied.shop.propose(denied.row, "A4", borne_by="nobody")
    denied.shop.settle(denied.row, "A4", borne_by="platform")
    assert denied.roles(before) == {"recon_loss": 9000, "psp_clearing": -9000}
    denied.shop.reopen(denied.row)
    assert denied.roles(before) == {}


def test_what_went_back_to_the_buyer_is_nobody_s_to_give(denied: Denied, counter: Store) -> None:
    """A refund before: the seller gives the rest, the marketplace bears what the buyer has."""
    body = {"payment_order_id": denied.order.payment_order_id}
    assert ask(counter, body, "30.00").status_code == 201
    before = denied.shop.books()
    denied.shop.settle(denied.row, "A4")
    moved = denied.roles(before)
    assert (moved["psp_clearing"], moved["recon_loss"], moved["seller_pending"]) == (-9000, 3000, 5400)
    denied.order.refresh_from_db()
    assert (denied.order.reversed_minor, denied.order.excess_returned_minor) == (6000, 0)
