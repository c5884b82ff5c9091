"""What sellers look like in answers and events."""

from core.api.fields import STORE_ID
from core.api.schemas import (
    AMOUNT,
    COUNTRY,
    CURRENCY,
    TIME,
    Component,
    EventType,
    closed,
    constant,
    example_of,
    integer,
    one_of,
    our_id,
    shape,
    text,
)
from merchants.states import SELLER_KYC

__all__ = ["EVENTS", "SELLER", "SELLER_PATH"]

_WEEKDAY = integer("1 is Monday.", minimum=1, maximum=7)
_DAY = integer("Of the month.", minimum=1, maximum=28)
_INTERVALS = (
    {"interval": one_of(("manual", "daily"))},
    {"interval": constant("weekly"), "weekday": _WEEKDAY},
    {"interval": constant("monthly"), "day": _DAY},
    {"interval": constant("threshold"), "amount": AMOUNT, "currency": CURRENCY},
)
_SCHEDULE = Component(
    "payout_schedule",
    {
        "description": "When the seller is paid out without asking.",
        "oneOf": [closed(fields, required=list(fields)) for fields in _INTERVALS],
    },
)

SELLER = shape(
    "seller",
    "Who sells, with the terms in effect; of these, `commission_fixed`, `tax_bps` and `rolling_reserve` are"
    " not shown.",
    {
        "object": constant("seller"),
        "id": our_id("sel"),
        "seller_account": example_of(STORE_ID, "ann"),
        "name": text(example="Ada's Books"),
        "country": COUNTRY,
        "kyc_status": one_of(SELLER_KYC.states, "Gates payouts, not payments."),
        "commission_bps": integer("Basis points of each order.", minimum=0, maximum=10_000),
        "settlement_delay_days": integer(minimum=0, maximum=365),
        "payout_schedule": _SCHEDULE,
        "created_at": TIME,
    },
)
SELLER_PATH = {"reference": text("The seller_account, or our sel_… id.", example="ann")}
_TOLD = {
    "created": "The seller was opened, and may be paid for at once.",
    "updated": "Something of the seller or of its terms changed; the terms hold for orders from now on.",
    "kyc_submitted": "The seller's identity is with us to be verified.",
    "verified": "The seller's identity is verified: payouts may leave.",
    "rejected": "The seller's identity was not accepted; it may be submitted again.",
    "suspended": "Payouts of the seller are stopped until it is reinstated.",
    "reinstated": "A seller that was suspended is verified again.",
}
EVENTS = {f"seller.{what}": EventType(about, SELLER) for what, about in _TOLD.items()}
