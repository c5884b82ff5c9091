"""Locks of this app, the only place that takes them: endpoint before delivery, deliveries by id.

The position of a stream and that of a consumer are locked alone, before anything that is written with them.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection

from core.drain import Claim
from core.errors import NotFound
from core.rows import columns_of, read_rows
from core.transactions import requires_transaction
from events.models import (
    InboxWork,
    StreamConsumer,
    StreamPosition,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookInbox,
)

__all__ = [
    "Lane",
    "claim_lanes",
    "claim_stream",
    "lock_abandoned_deliveries",
    "lock_consumer",
    "lock_deliveries",
    "lock_endpoint",
    "lock_inbox_work",
    "lock_stream",
    "lock_waiting_deliveries",
    "try_relay",
]

_WAKEN = 1000

# Plain SQL, because every event of a provider is locked once and the ORM makes it several times as long.
_INBOX_WORK = f"""
    SELECT {columns_of(InboxWork, "w")}, {columns_of(WebhookInbox, "i")} FROM events_inboxwork w
    JOIN events_webhookinbox i ON i.id = w.inbox_id WHERE w.id = %s FOR UPDATE OF w
"""  # noqa: S608 - the names come from the models


@dataclass(frozen=True)
class Lane:
    """Deliveries to one endpoint that one thread sends in turn."""

    endpoint_id: UUID
    merchant_id: UUID
    claims: tuple[Claim, ...]


@requires_transaction
def try_relay() -> bool:
    """Become the only relay until the transaction ends; return False when there is another one."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended('events:relay', 0))")
        row = cursor.fetchone()
    return bool(row and row[0])


@requires_transaction
def lock_inbox_work(*, work_id: UUID) -> InboxWork:
    """Return one subscriber's work with its inbox row, the work locked. Raises NotFound."""
    rows = read_rows(sql=_INBOX_WORK, params=[work_id], models=[InboxWork, WebhookInbox])
    if not rows:
        raise NotFound()
    work, work.inbox = rows[0]
    return work


@requires_transaction
def lock_endpoint(*, endpoint_id: UUID, merchant_id: UUID | None = None) -> WebhookEndpoint:
    """Return one endpoint, locked; of this merchant, if one is given. Raises NotFound."""
    rows = WebhookEndpoint.objects.select_for_update(no_key=True, of=("self",)).filter(pk=endpoint_id)
    if merchant_id is not None:
        rows = rows.filter(merchant_id=merchant_id)
    row = rows.first()
    if row is None:
        raise NotFound()
    return row


@requires_transaction
def lock_deliveries(*, ids: Collection[UUID]) -> dict[UUID, WebhookDelivery]:
    """Return these deliveries by id, locked in the order of their ids."""
    rows = WebhookDelivery.objects.select_for_update(no_key=True, of=("self",)).filter(pk__in=ids)
    return {row.pk: row for row in rows.order_by("pk")}


@requires_transaction
def lock_abandoned_deliveries(*, limit: int) -> list[WebhookDelivery]:
    """Return waiting deliveries to disabled endpoints, locked; those that somebody holds are left out."""
    rows = WebhookDelivery.objects.select_for_update(no_key=True, skip_locked=True, of=("self",))
    return list(rows.filter(endpoint__status="DISABLED", due_at__isnull=False)[:limit])


@requires_transaction
def lock_waiting_deliveries(*, endpoint_id: UUID, now: datetime) -> list[WebhookDelivery]:
    """Return the endpoint's deliveries that wait for a later try, the next first, locked: a thousand at most.

    Those that somebody holds are left out.
    """
    rows = WebhookDelivery.objects.select_for_update(no_key=True, skip_locked=True, of=("self",))
    return list(rows.filter(endpoint_id=endpoint_id, due_at__gt=now).order_by("due_at")[:_WAKEN])


