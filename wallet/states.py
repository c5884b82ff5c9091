"""The transition table of holds."""

from core.fsm import Machine

__all__ = ["HOLD", "OPEN", "RELEASED", "SETTLED"]

OPEN, SETTLED, RELEASED = "OPEN", "SETTLED", "RELEASED"

# A tombstone of a cancel that came before its try is inserted OPEN with amount 0 and moved to RELEASED.
HOLD = Machine("hold", OPEN, {OPEN: (SETTLED, RELEASED, "EXPIRED")})
