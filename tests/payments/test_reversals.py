"""F-A14: a success that the rail takes back later: another posting, and nothing is deleted."""

import uuid
from typing import Any

from core.models import Case, OutboxEvent
from ledger.models import JournalEntry
from payments.models import Charge, ChargeReversal, PaymentEvent, PaymentOrder
from tests.payments.conftest import Shop
from tests.payments.deliveries import deliver, process
from tests.payments.disputing import balances, wallet


def reverse_newest(shop: Shop, times: int = 1) -> None:
    """Let the rail take the newest payment back, and tell of it."""
    charge = Charge.objects.order_by("-id")[0]
    shop.provider.control("POST", f"payment_intents/{charge.psp_reference}/reversal", {})
    told = shop.provider.control("GET", f"events?account={shop.account_id}")["data"]
    for event in [
        each for each in told if each["type"] in ("charge.failed", "payment_intent.payment_failed")
    ]:
        event.pop("account")
        for _ in range(times):
            assert deliver(shop, event, id=f"evt_{uuid.uuid4().hex}") == 200
    process()


def test_a_payment_that_the_rail_takes_back_f_a14(shop: Shop) -> None:
    """F-A14: told three times, booked once; the history keeps both."""
    paid = shop.pay()
    reverse_newest(shop, times=3)
    shop.work()
    ann, bob = PaymentOrder.objects.order_by("position")
    assert (ann.reversed_minor, bob.reversed_minor) == (9000, 1000)
    assert (wallet(ann), wallet(bob)) == ((0, 0, 0, 0), (0, 0, 0, 0))
    found = balances(shop)
    assert "psp_clearing" not in found and found["commission_refunded"] + found["commission"] == 0
    legs = sorted(JournalEntry.objects.filter(source="charge").values_list("leg", flat=True))
    assert legs == ["capture", "reversal"]
    assert (ann.status, ChargeReversal.objects.get().amount_minor) == ("SUCCESS", 10000)
    assert PaymentEvent.objects.get().compensated_at is not None
    assert shop.checkout(paid["id"])["is_payment_done"] is False
    assert OutboxEvent.objects.filter(type="payment.reversed").count() == 2
    assert Case.objects.get(kind="charge_reversed").value_minor == 10000
    seen = shop.store.get(f"/v1/payments/{ann.payment_order_id}").json()
    assert (seen["reversed"], seen["payment_order_status"]) == ("90.00", "SUCCESS")
    refused = shop.store.post("/v1/refunds", {"payment_order_id": ann.payment_order_id}, key=uuid.uuid4().hex)
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "refund_exceeds_captured")


def test_what_was_refunded_before_the_reversal_overlaps(shop: Shop) -> None:
    """F-G4's other side: more went back than came; it is counted, and a person is told."""
    shop.pay(shop.body(shop.order()))
    order = PaymentOrder.objects.get()
    body: dict[str, Any] = {"payment_order_id": order.payment_order_id, "amount": "60.00"}
    assert shop.store.post("/v1/refunds", body, key=uuid.uuid4().hex).status_code == 201
    shop.work()
    reverse_newest(shop)
    order.refresh_from_db()
    assert (order.reversed_minor, order.refunded_minor, order.excess_returned_minor) == (10000, 6000, 6000)
    assert Case.objects.get(kind="refund_dispute_overlap").value_minor == 6000
    assert balances(shop)["commission"] + balances(shop)["commission_refunded"] == 0
