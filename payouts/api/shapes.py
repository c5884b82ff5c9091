"""What payouts look like in answers and events."""

from collections.abc import Mapping
from typing import Any

from core.api.fields import STORE_ID
from core.api.schemas import (
    AMOUNT,
    CURRENCY,
    METADATA,
    NOTHING,
    TIME,
    Component,
    EventType,
    FailureCode,
    constant,
    example_of,
    list_of,
    nullable,
    one_of,
    our_id,
    shape,
    text,
)
from payouts.api.destination_shapes import DESTINATION_EVENTS
from payouts.api.failure_codes import PROVIDER_FAILURES
from payouts.states import PAYOUT

__all__ = ["EVENTS", "FAILURES", "PAYOUT_DETAIL", "PAYOUT_OBJECT"]

_FAILURE = shape(
    "payout_failure",
    "Why a payout did not arrive.",
    {
        "code": text(
            "One of ours, the same for every provider; errors.md lists them.", example="payout_refused"
        ),
        "message": text("Fit for the seller's eyes.", example="The bank refused the payout."),
        "provider_code": nullable(
            text("The bank's own word, of ISO 20022 where it has one.", example="AC04")
        ),
    },
)
_FIELDS: Mapping[str, Any] = {
    "object": constant("payout"),
    "id": our_id("po"),
    "seller_account": example_of(STORE_ID, "ann"),
    "amount": AMOUNT,
    "fee": NOTHING,
    "currency": CURRENCY,
    "status": one_of(
        PAYOUT.states,
        "PAID only with evidence that the money left; it may still become RETURNED, days later.",
    ),
    "destination": our_id("dst", "Where to."),
    "failure": nullable(_FAILURE),
    "provider_reference": nullable(text("The bank's or the provider's own name for it.", example="tr_1")),
    "metadata": METADATA,
    "created_at": TIME,
    "arrival_date": nullable(
        text("When the money should be there, if the provider says.", format="date", example="2026-02-02")
    ),
}
PAYOUT_OBJECT = shape("payout", "Money that leaves for a seller.", _FIELDS)
_STEP = shape(
    "payout_step",
    "One thing that happened to a payout.",
    {
        "at": TIME,
        "what": text("`payout`.", example="payout"),
        "from": nullable(text("The state before; null where it begins.")),
        "to": text("The state after.", example="SENT"),
        "reason": text("Why.", example="the provider has it"),
        "actor": text("Who: a key, a person, `system`, or the provider.", example="system"),
    },
)
PAYOUT_DETAIL = shape(
    "payout_detail",
    "A payout with everything that happened to it.",
    {**_FIELDS, "timeline": list_of(_STEP, "Oldest first.")},
)
_MOVED = shape(
    "remittance_line",
    "What became available or was taken, by kind of entry in the books.",
    {
        "what": text("The kind of entry.", example="funds_released"),
        "count": {"type": "integer", "minimum": 1},
        "amount": AMOUNT,
    },
)
_REMITTANCE = shape(
    "remittance",
    "What a payout covers: opening plus lines is amount, fee and what was left.",
    {
        "reference": text("What the seller finds on the bank's statement.", example="po01kb8y6q3zf4vt9c2m"),
        "from": nullable(TIME),
        "until": TIME,
        "opening": AMOUNT,
        "lines": list_of(_MOVED),
        "amount": AMOUNT,
        "fee": AMOUNT,
        "left": AMOUNT,
        "currency": CURRENCY,
        "orders": list_of(text("pay_…"), "The orders released in this time; at most a hundred are named."),
    },
)
_PAID: Component = shape(
    "payout_paid", "A payout that was paid, with its remittance.", {**_FIELDS, "remittance": _REMITTANCE}
)
_TOLD = {
    "requested": "A payout was asked for, by the store, a person or a schedule; the money is set aside.",
    "in_review": "It waits for the yes of a second person.",
    "approved": "It may leave: by the policy, by a second person, or because what stopped it is gone.",
    "blocked": "It was stopped when it should have been sent. It is looked at again by itself.",
    "rejected": "The second person, or risk, said no: nothing was sent, and the money is available again.",
    "canceled": "It was taken back before it was sent: the money is available again.",
    "sent": "The bank or the provider has taken it on.",
    "returned": "The money came back and is the seller's again, less the fee for it.",
    "failed": "The bank or the provider refused it: no money left, and it is available again.",
}
EVENTS: Mapping[str, EventType] = {
    **DESTINATION_EVENTS,
    **{f"payout.{what}": EventType(about, PAYOUT_OBJECT) for what, about in _TOLD.items()},
    "payout.paid": EventType("There is evidence that the money left. It may still come back.", _PAID),
}
FAILURES: Mapping[str, FailureCode] = {
    "payout_declined": FailureCode("Of a payout: risk rules said no; nothing was sent.", False, True),
    "payout_rejected": FailureCode("Of a payout: the second person said no; nothing was sent.", False),
    "payout_refused": FailureCode("Of a payout: the bank or the provider refused it; no money left.", True),
    "payout_returned": FailureCode("Of a payout: the money came back, days after it left.", False),
    "payout_never_received": FailureCode(
        "Of a payout: nobody knew whether it had left, and two people found that the bank never had it.", True
    ),
    "payout_stopped": FailureCode(
        "Of a payout: it never arrived at the provider, and something stops it from being sent again.", True
    ),
    **PROVIDER_FAILURES,
}
