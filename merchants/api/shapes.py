"""What sellers look like in answers and events."""

from core.api.fields import STORE_ID
from core.api.schemas import (
    AMOUNT,
    COUNTRY,
    CURRENCY,
    TIME,
    Component,
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
    "Who sells, with the terms in effect.",
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
EVENTS = dict.fromkeys(
    (
        "seller.created",
        "seller.updated",
        "seller.kyc_submitted",
        "seller.verified",
        "seller.rejected",
        "seller.suspended",
        "seller.reinstated",
    ),
    SELLER,
)
