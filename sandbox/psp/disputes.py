"""Disputes: a buyer's bank asks (inquiry) or takes the money back (chargeback), and somebody decides.

Money moves once for each change of hands: withdrawn when a chargeback opens or a won one is lost after all,
reinstated when it is won. A dispute tells of its movements in ``balance_transactions``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from sandbox.psp import charges
from sandbox.psp.call import Call, Object
from sandbox.psp.errors import ApiError, invalid
from sandbox.psp.lists import page

#: What a chargeback costs, in minor units, for good.
FEE = 1500
#: How long there is to answer.
EVIDENCE_SECONDS = 9 * 86400

#: Reason of the dispute to the network's own code (Visa).
REASONS = {
    "bank_cannot_process": "12.7",
    "credit_not_processed": "13.7",
    "customer_initiated": "10.4",
    "debit_not_authorized": "10.4",
    "duplicate": "12.6",
    "fraudulent": "10.4",
    "general": "13.3",
    "insufficient_funds": "12.7",
    "product_not_received": "13.1",
    "product_unacceptable": "13.3",
    "subscription_canceled": "13.2",
    "unrecognized": "10.4",
}
INQUIRY = ("warning_needs_response", "warning_under_review")
OPEN = ("needs_response", "under_review")
ANSWERABLE = ("warning_needs_response", "needs_response")

TEXTS = (
    "access_activity_log", "billing_address", "cancellation_policy_disclosure", "cancellation_rebuttal",
    "customer_email_address", "customer_name", "customer_purchase_ip", "duplicate_charge_explanation",
    "duplicate_charge_id", "product_description", "refund_policy_disclosure", "refund_refusal_explanation",
    "service_date", "shipping_address", "shipping_carrier", "shipping_date", "shipping_tracking_number",
    "uncategorized_text",
)  # fmt: skip
FILES = (
    "cancellation_policy", "customer_communication", "customer_signature", "duplicate_charge_documentation",
    "receipt", "refund_policy", "service_documentation", "shipping_documentation", "uncategorized_file",
)  # fmt: skip
#: All text of the evidence together.
MOST_TEXT = 150_000

#: What the text of the evidence brings about by itself, as the provider documents it.
MAGIC = {"winning_evidence": "won", "losing_evidence": "lost", "escalate_inquiry_evidence": "needs_response"}


@dataclass(frozen=True, slots=True)
class Opening:
    """How a test card's payment is disputed."""

    reason: str
    inquiry: bool = False


#: By the name in ``cards.Card.dispute``.
OPENINGS = {
    "fraudulent": Opening("fraudulent"),
    "product_not_received": Opening("product_not_received"),
    "inquiry": Opening("general", inquiry=True),
}


def follow(call: Call, charge: Object, name: str | None) -> None:
    """After a payment with a test card that is disputed: open that dispute."""
    if name is not None:
        opening = OPENINGS[name]
        start(call, charge, reason=opening.reason, inquiry=opening.inquiry)


