"""What refunds look like in answers and events."""

from collections.abc import Mapping

from core.api.fields import STORE_ID
from core.api.schemas import (
    AMOUNT,
    CURRENCY,
    METADATA,
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
from payments.api.failure_shapes import FAILURE
from payments.api.refund_serializers import DESTINATIONS
from payments.states import REFUND

__all__ = ["REFUND_EVENTS", "REFUND_OBJECT"]

_WALLET_FIELDS = {
    "wallet": our_id("wal"),
    "kind": one_of(("cash", "bonus", "points")),
    "amount": AMOUNT,
    "currency": CURRENCY,
    "worth": AMOUNT,
}
_WALLET_BACK = closed(
    _WALLET_FIELDS,
    required=list(_WALLET_FIELDS),
    about="`amount` in the wallet's currency, PTS for points; `worth` in the refund's.",
)
REFUND_OBJECT = shape(
    "refund",
    "Money that goes back to a buyer.",
    {
        "object": constant("refund"),
        "id": our_id("re"),
        "payment_order_id": nullable(example_of(STORE_ID, "o-1")),
        "amount": AMOUNT,
        "currency": CURRENCY,
        "destination": one_of(
            (*DESTINATIONS, "balance"),
            "What the buyer paid with, the buyer's wallet, or the wallets of the balance that paid.",
        ),
        "wallets": list_of(_WALLET_BACK, "Of what a balance paid: what each wallet gets back."),
        "status": one_of(
            REFUND.states, "SUCCESS may become FAILED days later: the buyer's bank sent it back."
        ),
        "failure": nullable(FAILURE),
        "reason": nullable(text("Of whoever asked for it.", example="one shirt came back")),
        "metadata": METADATA,
        "created_at": TIME,
    },
)
_TOLD = {
    "created": "A refund was accepted, or was made at the provider without us; the seller's part is taken.",
    "succeeded": "The money is on its way to the buyer, or in the buyer's wallet.",
    "failed": "The buyer does not get it, at once or days after it succeeded; it can be refunded again.",
    "canceled": "It was not sent: the person who had to say yes said no.",
}
REFUND_EVENTS: Mapping[str, EventType] = {
    f"refund.{what}": EventType(about, REFUND_OBJECT) for what, about in _TOLD.items()
}
