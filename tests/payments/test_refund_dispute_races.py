"""F-G4, A-D2: a refund and a chargeback of the same money, in both orders and at once."""

import threading
import uuid
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from core.models import Case as DeskCase
from payments.engine.disputes import observe as observing
from payments.engine.disputes.observe import take_dispute
from payments.engine.refunds import request as requesting
from payments.locks import ChargeScope
from payments.models import Charge, ChargeLine, Dispute, PaymentOrder, Refund
from payments.psp.contract import adapter_for
from payments.services import request_refund
from payments.types import RefundRequest
from tests.payments.conftest import Shop
from tests.payments.deliveries import deliver, process
from tests.payments.disputing import disputed, disputed_newest, wallet
from tests.racing import race
from tests.stateful.effort import rounds


def refund(shop: Shop, order: PaymentOrder, amount: str = "60.00") -> Any:
    body = {"payment_order_id": order.payment_order_id, "amount": amount}
    return shop.store.post("/v1/refunds", body, key=uuid.uuid4().hex)


def newest() -> PaymentOrder:
    return PaymentOrder.objects.order_by("-created_at", "-id")[0]


def test_a_refund_first_then_the_chargeback_f_g4(shop: Shop) -> None:
    """F-G4: both happened at the provider; the excess is counted, told once, and goes when it is won."""
    shop.pay(shop.body(shop.order()))
    order = newest()
    assert refund(shop, order).status_code == 201
    shop.work()
    case = disputed_newest(shop)
    order.refresh_from_db()
    assert (order.refunded_minor, order.dispute_reserved_minor, order.excess_returned_minor) == (
        6000,
        10000,
        6000,
    )
    overlap = DeskCase.objects.get(kind="refund_dispute_overlap")
    assert (overlap.value_minor, overlap.currency) == (6000, "USD")
    # 36.00 were left of her 90.00: they are held, and what is beyond is a debt.
    assert wallet(order) == (0, 0, 9600, 6000)
    assert refund(shop, order, "0.01").json()["error"]["code"] == "refund_exceeds_captured"
    case.step("win")
    case.tell()
    order.refresh_from_db()
    assert (order.dispute_reserved_minor, order.excess_returned_minor) == (0, 0)
    assert wallet(order) == (0, 3600, 0, 0)


def test_a_refund_of_what_is_in_dispute_is_refused_f_g4(shop: Shop) -> None:
    """F-G4 the other way round."""
    disputed(shop, shop.order(), amount=7000)
    order = newest()
    assert refund(shop, order, "30.01").json()["error"]["code"] == "refund_exceeds_captured"
    assert refund(shop, order, "30.00").status_code == 201
    shop.work()
    assert Refund.objects.get().status == "FAILED", "the provider refunds nothing while it is disputed"


def test_the_database_refuses_what_the_code_would_let_through_i12(shop: Shop) -> None:
    """I12, the control: without the look at what is left, the constraint stands in the way."""
    disputed(shop, shop.order())
    order = newest()
    with pytest.raises(IntegrityError, match="never_returns_more"), transaction.atomic():
        PaymentOrder.objects.filter(id=order.id).update(refund_reserved_minor=1)


def _race(shop: Shop, number: int) -> tuple[int, int]:
    overlaps = fits = 0
    for _ in range(number):
        case = disputed(shop, shop.order(), told=False)
        order, (created, *_) = newest(), case.events()

        def tell(created: dict[str, Any] = created) -> None:
            assert deliver(shop, created, id=f"evt_{uuid.uuid4().hex}") == 200
            process()

        def ask(order: PaymentOrder = order) -> int:
            return int(refund(shop, order).status_code)

        answers = race([tell, ask, ask, tell], connected=True)
        assert not [each for each in answers if isinstance(each, Exception)], answers
        process()
        order.refresh_from_db()
        gone = order.refund_reserved_minor + order.dispute_reserved_minor
        accepted = answers[1:3].count(201)
        assert Dispute.objects.filter(charge=case.charge).count() == 1
        assert order.dispute_reserved_minor == 10000
        assert order.refund_reserved_minor == 6000 * accepted <= 6000
        assert order.excess_returned_minor == max(gone - 10000, 0)
        told = DeskCase.objects.filter(kind="refund_dispute_overlap", detail__order_id=str(order.id))
        assert told.count() == (1 if accepted else 0), "never silently negative"
        overlaps, fits = overlaps + bool(accepted), fits + (not accepted)
    return overlaps, fits


@pytest.mark.chaos
def test_a_refund_races_a_chargeback_f_g4(shop: Shop) -> None:
    """F-G4, A-D2, I12: whoever is first, the totals add up and an overlap is seen by a person."""
    _race(shop, rounds(few=10, many=200))


def test_without_the_lock_one_of_them_is_lost_f_g4(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: both decide by what they read before the other wrote, and only the constraint is left."""
    case = disputed(shop, shop.order(), told=False)
    order, (created, *_) = newest(), case.events()
    seen = adapter_for("stripe").read_dispute_event(payload=created)
    asked = RefundRequest(payment_order_id=order.payment_order_id, amount="60.00")
    both_have_read = threading.Barrier(2, timeout=20)

    def careless(*, charge_id: uuid.UUID) -> ChargeScope:
        charge = Charge.objects.select_related("checkout").get(pk=charge_id)
        lines = list(ChargeLine.objects.filter(charge=charge).select_related("order"))
        both_have_read.wait()
        return ChargeScope(charge.checkout, charge, [], lines, [line.order for line in lines])

    def tell() -> None:
        with transaction.atomic():
            take_dispute(channel_id=shop.channel.id, seen=seen)

    def ask() -> None:
        with transaction.atomic():
            request_refund(merchant_id=shop.store.merchant_id, request=asked, actor="key:test")

    monkeypatch.setattr(requesting, "lock_charge", careless)
    monkeypatch.setattr(observing, "lock_charge", careless)
    outcomes = race([tell, ask])
    monkeypatch.undo()
    (lost,) = [each for each in outcomes if each is not None]
    assert isinstance(lost, IntegrityError) and "never_returns_more" in str(lost)
