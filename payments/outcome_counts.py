"""How payments ended, hour by hour: read along the primary key, never over the whole table."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from uuid import UUID

from django.db import connection

from core.ids import first_key

__all__ = ["ENDS", "outcomes_by_hour"]

# What a charge's state means to whoever watches the rate of acceptance; every other state is still open.
ENDS = {
    "CAPTURED": "accepted",
    "AUTHORIZED": "accepted",
    "DECLINED": "declined",
    "CANCELED": "given_up",
    "EXPIRED": "given_up",
    "UNKNOWN": "unknown",
    "CONFLICTED": "unknown",
}
# Keys begin with the time (UUIDv7): the charges of some hours are a piece of the primary key.
_BY_HOUR = """
    SELECT date_trunc('hour', created_at, 'UTC'), status, count(*) FROM payments_charge
    WHERE id >= %s AND id < %s AND merchant_id = ANY(%s) GROUP BY 1, 2
"""


def outcomes_by_hour(
    *, merchants: Collection[UUID], first: datetime, until: datetime
) -> Mapping[datetime, dict[str, int]]:
    """Return how many payments of these merchants began in each hour, by how they ended.

    The ends are accepted, declined, given_up, unknown and open; hours and ends without a payment are absent.
    """
    with connection.cursor() as cursor:
        cursor.execute(_BY_HOUR, [first_key(first), first_key(until), list(merchants)])
        rows = cursor.fetchall()
    found: dict[datetime, dict[str, int]] = {}
    for hour, status, number in rows:
        ends = found.setdefault(hour.astimezone(UTC), {})
        end = ENDS.get(status, "open")
        ends[end] = ends.get(end, 0) + number
    return found
