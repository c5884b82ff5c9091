"""Buckets in PostgreSQL, for what must be counted by all processes together even while Redis is away."""

from collections.abc import Sequence

from django.db import connection

from core.limits.buckets import Bucket, Standing, Taken
from core.transactions import at_edge, requires_transaction

__all__ = ["charge", "prune", "take"]

# Of the database's clock, as leases are: the processes' own may differ. One moment for the whole statement.
_NOW = "(extract(epoch FROM statement_timestamp()) * 1000000)::bigint"
_CHARGE = f"""
    INSERT INTO core_attemptbucket AS b (name, full_at) VALUES (%(name)s, {_NOW} + %(interval)s)
    ON CONFLICT (name) DO UPDATE SET full_at = GREATEST(b.full_at, {_NOW}) + %(interval)s
    WHERE GREATEST(b.full_at, {_NOW}) + %(interval)s - {_NOW} <= %(window)s
    RETURNING full_at - {_NOW}
"""  # noqa: S608 - nothing of it comes from outside
_LOOK = f"SELECT full_at - {_NOW} FROM core_attemptbucket WHERE name = %(name)s"  # noqa: S608
_PRUNE = f"""
    DELETE FROM core_attemptbucket WHERE name IN
    (SELECT name FROM core_attemptbucket WHERE full_at < {_NOW} LIMIT %s)
"""  # noqa: S608


class _Refused(Exception):
    def __init__(self, standing: Standing) -> None:
        self.standing = standing


def take(buckets: Sequence[Bucket]) -> Taken:
    """Charge one call to every bucket, or to none if one is used up. Opens a transaction of its own."""
    try:
        return Taken(True, _charge(buckets))
    except _Refused as refused:
        return Taken(False, (refused.standing,))


@requires_transaction
def charge(bucket: Bucket) -> Taken:
    """Charge one call in the caller's transaction: it is counted if that commits, and exactly once then.

    Until then others who charge the same bucket wait, so take nothing after it that they might hold.
    """
    try:
        return Taken(True, (_charge_one(bucket),))
    except _Refused as refused:
        return Taken(False, (refused.standing,))


@requires_transaction
def prune(*, limit: int) -> int:
    """Delete up to `limit` buckets that are full again, which is what a new one is; return how many went."""
    with connection.cursor() as cursor:
        cursor.execute(_PRUNE, [limit])
        return int(cursor.rowcount)


@at_edge
def _charge(buckets: Sequence[Bucket]) -> tuple[Standing, ...]:
    # In one order, so that two calls do not wait for each other.
    return tuple(_charge_one(bucket) for bucket in sorted(buckets))


def _charge_one(bucket: Bucket) -> Standing:
    limit = bucket.limit
    values: dict[str, str | int] = {"name": bucket.name, "interval": limit.interval, "window": limit.window}
    with connection.cursor() as cursor:
        cursor.execute(_CHARGE, values)
        row = cursor.fetchone()
        if row is not None:
            return Standing(bucket, row[0])
        cursor.execute(_LOOK, values)
        found = cursor.fetchone()
        raise _Refused(Standing(bucket, found[0] if found else limit.window))
