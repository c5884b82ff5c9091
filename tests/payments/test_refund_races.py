"""Refunds of one order at once: never more than was captured, and no deadlock with whoever else moves it."""

import threading
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from core.cases import open_case
from core.errors import DomainError
from core.transactions import at_edge
from payments.engine.refunds import request as requesting
from payments.locks import ChargeScope
from payments.models import Charge, ChargeLine, PaymentOrder, Refund
from payments.services import request_refund
from payments.types import RefundRequest
from tests.payments.conftest import Shop
from tests.payments.refunding import ask, paid, refunded_there, refunds_of, state, tell, told_refunds
from tests.racing import race
from tests.stateful.effort import rounds
from wallet.errors import InsufficientFunds
from wallet.selectors import wallets_of
from wallet.services import try_hold

CLIENTS = 30


def refund(shop: Shop, order: dict[str, Any], amount: str) -> Callable[[], Any]:
    """A contender that asks for a refund."""
    request = RefundRequest(payment_order_id=order["payment_order_id"], amount=amount)

    def run() -> Any:
        return at_edge(request_refund)(
            merchant_id=shop.store.merchant_id, request=request, actor=f"key:{uuid.uuid4()}"
        ).id

    return run


@pytest.mark.chaos
def test_two_refunds_of_60_on_100_f_g1(shop: Shop) -> None:
    """F-G1, A-D2, I12: thirty clients ask for 60 of 100 at once: exactly one gets it, in every round."""
    number = rounds(few=10, many=200)
    for _ in range(number):
        order = paid(shop)
        outcomes = race([refund(shop, order, "60.00")] * CLIENTS)
        refused = [each for each in outcomes if isinstance(each, DomainError)]
        assert [each.code for each in refused] == ["refund_exceeds_captured"] * (CLIENTS - 1)
        assert len(outcomes) - len(refused) == 1
        shop.work()
        assert (state(shop, order), len(refunds_of(shop, order))) == (("60.00", "0.00"), 1)
    assert refunded_there(shop) == number * 60_00


def test_without_the_lock_it_overruns(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: both decide by what they read before the other wrote, and 120 of 100 are refunded."""
    order = paid(shop)
    both_have_read = threading.Barrier(2, timeout=20)

    def careless(*, charge_id: uuid.UUID) -> ChargeScope:
        charge = Charge.objects.select_related("checkout").get(pk=charge_id)
        lines = list(ChargeLine.objects.filter(charge=charge).select_related("order"))
        both_have_read.wait()
        return ChargeScope(charge.checkout, charge, [], lines, [line.order for line in lines])

    monkeypatch.setattr(requesting, "lock_charge", careless)
    # The share is the next row that both lock; it is what makes the second wait, with what it read before.
    outcomes = race([refund(shop, order, "60.00")] * 2)
    monkeypatch.undo()
    assert not [each for each in outcomes if isinstance(each, Exception)], outcomes
    row = PaymentOrder.objects.get()
    assert (Refund.objects.count(), row.refund_reserved_minor) == (2, 60_00)
    # Told as what it is, so that the audits after the test find nothing hidden.
    with transaction.atomic():
        PaymentOrder.objects.update(refund_reserved_minor=120_00, excess_returned_minor=20_00)
        open_case(
            kind="refund_dispute_overlap",
            subject=order["id"],
            summary="made by a test",
            due_in=timedelta(hours=1),
            merchant_id=shop.store.merchant_id,
        )


@pytest.mark.parametrize("asked", ["30.00", "100.00"])
def test_beyond_the_look_the_database_refuses(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    """F-G1: were what is left counted wrongly, no request could raise what an order may give back (I12)."""
    order = paid(shop)
    assert ask(shop, order, "80.00").status_code == 201
    monkeypatch.setattr(requesting, "left_to_refund", lambda order: order.captured_minor)
    with pytest.raises(IntegrityError, match="never_returns_more"):
        ask(shop, order, asked)
    row = PaymentOrder.objects.get()
    assert (row.refund_reserved_minor, row.excess_returned_minor, Refund.objects.count()) == (80_00, 0, 1)


def withdrawal(order: PaymentOrder) -> Callable[[], Any]:
    """A contender that sets aside the seller's money for payouts, as much as there is at that moment."""
    (wallet,) = wallets_of(merchant_id=order.merchant_id, owner_type="seller", owner_id=order.seller_id)

    def run() -> None:
        for _ in range(5):
            at_edge(try_hold)(
                merchant_id=order.merchant_id,
                wallet_id=wallet.id,
                purpose="payout",
                subject=f"po_{uuid.uuid4().hex}",
                amount_minor=1_00,
            )

    return run


def test_three_writers_do_not_deadlock_f_g6(shop: Shop) -> None:
    """F-G6: requests, the worker, refunds that come back and payouts, all on one seller at once."""
    orders = [paid(shop, "50.00", token="pm_card_refundFail") for _ in range(4)]
    for order in orders:
        ask(shop, order, "10.00")
    shop.work()
    shop.provider.control("POST", "clock", {"seconds": 90_000})
    failed = told_refunds(shop, "refund.failed")
    asks = [refund(shop, order, "5.00") for order in orders for _ in range(3)]
    payouts = [withdrawal(PaymentOrder.objects.first())] * 3
    outcomes = race([*asks, *payouts, shop.work, shop.work, lambda: tell(shop, *failed, times=2)])
    broken = [each for each in outcomes if isinstance(each, Exception)]
    assert [each for each in broken if not isinstance(each, InsufficientFunds)] == []
    for _ in range(3):
        shop.work()
        tell(shop)
    for order in orders:
        assert state(shop, order) == ("15.00", "0.00")
        assert sorted(each["status"] for each in refunds_of(shop, order)) == ["FAILED", *["SUCCESS"] * 3]
