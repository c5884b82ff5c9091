"""One payment of three sellers on the sandbox's real page, through refunds and a dispute: all parts close."""

from typing import Any

import pytest
from django.db import transaction

from merchants.services import create_seller
from payments.engine.refunds.shares import returned_so_far
from payments.models import ChargeLine, OrderShare, PaymentEvent, PaymentOrder
from tests.payments.conftest import Shop, hosted
from tests.payments.disputing import disputed_newest
from tests.payments.refunding import ask, balances, refunded_there, tell, told_refunds
from tests.sandbox.test_checkout_page import FORM
from tests.sandbox.test_checkout_page import ask as browse


@pytest.fixture(autouse=True)
def _impatient(settings: Any, hooks: Any) -> None:
    settings.PSP_READ_TIMEOUT = 0.5
    settings.INLINE_REGISTRATIONS = 0


def _open(shop: Shop) -> dict[str, Any]:
    """A checkout over sellers of 10 %, 15 % and no commission, whose page is open."""
    with transaction.atomic():
        create_seller(
            merchant_id=shop.store.merchant_id,
            seller_account="cal",
            name="Cal",
            country="US",
            commission_bps=1500,
            tax_bps=1900,
            by="user:test",
        )
    orders = [shop.order("50.00"), shop.order("33.33", "cal"), shop.order("16.67", "bob")]
    return shop.pay(hosted(shop, *orders))


def _pay(shop: Shop, checkout: dict[str, Any]) -> list[dict[str, Any]]:
    """The buyer's first card is declined on the page, the second one pays: the orders."""
    page = checkout["next_action"]["url"]
    status, back, _ = browse(page, FORM | {"number": "4000 0000 0000 0002"})
    assert back is None or "/c/pay/" in back, (status, back)
    status, back, _ = browse(page, FORM)
    assert status == 303 and "/c/pay/" not in str(back), (status, back)
    shop.later(20)
    paid = shop.checkout(checkout["id"])
    assert (paid["status"], len(shop.captures())) == ("succeeded", 1)
    orders: list[dict[str, Any]] = paid["payment_orders"]
    return orders


def _gone(order: PaymentOrder) -> tuple[int, int, int, int]:
    """What of an order is refunded, disputed, reversed, and beyond."""
    return (
        order.refund_reserved_minor,
        order.dispute_reserved_minor,
        order.reversed_minor,
        order.excess_returned_minor,
    )


def test_three_sellers_are_paid_refunded_disputed_and_close_to_zero(shop: Shop) -> None:
    """P2, F-G7, F-G8, I12: paid on the page, refunded in parts, lost, won after all, and all given back."""
    ann, cal, bob = _pay(shop, _open(shop))
    assert ChargeLine.objects.filter(live=True).count() == 3
    for order, amount in ((ann, "10.00"), (cal, "11.11"), (ann, "0.01")):
        assert ask(shop, order, amount).status_code == 201
    shop.work()
    assert refunded_there(shop) == 21_12
    case = disputed_newest(shop, amount=60_00)
    rows = list(PaymentOrder.objects.order_by("position"))
    assert [_gone(row)[:2] for row in rows] == [(10_01, 30_00), (11_11, 20_00), (0, 10_00)]
    case.step("lose")
    case.tell()
    found = balances(shop)
    assert "dispute_receivable" not in found and found["chargeback_fee_recovered"] == -15_00
    case.step("win")
    case.tell()
    case.tell()
    for order in (bob, cal, ann):
        assert ask(shop, order, "5.55").status_code == 201
        assert ask(shop, order).status_code == 201
    shop.work()
    tell(shop, *told_refunds(shop), times=2)
    assert refunded_there(shop) == 100_00
    for row in PaymentOrder.objects.all():
        share = OrderShare.objects.get(order=row)
        back = returned_so_far(order_id=row.id)
        assert (back.seller_net_minor, back.commission_minor, back.tax_minor) == (
            share.seller_net_minor,
            share.commission_minor,
            share.tax_minor,
        )
        assert _gone(row) == (row.captured_minor, 0, 0, 0)
    found = balances(shop)
    assert found.pop("commission") + found.pop("commission_refunded") == 0
    # The bank's fee alone is left, which the platform bears when it wins; the sellers have theirs back.
    assert found == {"psp_clearing": -15_00, "chargeback_fee": 15_00}
    assert PaymentEvent.objects.get().compensated_at is not None
