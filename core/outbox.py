"""The outbox: facts wait in it until the relay gives each its place in the feed."""

from collections.abc import Sequence
from uuid import UUID

from django.db import connection

from core.transactions import requires_transaction

__all__ = ["stamp_published"]

# One expression for all rows: as many conditions as rows, which the ORM sends, take many times as long.
_STAMP = """
    UPDATE core_outboxevent SET published_seq = stamp.number
    FROM unnest(%s::uuid[], %s::bigint[]) AS stamp (id, number) WHERE core_outboxevent.id = stamp.id
"""


@requires_transaction
def stamp_published(*, event_ids: Sequence[UUID], numbers: Sequence[int]) -> None:
    """Give events their places in the feed, one number each, in the same order. Only the relay does this."""
    with connection.cursor() as cursor:
        cursor.execute(_STAMP, [list(event_ids), list(numbers)])
        if cursor.rowcount != len(event_ids):
            raise RuntimeError("an event of the outbox is gone")
