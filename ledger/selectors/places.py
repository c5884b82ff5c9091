"""What the books knew when: a place of the fence, which answers the same for ever.

The time that stands on an entry is taken before its commit, so "recorded until noon" would still change
after noon. A place of the fence is an entry id below which nothing can appear any more.
"""

from datetime import datetime

from django.db import connection

from ledger.errors import PlaceUnknown

__all__ = ["checked_place", "current_place", "place_at"]

_PLACE_AT = """
    SELECT (SELECT max(entry_id) FROM ledger_fencemark WHERE marked_at <= %(at)s),
        seen_at IS NULL OR seen_at < %(at)s
    FROM ledger_fence
"""


def current_place() -> int:
    """Return the place of the fence now; entries above it may still be joined by smaller ones."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT safe_entry FROM ledger_fence")
        return int(cursor.fetchone()[0])


def place_at(*, at: datetime) -> int:
    """Return the place where the fence stood at a time: what the books surely knew then.

    It follows the commits by seconds. Raises PlaceUnknown for a time that the fence has not passed yet, or
    one before its first mark.
    """
    with connection.cursor() as cursor:
        cursor.execute(_PLACE_AT, {"at": at})
        place, is_early = cursor.fetchone()
    if is_early or place is None:
        raise PlaceUnknown(param="at")
    return int(place)


def checked_place(*, recorded_until: int) -> int:
    """Return the place given. Raises PlaceUnknown above the fence, where it might still change."""
    if not 0 <= recorded_until <= current_place():
        raise PlaceUnknown(param="recorded_until")
    return recorded_until
