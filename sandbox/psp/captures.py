"""Taking authorised money: at once, refused by the bank, or after the bank has thought about it."""

from __future__ import annotations

from sandbox.psp import charges, session_outcomes
from sandbox.psp.call import Call, Object
from sandbox.psp.cards import GENERIC, Card
from sandbox.psp.payment_methods import card_of, decline


def take(call: Call, intent: Object, hidden: Object, *, amount: int) -> None:
    """Capture ``amount`` of an authorised intent, as its card does that; the rest is released.

    Raises the bank's refusal as a 402: the authorisation stays as it is.
    """
    method, secret = call.load("payment_method", intent["payment_method"])
    card = card_of(secret)
    if card.capture == "refused":
        raise decline(
            GENERIC, commit=False, charge=intent["latest_charge"], payment_intent=intent,
            payment_method=method,
        )  # fmt: skip
    if card.capture == "processing":
        intent.update(status="processing", processing={"type": "card"}, amount_capturable=0)
        call.save(intent, {**hidden, "capturing": amount})
        call.emit("payment_intent.processing", intent)
        return
    _done(call, intent, hidden, amount=amount, card=card)


def settle(call: Call, intent: Object, hidden: Object, *, succeeded: bool) -> Object:
    """A capture that was processing ends: the money is there, or the authorisation is lost."""
    amount = hidden.pop("capturing")
    method, secret = call.load("payment_method", intent["payment_method"])
    intent["processing"] = None
    if succeeded:
        _done(call, intent, hidden, amount=amount, card=card_of(secret))
        return intent
    charge, _ = call.load("charge", intent["latest_charge"])
    charge.update(failure_code=GENERIC.code, failure_message=GENERIC.message)
    charges.release(call, charge)
    intent["last_payment_error"] = {
        "charge": charge["id"], "code": GENERIC.code, "decline_code": GENERIC.decline_code,
        "message": GENERIC.message, "payment_method": method, "type": "card_error",
    }  # fmt: skip
    intent.update(status="requires_payment_method", payment_method=None)
    call.save(intent, hidden)
    call.emit("payment_intent.payment_failed", intent)
    return intent


def _done(call: Call, intent: Object, hidden: Object, *, amount: int, card: Card) -> None:
    charge, _ = call.load("charge", intent["latest_charge"])
    charges.take(call, charge, amount=amount, card=card)
    intent.update(status="succeeded", amount_received=amount, amount_capturable=0)
    call.save(intent, hidden)
    call.emit("charge.captured", charge)
    call.emit("payment_intent.succeeded", intent)
    session_outcomes.follow(call, intent, hidden)
