"""How a movement's event is called outside."""

from uuid import UUID

from core.ids import public_id

__all__ = ["reference_of"]

_KEYS = {"payout": "po", "refund": "re", "charge": "chg"}
# Called by a public id, or by the reference at the bank, in the books already.
_WORDS = ("release", "reserve_tranche", "payout_return")


def reference_of(*, source: str, source_ref: str) -> str | None:
    """Return what a store knows the event of an entry by; None where it knows nothing of it.

    A return of a payout is called by the reference that the payout had at the bank.
    """
    if source in _WORDS:
        return source_ref
    if source not in _KEYS:
        return None
    # What follows a colon tells entries of one event apart.
    try:
        key = UUID(source_ref.partition(":")[0])
    except ValueError:
        return None
    return public_id(_KEYS[source], key)