def start(
    call: Call, charge: Object, *, reason: str, inquiry: bool = False, amount: int | None = None,
    fee: int = FEE, due_in: int = EVIDENCE_SECONDS,
) -> Object:  # fmt: skip
    """A buyer's bank disputes a captured charge, whole or in part."""
    if not charge["captured"]:
        raise invalid("Only a captured charge can be disputed.", param="charge")
    if reason not in REASONS:
        raise invalid(f"Invalid reason: must be one of {', '.join(REASONS)}", param="reason")
    amount = charge["amount_captured"] if amount is None else amount
    if not 1 <= amount <= charge["amount_captured"]:
        raise invalid("The amount is not one of this charge.", param="amount")
    card = charge["payment_method_details"]["card"]
    dispute: Object = {
        "id": call.new_id("dp"),
        "object": "dispute",
        "amount": amount,
        "balance_transactions": [],
        "charge": charge["id"],
        "created": call.now,
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {**dict.fromkeys((*TEXTS, *FILES)), "enhanced_evidence": {}},
        "evidence_details": {
            "due_by": call.now + due_in,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": inquiry,
        "livemode": False,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "payment_method_details": {
            "card": {
                "brand": card["brand"],
                "case_type": "inquiry" if inquiry else "chargeback",
                "network": card["network"],
                "network_reason_code": REASONS[reason],
            },
            "type": "card",
        },
        "reason": reason,
        "status": "warning_needs_response" if inquiry else "needs_response",
    }
    call.insert(dispute, {"fee": fee})
    if not inquiry:
        withdraw(call, dispute, fee=fee)
    _mark(call, charge["id"], disputed=True)
    call.emit("charge.dispute.created", dispute)
    if not inquiry:
        call.emit("charge.dispute.funds_withdrawn", dispute)
    return dispute


def withdraw(call: Call, dispute: Object, *, fee: int) -> None:
    """The bank takes the money; with it goes the provider's fee, if there is one."""
    _move(call, dispute, amount=-dispute["amount"], fee=fee, category="dispute", kind="dispute.withdrawn")


def reinstate(call: Call, dispute: Object) -> None:
    """The bank gives the money back; the fee stays where it is."""
    _move(
        call, dispute, amount=dispute["amount"], fee=0, category="dispute_reversal",
        kind="dispute.reinstated",
    )  # fmt: skip


def _move(call: Call, dispute: Object, *, amount: int, fee: int, category: str, kind: str) -> None:
    moved = charges.balance_transaction(
        call, amount=amount, fee=fee, currency=dispute["currency"], type_="adjustment", category=category,
        source=dispute["id"],
    )  # fmt: skip
    dispute["balance_transactions"].append(moved)
    call.save(dispute)
    charge, _ = call.load("charge", dispute["charge"])
    call.effect(kind, amount=amount - fee, currency=dispute["currency"], charge=charge, refund=dispute["id"])


def forbids_refund(call: Call, charge_id: str) -> bool:
    """Whether a dispute of the charge stands in the way of a refund: an inquiry does not."""
    rows = call.database.rows(
        "SELECT body FROM object WHERE account = ? AND type = 'dispute' AND type <> 'event' AND source = ?",
        (call.account, charge_id),
    )
    found = [json.loads(row["body"]) for row in rows]
    return any(not each["is_charge_refundable"] and each["status"] in (*OPEN, "lost") for each in found)


def is_withdrawn(dispute: Object) -> bool:
    """Whether the bank has the money now."""
    return len(dispute["balance_transactions"]) % 2 == 1


def decide(call: Call, dispute: Object, verdict: str) -> Object:
    """Somebody decides: ``won`` or ``lost``, again as often as it changes; the money follows."""
    if dispute["status"] == verdict:
        raise _wrong(f"This dispute is {verdict} already.")
    if dispute["status"] in (*INQUIRY, "warning_closed"):
        raise _wrong("An inquiry is escalated or closed; there is nothing to decide.")
    withdrawn = is_withdrawn(dispute)
    dispute["status"] = verdict
    if verdict == "won" and withdrawn:
        reinstate(call, dispute)
    elif verdict == "lost" and not withdrawn:
        withdraw(call, dispute, fee=0)
    _set_status(call, dispute, verdict)
    _mark(call, dispute["charge"], disputed=verdict == "lost")
    call.emit("charge.dispute.closed", dispute)
    if verdict == "won" and withdrawn:
        call.emit("charge.dispute.funds_reinstated", dispute)
    elif verdict == "lost" and not withdrawn:
        call.emit("charge.dispute.funds_withdrawn", dispute)
    return dispute


def escalate(call: Call, dispute: Object) -> Object:
    """An inquiry becomes a chargeback: now the bank takes the money."""
    if dispute["status"] not in INQUIRY:
        raise _wrong(f"This dispute is {dispute['status']}: only an inquiry escalates.")
    dispute["payment_method_details"]["card"]["case_type"] = "chargeback"
    dispute["is_charge_refundable"] = False
    dispute["evidence_details"]["due_by"] = call.now + EVIDENCE_SECONDS
    dispute["status"] = "needs_response"
    withdraw(call, dispute, fee=call.load("dispute", dispute["id"])[1].get("fee", FEE))
    call.emit("charge.dispute.updated", dispute)
    call.emit("charge.dispute.funds_withdrawn", dispute)
    return dispute


def close_inquiry(call: Call, dispute: Object) -> Object:
    """The bank lets an inquiry rest."""
    if dispute["status"] not in INQUIRY:
        raise _wrong(f"This dispute is {dispute['status']}: only an inquiry can rest.")
    _set_status(call, dispute, "warning_closed")
    _mark(call, dispute["charge"], disputed=False)
    call.emit("charge.dispute.closed", dispute)
    return dispute


def _set_status(call: Call, dispute: Object, status: str) -> None:
    dispute["status"] = status
    dispute["is_charge_refundable"] = False
    call.save(dispute)


def _mark(call: Call, charge_id: str, *, disputed: bool) -> None:
    charge, _ = call.load("charge", charge_id)
    charge["disputed"] = disputed
    call.save(charge)


def _wrong(message: str) -> ApiError:
    return ApiError(400, "invalid_request_error", message, saved=True)


def update(call: Call) -> Object:
    """``POST /v1/disputes/{id}``: evidence, kept as a draft or submitted to the bank, and metadata."""
    params = call.params
    dispute, _ = call.load("dispute", call.target, param="dispute")
    evidence = params.mapping("evidence")
    submit = params.boolean("submit")
    metadata = params.metadata(dispute["metadata"])
    params.close()
    if evidence is not None and dispute["status"] not in ANSWERABLE:
        raise _wrong(f"This dispute is {dispute['status']}: it takes no evidence any more.")
    dispute["metadata"] = metadata
    if evidence is not None:
        if dispute["evidence_details"]["due_by"] < call.now:
            raise _wrong("The time to answer this dispute is over.")
        _take(call, dispute, evidence)
    call.save(dispute)
    if evidence is not None and submit is not False:
        _submit(call, dispute)
    else:
        call.emit("charge.dispute.updated", dispute)
    return dispute


def _take(call: Call, dispute: Object, evidence: Object) -> None:
    for name, value in evidence.items():
        if name not in (*TEXTS, *FILES):
            raise invalid(
                f"Received unknown parameter: evidence[{name}]", param=f"evidence[{name}]",
                code="parameter_unknown",
            )  # fmt: skip
        if not isinstance(value, str):
            raise invalid("Invalid string", param=f"evidence[{name}]")
        if name in FILES and value:
            file, _ = call.load("file", value, param=f"evidence[{name}]")
            if file["purpose"] != "dispute_evidence":
                raise invalid(
                    "A file for evidence has the purpose dispute_evidence.", param=f"evidence[{name}]"
                )
        dispute["evidence"][name] = value or None
    if sum(len(dispute["evidence"][name] or "") for name in TEXTS) > MOST_TEXT:
        raise invalid(f"The evidence has more than {MOST_TEXT} characters.", param="evidence")
    dispute["evidence_details"]["has_evidence"] = True


def _submit(call: Call, dispute: Object) -> None:
    """The evidence goes to the bank; some texts stand for what it says to that."""
    dispute["evidence_details"]["submission_count"] += 1
    inquiry = dispute["status"] in INQUIRY
    dispute["status"] = "warning_under_review" if inquiry else "under_review"
    dispute["is_charge_refundable"] = inquiry
    call.save(dispute)
    call.emit("charge.dispute.updated", dispute)
    outcome = MAGIC.get((dispute["evidence"]["uncategorized_text"] or "").strip())
    if outcome == "needs_response" and inquiry:
        escalate(call, dispute)
    elif outcome in ("won", "lost") and not inquiry:
        decide(call, dispute, outcome)
    elif outcome == "won" and inquiry:
        close_inquiry(call, dispute)


def close(call: Call) -> Object:
    """``POST /v1/disputes/{id}/close``: the merchant has nothing to say and accepts the loss, for good."""
    call.params.close()
    dispute, _ = call.load("dispute", call.target, param="dispute")
    if dispute["status"] not in (*ANSWERABLE, *OPEN):
        raise _wrong(f"This dispute is {dispute['status']}: it is closed already.")
    if dispute["status"] in INQUIRY:
        raise _wrong("An inquiry cannot be closed by the merchant.")
    return decide(call, dispute, "lost")


def retrieve(call: Call) -> Object:
    """``GET /v1/disputes/{id}``."""
    call.params.close()
    dispute, _ = call.load("dispute", call.target, param="dispute")
    late = dispute["evidence_details"]["due_by"] < call.now
    dispute["evidence_details"]["past_due"] = late and dispute["status"] in ANSWERABLE
    return dispute


def list_all(call: Call) -> Object:
    """``GET /v1/disputes``, by charge, PaymentIntent or creation time when asked."""
    params = call.params
    return page(
        call, "dispute", {"source": params.text("charge"), "payment_intent": params.text("payment_intent")}
    )
