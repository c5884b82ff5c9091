"""What disputes look like in answers and events."""

from collections.abc import Mapping

from core.api.fields import STORE_ID
from core.api.schemas import (
    AMOUNT,
    CURRENCY,
    NOTHING,
    TIME,
    EventType,
    closed,
    constant,
    example_of,
    list_of,
    nullable,
    one_of,
    our_id,
    shape,
    text,
)
from payments.states import DISPUTE

__all__ = ["DISPUTE_EVENTS", "DISPUTE_OBJECT", "DISPUTE_PATH"]

_PART = closed(
    {"payment_order_id": example_of(STORE_ID, "o-1"), "amount": NOTHING},
    required=["payment_order_id", "amount"],
)
DISPUTE_OBJECT = shape(
    "dispute",
    "A buyer's bank asks about a payment, or takes it back.",
    {
        "object": constant("dispute"),
        "id": our_id("dp"),
        "status": one_of(
            DISPUTE.states, "An INQUIRY took no money. WON may become LOST on arbitration, and the other way."
        ),
        "reason": nullable(text("The bank's, in the provider's words.", example="fraudulent")),
        "network_reason_code": nullable(text("The card scheme's own code.", example="10.4")),
        "amount": AMOUNT,
        "fee": NOTHING,
        "currency": CURRENCY,
        "payment_orders": list_of(_PART, "Of which orders how much: none where the payment covers none."),
        "evidence_due_at": nullable(TIME),
        "evidence_sent_at": nullable(TIME),
        "psp_reference": text("The provider's id of the dispute.", example="dp_1Pgc71"),
        "opened_at": TIME,
        "created_at": TIME,
    },
)
DISPUTE_PATH = {"reference": our_id("dp", "The dispute's id.")}
_TOLD = {
    "inquiry_opened": "The buyer's bank asks about a payment. No money moved; an answer may prevent that.",
    "inquiry_closed": "The bank lets an inquiry rest.",
    "opened": "The bank takes the money back. It is held of the sellers until the dispute is decided.",
    "evidence_sent": "The bank has the answer.",
    "accepted": "The loss is accepted: nothing is answered.",
    "won": "The money came, or comes, back. It may be lost again on arbitration.",
    "lost": "The buyer keeps the money. It may be won after all on arbitration.",
}
DISPUTE_EVENTS: Mapping[str, EventType] = {
    f"dispute.{what}": EventType(about, DISPUTE_OBJECT) for what, about in _TOLD.items()
}
