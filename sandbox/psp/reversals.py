"""An asynchronous method that fails after it had succeeded: the rail takes the whole payment back."""

from __future__ import annotations

from sandbox.psp import charges
from sandbox.psp.call import Call, Object
from sandbox.psp.errors import wrong_state


def reverse(call: Call, intent_id: str) -> Object:
    """Take a captured payment back: the charge is ``failed`` and names the movement that says so."""
    intent, hidden = call.load("payment_intent", intent_id)
    if intent["status"] != "succeeded":
        raise wrong_state(f"This PaymentIntent is {intent['status']}: nothing of it can be taken back.")
    charge, _ = call.load("charge", intent["latest_charge"])
    moved = charges.balance_transaction(
        call, amount=-charge["amount_captured"], fee=0, currency=charge["currency"],
        type_="payment_failure_refund", category="charge_failure", source=charge["id"],
    )  # fmt: skip
    charge.update(
        status="failed",
        paid=False,
        failure_code="charge_exceeds_source_limit",
        failure_message="The buyer's bank took the payment back.",
        failure_balance_transaction=moved["id"],
    )
    call.save(charge)
    intent.update(status="requires_payment_method", payment_method=None)
    intent["last_payment_error"] = {
        "code": "payment_method_provider_decline",
        "message": "The buyer's bank took the payment back.",
        "type": "card_error",
        "charge": charge["id"],
        "decline_code": "generic_decline",
    }
    call.save(intent, hidden)
    call.effect(
        "charge.reversed", amount=-charge["amount_captured"], currency=charge["currency"], charge=charge
    )
    call.emit("charge.failed", charge)
    call.emit("payment_intent.payment_failed", intent)
    return charge
