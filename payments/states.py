"""The transition tables of pay-in."""

from core.fsm import Machine

__all__ = [
    "CHARGE",
    "CHARGE_DEAD",
    "DISPUTE",
    "DISPUTE_OPEN",
    "DISPUTE_RESERVING",
    "OPERATION_OPEN",
    "ORDER_FINAL",
    "PAYMENT_ORDER",
    "PSP_OPERATION",
    "REFUND",
    "REFUND_DEAD",
    "TOP_UP",
    "TOP_UP_OPEN",
]

_ORDER_ENDS = ("AUTHORIZED", "SUCCESS", "FAILED", "CANCELED", "EXPIRED")

PAYMENT_ORDER = Machine(
    "payment_order",
    "NOT_STARTED",
    {
        "NOT_STARTED": ("IN_REVIEW", "EXECUTING", "FAILED", "CANCELED", "EXPIRED"),
        "IN_REVIEW": ("NOT_STARTED", "FAILED", "CANCELED", "EXPIRED"),
        "EXECUTING": ("REQUIRES_ACTION", *_ORDER_ENDS),
        "REQUIRES_ACTION": ("EXECUTING", *_ORDER_ENDS),
        "AUTHORIZED": ("SUCCESS", "FAILED", "CANCELED", "EXPIRED"),
        "FAILED": ("NOT_STARTED", "SUCCESS"),
        "CANCELED": ("SUCCESS",),
        "EXPIRED": ("SUCCESS",),
    },
)
# Nothing more is expected of the buyer or of the provider before the store may stop waiting.
ORDER_FINAL = ("AUTHORIZED", "SUCCESS", "FAILED", "CANCELED", "EXPIRED")

# As an order, without what a top-up never is: held for review, reserved, or tried again.
_TOP_UP_ENDS = ("SUCCESS", "FAILED", "CANCELED", "EXPIRED")
TOP_UP = Machine(
    "top_up",
    "NOT_STARTED",
    {
        "NOT_STARTED": ("EXECUTING", "FAILED", "CANCELED", "EXPIRED"),
        "EXECUTING": ("REQUIRES_ACTION", *_TOP_UP_ENDS),
        "REQUIRES_ACTION": ("EXECUTING", *_TOP_UP_ENDS),
        "FAILED": ("SUCCESS",),
        "CANCELED": ("SUCCESS",),
        "EXPIRED": ("SUCCESS",),
    },
)
TOP_UP_OPEN = ("NOT_STARTED", "EXECUTING", "REQUIRES_ACTION")

_CHARGE_OPEN = ("REQUIRES_ACTION", "PENDING", "UNKNOWN")
_CHARGE_ANSWERS = ("AUTHORIZED", "CAPTURED", "DECLINED", "CANCELED", "EXPIRED", "CONFLICTED")


def _answers(state: str) -> tuple[str, ...]:
    return tuple(other for other in _CHARGE_OPEN if other != state) + _CHARGE_ANSWERS


CHARGE = Machine(
    "charge",
    "CREATED",
    {
        "CREATED": ("REGISTERED", "SUBMITTED", "CANCELED"),
        "REGISTERED": ("SUBMITTED", *_answers("REGISTERED")),
        # Back only when it is proved that nothing was sent.
        "SUBMITTED": ("CREATED", "REGISTERED", *_answers("SUBMITTED")),
        "REQUIRES_ACTION": _answers("REQUIRES_ACTION"),
        "PENDING": _answers("PENDING"),
        "UNKNOWN": _answers("UNKNOWN"),
        "AUTHORIZED": ("CAPTURED", "CANCELED", "EXPIRED", "CONFLICTED"),
        "DECLINED": ("AUTHORIZED", "CAPTURED"),
        "CANCELED": ("AUTHORIZED", "CAPTURED"),
        "EXPIRED": ("AUTHORIZED", "CAPTURED"),
        "CONFLICTED": ("CAPTURED", "DECLINED", "CANCELED"),
    },
)
# A charge in one of these covers nothing: its lines are not live.
CHARGE_DEAD = ("DECLINED", "CANCELED", "EXPIRED")

PSP_OPERATION = Machine(
    "psp_operation",
    "CREATED",
    {
        "CREATED": ("SENT", "CANCELED"),
        "SENT": ("SUCCEEDED", "DECLINED", "NOT_SENT", "PENDING", "UNKNOWN", "CONFLICTED"),
        "NOT_SENT": ("SENT", "CANCELED"),
        "PENDING": ("UNKNOWN", "SUCCEEDED", "DECLINED", "CANCELED", "CONFLICTED"),
        "UNKNOWN": ("PENDING", "SUCCEEDED", "DECLINED", "CANCELED", "CONFLICTED"),
        "CONFLICTED": ("SUCCEEDED", "DECLINED"),
    },
)
# Something is still to be sent or to be learned.
OPERATION_OPEN = ("CREATED", "SENT", "NOT_SENT", "PENDING", "UNKNOWN")

REFUND = Machine(
    "refund",
    "REQUESTED",
    {
        "REQUESTED": ("IN_REVIEW", "EXECUTING", "CANCELED"),
        "IN_REVIEW": ("REQUESTED", "CANCELED"),
        # Back only when it is proved that nothing was sent.
        "EXECUTING": ("REQUESTED", "PENDING", "UNKNOWN", "SUCCESS", "FAILED"),
        "PENDING": ("UNKNOWN", "SUCCESS", "FAILED"),
        "UNKNOWN": ("PENDING", "SUCCESS", "FAILED"),
        # Days later, when the buyer's bank sends it back.
        "SUCCESS": ("FAILED",),
    },
)
# A refund in one of these gives nothing back, and reserves nothing.
REFUND_DEAD = ("FAILED", "CANCELED")

DISPUTE = Machine(
    "dispute",
    "INQUIRY",
    {
        "INQUIRY": ("OPEN", "CLOSED"),
        "OPEN": ("EVIDENCE_SENT", "ACCEPTED", "WON", "LOST"),
        "EVIDENCE_SENT": ("WON", "LOST"),
        "ACCEPTED": ("LOST",),
        # Arbitration: a verdict can change again and again.
        "WON": ("LOST",),
        "LOST": ("WON",),
    },
)
# Somebody is still to decide.
DISPUTE_OPEN = ("INQUIRY", "OPEN", "EVIDENCE_SENT", "ACCEPTED")
# What is disputed cannot be refunded as well: it may be gone, or is gone.
DISPUTE_RESERVING = ("OPEN", "EVIDENCE_SENT", "ACCEPTED", "LOST")
