"""The transition tables of what every module shares."""

from core.fsm import Machine

__all__ = ["APPROVAL", "CASE", "DEAD_LETTER"]

APPROVAL = Machine(
    "approval",
    "PENDING",
    {"PENDING": ("APPROVED", "REJECTED", "VOID", "EXPIRED"), "APPROVED": ("VOID", "EXPIRED")},
)
CASE = Machine("case", "OPEN", {"OPEN": ("ASSIGNED", "CLOSED"), "ASSIGNED": ("OPEN", "ASSIGNED", "CLOSED")})
DEAD_LETTER = Machine("dead_letter", "OPEN", {"OPEN": ("REPLAYED", "DROPPED")})
