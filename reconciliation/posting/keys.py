"""Under which keys clearing accounts hold what files report."""

from hashlib import sha256
from uuid import UUID

__all__ = ["batch_key", "carried_key", "line_key", "reserve_key"]

# Clearing keys have at most 64 characters; batches of two accounts at one provider may have one number.
_ROOM = 64 - 13


def batch_key(*, source_id: UUID, batch: str) -> str:
    """Return the key of a batch in psp_settlement_in_transit."""
    return f"{source_id.hex[-12:]}:{_short(batch)}"


def reserve_key(*, source_id: UUID, reference: str) -> str:
    """Return the key of a reserve that a provider keeps; one without a reference is the source's only one."""
    return f"{source_id.hex[-12:]}:{_short(reference or 'reserve')}"


def carried_key(*, source_id: UUID) -> str:
    """Return the key in psp_clearing of what one batch carries over to the next: zero once both are in."""
    return f"{source_id.hex[-12:]}:carried"


def line_key(*, line_id: int) -> str:
    """Return the key in psp_clearing, or in suspense, of a line that belongs to nothing we know."""
    return f"line:{line_id}"


def _short(text: str) -> str:
    return text if len(text) <= _ROOM else sha256(text.encode()).hexdigest()[:_ROOM]
