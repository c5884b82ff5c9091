"""The relay gives every fact its place in the feed and makes the deliveries of it, in one commit."""

import time
from collections import defaultdict
from collections.abc import Iterable
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, Subquery

from core import clock
from core.drain import Drain
from core.failpoints import failpoint
from core.models import OutboxEvent
from core.nudges import nudge
from core.outbox import stamp_published
from core.rows import insert_rows
from core.transactions import at_edge
from events import locks
from events.models import WebhookDelivery, WebhookEndpoint

__all__ = ["Relay", "publish_batch"]

BATCH = 200
_ELSEWHERE_TRIES = 5
_ELSEWHERE_PAUSE_SECONDS = 0.02


class Relay(Drain):
    """One at a time in the whole installation; the outbox itself is its queue."""

    name = "relay"

    def due_sql(self) -> str:
        """Return the moments that the metrics show the age of."""
        return (
            "SELECT recorded_at FROM core_outboxevent WHERE published_seq IS NULL AND recorded_at <= %(now)s"
            " ORDER BY recorded_at"
        )

    def run(self, *, seconds: float = 20.0) -> int:
        """Publish until nothing is left or the time is over; return how many events were published."""
        deadline = time.monotonic() + seconds
        published = tries = 0
        while time.monotonic() < deadline:
            count = publish_batch()
            if count:
                published += count
            elif count == 0:
                break
            else:
                # The other relay may have looked just before the event that we were started for.
                tries += 1
                if tries > _ELSEWHERE_TRIES:
                    break
                time.sleep(_ELSEWHERE_PAUSE_SECONDS)
        return published


@at_edge
def publish_batch() -> int | None:
    """Publish up to 200 events with their deliveries; return how many, or None if another relay is at it."""
    if not locks.try_relay():
        return None
    events = _next_events()
    if not events:
        return 0
    failpoint("relay.before")
    stamp_published(event_ids=[event.pk for event in events], numbers=_numbers(len(events)))
    failpoint("relay.stamped")
    deliveries = list(_deliveries(events))
    insert_rows(deliveries)
    transaction.on_commit(lambda: failpoint("relay.committed"))
    if deliveries:
        nudge("deliveries")
    return len(events)


def _next_events() -> list[OutboxEvent]:
    """Return unpublished events by subject and sequence, none before its predecessor.

    A number that is missing holds its subject back for good; the audit says so.
    """
    before = OutboxEvent.objects.filter(subject=OuterRef("subject"), sequence=OuterRef("sequence") - 1)
    rows = (
        OutboxEvent.objects.filter(Q(sequence=1) | Exists(before), published_seq=None)
        .annotate(seq_before=Subquery(before.values("published_seq")))
        .order_by("subject", "sequence")[:BATCH]
    )
    ready: list[OutboxEvent] = []
    for row in rows:
        follows = bool(ready) and (ready[-1].subject, ready[-1].sequence) == (row.subject, row.sequence - 1)
        if row.sequence == 1 or row.seq_before is not None or follows:
            ready.append(row)
    return ready


def _numbers(count: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('events_published_seq') FROM generate_series(1, %s)", [count])
        return sorted(number for (number,) in cursor.fetchall())


def _deliveries(events: Iterable[OutboxEvent]) -> Iterable[WebhookDelivery]:
    events = list(events)
    wanted: dict[UUID, list[WebhookEndpoint]] = defaultdict(list)
    merchants = {event.merchant_id for event in events if event.merchant_id}
    rows = WebhookEndpoint.objects.filter(merchant_id__in=merchants).exclude(status="DISABLED")
    for endpoint in rows.only("id", "merchant_id", "event_types"):
        wanted[endpoint.merchant_id].append(endpoint)
    now = clock.now()
    for event in events:
        for endpoint in wanted[event.merchant_id] if event.merchant_id else ():
            if "*" in endpoint.event_types or event.type in endpoint.event_types:
                yield WebhookDelivery(
                    merchant_id=endpoint.merchant_id,
                    event_id=event.pk,
                    endpoint_id=endpoint.pk,
                    due_at=now,
                    created_at=now,
                )
