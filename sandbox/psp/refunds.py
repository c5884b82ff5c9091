"""Refunds: never more than was captured and not yet returned.

The card says what becomes of them: they succeed; are ``pending`` for a day of sandbox time and then
succeed, or fail (``pending_fails``); succeed and come back after a day (``fails``); or are ``refused``.
"""

from __future__ import annotations

import json

from sandbox.psp import charges, disputes, payment_methods
from sandbox.psp.call import Call, Object
from sandbox.psp.errors import ApiError, invalid, wrong_state
from sandbox.psp.lists import page

REASONS = {"duplicate", "fraudulent", "requested_by_customer"}
#: How long a refund of such a card waits for its end.
REFUND_SECONDS = 86_400
REFUND_SUCCEEDS, REFUND_FAILS = "refund_succeeds", "refund_fails"


def create(call: Call) -> Object:
    """``POST /v1/refunds`` of a charge or a PaymentIntent, whole or in part."""
    params = call.params
    charge_id, intent_id = params.text("charge"), params.text("payment_intent")
    amount = params.positive("amount")
    reason = params.choice("reason", REASONS)
    metadata = params.metadata()
    params.close()
    if (charge_id is None) == (intent_id is None):
        raise invalid(
            "Name either a charge or a payment_intent", param="payment_intent", code="parameter_missing"
        )
    if charge_id is None and intent_id is not None:
        intent, _ = call.load("payment_intent", intent_id, param="payment_intent")
        charge_id = intent["latest_charge"]
    if charge_id is None:
        raise wrong_state("This PaymentIntent has no successful charge to refund.")
    charge, hidden = call.load("charge", charge_id, param="charge")
    returned = hidden.get("refunded", 0)
    left = charge["amount_captured"] - returned
    if not charge["captured"]:
        raise wrong_state(
            "This charge was not captured, so there is nothing to refund.", code="charge_not_captured"
        )
    if charge["disputed"] and disputes.forbids_refund(call, charge["id"]):
        raise ApiError(
            400, "invalid_request_error", "This charge has been charged back and cannot be refunded.",
            code="charge_disputed", saved=True,
        )  # fmt: skip
    if left == 0:
        raise ApiError(
            400, "invalid_request_error", "The charge has already been refunded.",
            code="charge_already_refunded", saved=True,
        )  # fmt: skip
    if amount is None:
        amount = left
    if amount > left:
        raise ApiError(
            400, "invalid_request_error",
            f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})",
            param="amount", saved=True,
        )  # fmt: skip
    ends = _ends(call, charge)
    if ends == "refused":
        raise ApiError(
            400, "invalid_request_error", "The bank of this card takes no refunds.",
            code="refund_disputed_payment", saved=True,
        )  # fmt: skip
    return give_back(call, charge, hidden, amount=amount, reason=reason, metadata=metadata, ends=ends)


def _ends(call: Call, charge: Object) -> str | None:
    """What becomes of refunds to the card that paid."""
    secret = call.load("payment_method", charge["payment_method"])[1]
    return payment_methods.card_of(secret).refund


def of_intent(call: Call, identifier: str, amount: int | None) -> Object:
    """Somebody refunds a PaymentIntent on the provider's dashboard: nobody's metadata, no caller."""
    intent, _ = call.load("payment_intent", identifier)
    if intent["latest_charge"] is None:
        raise wrong_state("This PaymentIntent has no successful charge to refund.")
    charge, hidden = call.load("charge", intent["latest_charge"])
    left = charge["amount_captured"] - hidden.get("refunded", 0)
    if not charge["captured"] or not 0 < (amount or left) <= left:
        raise wrong_state(f"There are {left} left to refund.")
    return give_back(
        call, charge, hidden, amount=amount or left, reason="requested_by_customer", metadata={},
        ends=_ends(call, charge),
    )  # fmt: skip