@requires_transaction
def claim_lanes(
    *,
    now: datetime,
    lanes: int,
    per_lane: int,
    lease_seconds: int,
    busy: Collection[UUID],
    held: Mapping[UUID, int],
    per_merchant: int,
) -> list[Lane]:
    """Lease due deliveries for as many endpoints as there are lanes, at random so that none waits longest.

    Endpoints in `busy` get none; a merchant gets what is left of `per_merchant` after the lanes that it has
    already (`held`); a lane holds at most `per_lane` deliveries, the oldest due first.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _CLAIM_LANES,
            {
                "now": now,
                "lanes": lanes,
                "per_lane": per_lane,
                "lease": lease_seconds,
                "busy": list(busy),
                "holders": list(held),
                "held": list(held.values()),
                "per_merchant": per_merchant,
            },
        )
        rows = cursor.fetchall()
    found: dict[tuple[UUID, UUID], list[Claim]] = {}
    for key, fence, attempts, endpoint, merchant in rows:
        found.setdefault((endpoint, merchant), []).append(Claim(key, fence, attempts))
    return [Lane(*whose, tuple(claims)) for whose, claims in found.items()]


@requires_transaction
def claim_stream(*, name: str, now: datetime, lease_seconds: int) -> StreamPosition | None:
    """Become the only publisher of a stream for a while; None if there is one, or it is not due to be tried.

    The row comes back with the new fence. A claimer that finds it locked does not wait.
    """
    StreamPosition.objects.bulk_create([StreamPosition(name=name, due_at=now)], ignore_conflicts=True)
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM_STREAM, {"name": name, "now": now, "lease": lease_seconds})
        claimed = cursor.fetchone()
    return StreamPosition.objects.get(pk=name) if claimed else None


@requires_transaction
def lock_stream(*, name: str) -> StreamPosition:
    """Return the position of a stream, locked. Raises NotFound for one that was never published."""
    row = StreamPosition.objects.select_for_update(no_key=True).filter(pk=name).first()
    if row is None:
        raise NotFound()
    return row


@requires_transaction
def lock_consumer(*, name: str) -> StreamConsumer:
    """Return how far a consumer is, locked: it takes events in one transaction at a time."""
    StreamConsumer.objects.bulk_create([StreamConsumer(name=name)], ignore_conflicts=True)
    return StreamConsumer.objects.select_for_update(no_key=True).get(pk=name)


_CLAIM_STREAM = """
UPDATE events_streamposition
SET leased_until = clock_timestamp() + %(lease)s * interval '1 second', fence = fence + 1
WHERE name = (
    SELECT name FROM events_streamposition WHERE name = %(name)s AND due_at <= %(now)s
      AND (leased_until IS NULL OR leased_until < clock_timestamp())
    FOR NO KEY UPDATE SKIP LOCKED)
RETURNING name
"""

_CLAIM_LANES = """
WITH waiting AS (
    SELECT e.id, row_number() OVER (PARTITION BY e.merchant_id ORDER BY random())
        + coalesce((SELECT h.count FROM unnest(%(holders)s::uuid[], %(held)s::int[]) AS h (merchant, count)
                    WHERE h.merchant = e.merchant_id), 0) AS place
    FROM events_webhookendpoint e
    WHERE e.status = 'ENABLED' AND e.id <> ALL (%(busy)s::uuid[])
      AND EXISTS (
        SELECT 1 FROM events_webhookdelivery d WHERE d.endpoint_id = e.id AND d.due_at <= %(now)s
          AND (d.leased_until IS NULL OR d.leased_until < clock_timestamp()))
), ready AS (
    SELECT id FROM waiting WHERE place <= %(per_merchant)s ORDER BY random() LIMIT %(lanes)s
), due AS (
    SELECT d.id FROM ready CROSS JOIN LATERAL (
        SELECT w.id FROM events_webhookdelivery w WHERE w.endpoint_id = ready.id AND w.due_at <= %(now)s
          AND (w.leased_until IS NULL OR w.leased_until < clock_timestamp())
        ORDER BY w.due_at LIMIT %(per_lane)s FOR NO KEY UPDATE SKIP LOCKED) d
)
UPDATE events_webhookdelivery w
SET leased_until = clock_timestamp() + %(lease)s * interval '1 second', fence = w.fence + 1
FROM due WHERE w.id = due.id
RETURNING w.id, w.fence, w.attempts, w.endpoint_id, w.merchant_id
"""
