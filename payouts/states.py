"""The transition tables of pay-out."""

from core.fsm import Machine

__all__ = [
    "ATTEMPT",
    "ATTEMPT_DEAD",
    "BATCH",
    "BATCH_OPEN",
    "DESTINATION",
    "PAYOUT",
    "PAYOUT_CANCELABLE",
    "PAYOUT_FINAL",
    "PAYOUT_HOLDING",
]

DESTINATION = Machine(
    "destination",
    "UNVERIFIED",
    {
        "UNVERIFIED": ("VERIFIED", "REJECTED", "REMOVED"),
        "VERIFIED": ("REJECTED", "REMOVED"),
        "REJECTED": ("REMOVED",),
    },
)

PAYOUT = Machine(
    "payout",
    "REQUESTED",
    {
        "REQUESTED": ("IN_REVIEW", "APPROVED", "REJECTED", "CANCELED"),
        "IN_REVIEW": ("APPROVED", "REJECTED", "CANCELED"),
        "APPROVED": ("EXECUTING", "BLOCKED", "CANCELED", "IN_REVIEW"),
        "BLOCKED": ("APPROVED", "CANCELED"),
        # Back only when it is proved that nothing was sent.
        "EXECUTING": ("APPROVED", "SENT", "UNKNOWN", "FAILED"),
        "UNKNOWN": ("SENT", "PAID", "FAILED"),
        "SENT": ("PAID", "RETURNED", "FAILED"),
        "PAID": ("RETURNED",),
    },
)
# Nothing has been sent, so that saying no to it is safe.
PAYOUT_CANCELABLE = ("REQUESTED", "IN_REVIEW", "APPROVED", "BLOCKED")
# Until one of these the seller's money is held; from then on it has left, or is back.
PAYOUT_HOLDING = ("REQUESTED", "IN_REVIEW", "APPROVED", "BLOCKED", "EXECUTING", "UNKNOWN")
# What is paid may still come back; nothing else is expected of any of these.
PAYOUT_FINAL = ("REJECTED", "CANCELED", "FAILED", "PAID", "RETURNED")

ATTEMPT = Machine(
    "payout_attempt",
    "CREATED",
    {
        "CREATED": ("SENT", "CANCELED"),
        "SENT": ("ACCEPTED", "REFUSED", "NOT_SENT", "UNKNOWN"),
        "NOT_SENT": ("SENT", "CANCELED"),
        "UNKNOWN": ("ACCEPTED", "PAID", "REFUSED"),
        "ACCEPTED": ("PAID", "RETURNED", "REFUSED"),
        "PAID": ("RETURNED",),
    },
)
# An attempt in one of these pays nobody, so that the payout may have another one.
ATTEMPT_DEAD = ("REFUSED", "CANCELED", "RETURNED")

BATCH = Machine(
    "payout_batch",
    "CREATED",
    {
        "CREATED": ("SUBMITTING", "CANCELED"),
        "SUBMITTING": ("SUBMITTED", "NOT_SENT", "UNKNOWN", "REFUSED"),
        "NOT_SENT": ("SUBMITTING", "CANCELED"),
        "UNKNOWN": ("SUBMITTED", "REFUSED"),
        "SUBMITTED": ("CLOSED", "REFUSED"),
        "REFUSED": ("CLOSED",),
    },
)
# Something is still to be sent or to be learned.
BATCH_OPEN = ("CREATED", "SUBMITTING", "NOT_SENT", "UNKNOWN", "SUBMITTED")
