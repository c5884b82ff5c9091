"""How endpoints do: what waits for them, and how many of their last tries failed."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection

__all__ = ["MOST_COUNTED", "Health", "health_of"]

# Whoever has more than this waiting has a backlog; counting all of it would cost and say no more.
MOST_COUNTED = 1000

# By time and not by key: ordered by key, the planner may walk the deliveries of all endpoints backwards.
_HEALTH = """
SELECT e.id,
    (SELECT count(*) FROM (
        SELECT 1 FROM events_webhookdelivery d
        WHERE d.endpoint_id = e.id AND d.due_at IS NOT NULL LIMIT %(most)s) b),
    (SELECT min(d.created_at) FROM (
        SELECT created_at FROM events_webhookdelivery d
        WHERE d.endpoint_id = e.id AND d.due_at IS NOT NULL ORDER BY d.due_at LIMIT 100) d),
    recent.tries, recent.failed
FROM unnest(%(ids)s::uuid[]) AS e (id)
CROSS JOIN LATERAL (
    SELECT count(*) AS tries,
        count(*) FILTER (WHERE a.http_status IS NULL OR a.http_status NOT BETWEEN 200 AND 299) AS failed
    FROM (SELECT d.id FROM events_webhookdelivery d
          WHERE d.endpoint_id = e.id ORDER BY d.created_at DESC, d.id DESC LIMIT 100) newest
    JOIN events_deliveryattempt a ON a.delivery_id = newest.id
) recent
"""


@dataclass(frozen=True)
class Health:
    """`backlog` counts to 1,001 and no further; `tries` and `failed` are of the newest 100 deliveries."""

    backlog: int
    waiting_since: datetime | None
    tries: int
    failed: int

    @property
    def shown_backlog(self) -> str:
        """The backlog as people read it."""
        return f"{MOST_COUNTED:,}+" if self.backlog > MOST_COUNTED else f"{self.backlog:,}"

    @property
    def failed_percent(self) -> int | None:
        """How many of a hundred tries failed, None where nothing was tried; never 0 when one failed."""
        if not self.tries:
            return None
        return max(round(100 * self.failed / self.tries), 1 if self.failed else 0)


def health_of(*, endpoint_ids: Collection[UUID]) -> Mapping[UUID, Health]:
    """Return how each of these endpoints does, in one query whose cost is bounded for each."""
    with connection.cursor() as cursor:
        cursor.execute(_HEALTH, {"ids": list(endpoint_ids), "most": MOST_COUNTED + 1})
        return {row[0]: Health(*row[1:]) for row in cursor.fetchall()}