def give_back(
    call: Call, charge: Object, hidden: Object, *, amount: int, reason: str | None, metadata: dict[str, str],
    ends: str | None,
) -> Object:  # fmt: skip
    """Make the refund; what is pending counts as returned already, and is booked when it succeeds."""
    is_pending = ends is not None and ends.startswith("pending")
    refund: Object = {
        "id": call.new_id("re"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": call.now,
        "currency": charge["currency"],
        "customer": charge["customer"],
        "customer_account": None,
        "destination_details": {"card": {"type": "refund"}, "type": "card"},
        "metadata": metadata,
        "payment_intent": charge["payment_intent"],
        "payment_method": charge["payment_method"],
        "reason": reason,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "pending" if is_pending else "succeeded",
        "transfer_reversal": None,
    }
    call.insert(refund)
    if not is_pending:
        _book(call, refund, charge)
    _set_returned(call, charge, hidden, hidden.get("refunded", 0) + amount)
    if ends is not None:
        kind = REFUND_SUCCEEDS if ends == "pending" else REFUND_FAILS
        call.remind(due=call.clock + REFUND_SECONDS, kind=kind, target=refund["id"])
    call.emit("refund.created", refund)
    call.emit("charge.refunded", charge)
    return refund


def _book(call: Call, refund: Object, charge: Object) -> None:
    booked = charges.balance_transaction(
        call, amount=-refund["amount"], fee=0, currency=refund["currency"], type_="refund",
        category="refund", source=refund["id"],
    )  # fmt: skip
    refund["balance_transaction"] = booked["id"]
    call.save(refund)
    call.effect(
        "refund.succeeded",
        amount=-refund["amount"],
        currency=refund["currency"],
        charge=charge,
        refund=refund["id"],
    )


def succeed(call: Call, refund_id: str) -> Object:
    """A pending refund reaches the buyer's bank."""
    refund, _ = call.load("refund", refund_id)
    if refund["status"] != "pending":
        raise wrong_state(f"The refund is {refund['status']}.")
    charge, _ = call.load("charge", refund["charge"])
    refund["status"] = "succeeded"
    _book(call, refund, charge)
    call.emit("refund.updated", refund)
    call.emit("charge.refund.updated", refund)
    return refund


def succeed_by_clock(call: Call, refund_id: str) -> None:
    """As ``succeed``, unless it ended before."""
    if call.load("refund", refund_id)[0]["status"] == "pending":
        succeed(call, refund_id)


def fail_by_clock(call: Call, refund_id: str) -> None:
    """As ``fail``, unless it ended before."""
    if call.load("refund", refund_id)[0]["status"] in ("pending", "succeeded"):
        fail(call, refund_id)


def _set_returned(call: Call, charge: Object, hidden: Object, returned: int) -> None:
    released = charge["amount"] - charge["amount_captured"]
    charge["amount_refunded"] = released + returned
    charge["refunded"] = returned == charge["amount_captured"]
    newest = page_of_charge(call, charge["id"])
    charge["refunds"].update(data=newest[:10], has_more=len(newest) > 10)
    call.save(charge, {**hidden, "refunded": returned})


def page_of_charge(call: Call, charge_id: str) -> list[Object]:
    """The newest refunds of a charge, one more than the charge shows."""
    rows = call.database.rows(
        "SELECT body FROM object WHERE account = ? AND type = 'refund' AND type <> 'event' AND source = ?"
        " ORDER BY seq DESC LIMIT 11",
        (call.account, charge_id),
    )
    return [json.loads(row["body"]) for row in rows]


def fail(call: Call, refund_id: str) -> Object:
    """The bank sends a refund back, after it succeeded or while it is pending: the account has the money."""
    refund, hidden = call.load("refund", refund_id)
    if refund["status"] not in ("pending", "succeeded"):
        raise wrong_state(f"The refund is {refund['status']}.")
    charge, secret = call.load("charge", refund["charge"])
    was_booked = refund["status"] == "succeeded"
    if was_booked:
        charges.balance_transaction(
            call, amount=refund["amount"], fee=0, currency=refund["currency"], type_="refund_failure",
            category="refund_failure", source=refund["id"],
        )  # fmt: skip
    refund["status"] = "failed"
    call.save(refund, hidden)
    _set_returned(call, charge, secret, secret.get("refunded", 0) - refund["amount"])
    call.effect(
        "refund.failed",
        amount=refund["amount"] if was_booked else 0,
        currency=refund["currency"],
        charge=charge,
        refund=refund["id"],
    )
    call.emit("refund.failed", refund)
    call.emit("refund.updated", refund)
    call.emit("charge.refund.updated", refund)
    return refund


def retrieve(call: Call) -> Object:
    """``GET /v1/refunds/{id}``."""
    call.params.close()
    return call.load("refund", call.target, param="id")[0]


def update(call: Call) -> Object:
    """``POST /v1/refunds/{id}``: metadata only."""
    refund, _ = call.load("refund", call.target, param="id")
    refund["metadata"] = call.params.metadata(refund["metadata"])
    call.params.close()
    call.save(refund)
    call.emit("refund.updated", refund)
    return refund


def list_all(call: Call) -> Object:
    """``GET /v1/refunds``, by charge or PaymentIntent when asked."""
    params = call.params
    return page(
        call, "refund", {"source": params.text("charge"), "payment_intent": params.text("payment_intent")}
    )
