"""Refunds: never more than was captured and not yet returned."""

from __future__ import annotations

import json

from sandbox.psp import charges, disputes
from sandbox.psp.call import Call, Object
from sandbox.psp.errors import ApiError, invalid, wrong_state
from sandbox.psp.lists import page

REASONS = {"duplicate", "fraudulent", "requested_by_customer"}


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
    return _refund(call, charge, hidden, amount=amount, reason=reason, metadata=metadata)


def _refund(
    call: Call, charge: Object, hidden: Object, *, amount: int, reason: str | None, metadata: dict[str, str]
) -> Object:
    returned = hidden.get("refunded", 0) + amount
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
        "status": "succeeded",
        "transfer_reversal": None,
    }
    booked = charges.balance_transaction(
        call, amount=-amount, fee=0, currency=charge["currency"], type_="refund", category="refund",
        source=refund["id"],
    )  # fmt: skip
    refund["balance_transaction"] = booked["id"]
    call.insert(refund)
    _set_returned(call, charge, hidden, returned)
    call.effect(
        "refund.succeeded", amount=-amount, currency=charge["currency"], charge=charge, refund=refund["id"]
    )
    call.emit("refund.created", refund)
    call.emit("charge.refunded", charge)
    return refund


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
    """The bank sends a refund back after it succeeded: the money returns to the account's balance."""
    refund, hidden = call.load("refund", refund_id)
    if refund["status"] != "succeeded":
        raise wrong_state(f"The refund is {refund['status']}.")
    charge, secret = call.load("charge", refund["charge"])
    charges.balance_transaction(
        call, amount=refund["amount"], fee=0, currency=refund["currency"], type_="refund_failure",
        category="refund_failure", source=refund["id"],
    )  # fmt: skip
    refund["status"] = "failed"
    call.save(refund, hidden)
    _set_returned(call, charge, secret, secret.get("refunded", 0) - refund["amount"])
    call.effect(
        "refund.failed",
        amount=refund["amount"],
        currency=refund["currency"],
        charge=charge,
        refund=refund["id"],
    )
    call.emit("refund.failed", refund)
    call.emit("refund.updated", refund)
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
