"""Locks and leases of operations at providers that somebody is to look at."""

from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import Q
from psycopg.types.numeric import Int4

from core import clock
from core.rows import read_rows
from core.transactions import requires_transaction
from payments.models import PspOperation

__all__ = [
    "claim_due_operations",
    "lock_probes",
    "lock_waiting_of",
    "lock_waiting_operations",
    "release_lease",
]


@requires_transaction
def lock_waiting_operations(*, channel_id: UUID, looked_before: datetime) -> list[UUID]:
    """Lock and return the channel's operations without an outcome, skipping those in work or due already.

    Only those that were last looked at before `looked_before`.
    """
    waiting = PspOperation.objects.filter(channel_id=channel_id, status__in=["UNKNOWN", "PENDING"])
    return list(
        waiting.filter(updated_at__lt=looked_before, due_at__gt=clock.now())
        .order_by("id")
        .select_for_update(skip_locked=True, no_key=True)
        .values_list("id", flat=True)
    )


@requires_transaction
def lock_waiting_of(
    *,
    looked_before: datetime,
    due_after: datetime,
    checkout_id: UUID | None = None,
    top_up_id: UUID | None = None,
) -> list[UUID]:
    """Lock and return the paying operations without an outcome of a checkout or top-up.

    Those in work are skipped. Only those that were last looked at before `looked_before` and would be looked
    at after `due_after`.
    """
    waiting = PspOperation.objects.filter(
        Q(kind="confirm") | Q(kind="register", charge__payment_method="hosted_page"),
        charge__checkout_id=checkout_id,
        charge__top_up_id=top_up_id,
        status__in=["UNKNOWN", "PENDING"],
    )
    return list(
        waiting.filter(updated_at__lt=looked_before, due_at__gt=due_after)
        .order_by("id")
        .select_for_update(skip_locked=True, no_key=True, of=("self",))
        .values_list("id", flat=True)
    )


@requires_transaction
def release_lease(*, operation_id: UUID, fence: int) -> None:
    """Give a claimed operation back, unless a newer claim holds it."""
    PspOperation.objects.filter(id=operation_id, fence=fence).update(leased_until=None)


@requires_transaction
def lock_probes(*, silent_since: datetime, idle_until: datetime) -> list[UUID]:
    """Lock and return one UNKNOWN operation of each channel, the one that was looked at longest ago.

    Of no channel where any was looked at since `silent_since`, or will be before `idle_until`.
    """
    with connection.cursor() as cursor:
        cursor.execute(_PROBES, {"silent_since": silent_since, "idle_until": idle_until})
        return [key for (key,) in cursor.fetchall()]


_PROBES = """
SELECT id FROM payments_pspoperation
WHERE id IN (
    SELECT (array_agg(id ORDER BY updated_at, id))[1] FROM payments_pspoperation
    WHERE status = 'UNKNOWN' AND due_at IS NOT NULL
    GROUP BY channel_id HAVING max(updated_at) < %(silent_since)s AND min(due_at) > %(idle_until)s
)
ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
"""


@requires_transaction
def claim_due_operations(*, limit: int) -> list[tuple[UUID, int, int]]:
    """Lease due operations, oldest first, up to each channel's cap; return (id, fence, attempts) of each."""
    lease = Int4(settings.OPERATION_LEASE_SECONDS)
    return read_rows(sql=_CLAIM, params={"now": clock.now(), "lease": lease, "limit": Int4(limit)})


# Channel by channel, so that one with a long queue costs no more than its cap. An UPDATE returns rows in the
# order of its plan, so what was claimed is put in order at the end.
_CLAIM = """
WITH busy AS (
    SELECT channel_id, count(*) AS running FROM payments_pspoperation
    WHERE leased_until > clock_timestamp() AND due_at IS NOT NULL GROUP BY channel_id
), waiting AS (
    SELECT DISTINCT channel_id FROM payments_pspoperation
    WHERE due_at <= %(now)s AND (leased_until IS NULL OR leased_until < clock_timestamp())
), allowed AS (
    SELECT due.id, due.due_at FROM waiting
    JOIN channels_channel AS channel ON channel.id = waiting.channel_id
    LEFT JOIN busy ON busy.channel_id = waiting.channel_id
    CROSS JOIN LATERAL (
        SELECT id, due_at FROM payments_pspoperation AS operation
        WHERE operation.channel_id = waiting.channel_id AND operation.due_at <= %(now)s
          AND (operation.leased_until IS NULL OR operation.leased_until < clock_timestamp())
        ORDER BY operation.due_at
        LIMIT greatest(channel.max_in_flight - coalesce(busy.running, 0), 0)
    ) AS due
), claimed AS (
    UPDATE payments_pspoperation
    SET leased_until = clock_timestamp() + %(lease)s * interval '1 second', fence = fence + 1
    WHERE id IN (
        SELECT id FROM payments_pspoperation
        WHERE id IN (SELECT id FROM allowed ORDER BY due_at LIMIT %(limit)s) AND due_at <= %(now)s
          AND (leased_until IS NULL OR leased_until < clock_timestamp())
        FOR NO KEY UPDATE SKIP LOCKED
    )
    RETURNING id, fence, attempts, due_at
)
SELECT id, fence, attempts FROM claimed ORDER BY due_at, id
"""
