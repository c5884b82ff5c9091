"""How each state of pay-out looks: see core.admin_display.state."""

__all__ = ["BATCH_LOOKS", "DESTINATION_LOOKS", "PAYOUT_LOOKS", "SENDING_LOOKS"]

PAYOUT_LOOKS = {
    "REQUESTED": "progress",
    "IN_REVIEW": "waiting",
    "APPROVED": "progress",
    "BLOCKED": "waiting",
    "EXECUTING": "progress",
    "UNKNOWN": "waiting",
    "SENT": "progress",
    "PAID": "done",
    "RETURNED": "failed",
    "FAILED": "failed",
    "REJECTED": "over",
    "CANCELED": "over",
}
SENDING_LOOKS = {
    "CREATED": "neutral",
    "SENT": "progress",
    "ACCEPTED": "progress",
    "UNKNOWN": "waiting",
    "NOT_SENT": "progress",
    "PAID": "done",
    "RETURNED": "failed",
    "REFUSED": "failed",
    "CANCELED": "over",
}
BATCH_LOOKS = {
    "CREATED": "neutral",
    "SUBMITTING": "progress",
    "SUBMITTED": "progress",
    "UNKNOWN": "waiting",
    "NOT_SENT": "progress",
    "REFUSED": "failed",
    "CLOSED": "done",
    "CANCELED": "over",
}
DESTINATION_LOOKS = {
    "UNVERIFIED": "waiting",
    "VERIFIED": "done",
    "REJECTED": "failed",
    "REMOVED": "over",
}
