"""The work of pay-in: provider operations that are due."""

from typing import ClassVar

from django.conf import settings
from django.db import connection, transaction

from core import clock
from core.drain import Claim, Drain
from core.failpoints import failpoint
from payments.models import PspOperation
from payments.services.execute import execute_operation
from payments.services.failures import record_failure

__all__ = ["OperationDrain"]


class OperationDrain(Drain):
    """Sends what is to be sent and asks about what is unknown, a few at a time for each channel.

    The cap per channel is a bulkhead: a provider that hangs can hold its own share of the threads only.
    """

    name: ClassVar[str] = "operations"
    model = PspOperation
    batch: ClassVar[int] = 32
    parallel: ClassVar[int] = 8

    def claim(self) -> list[Claim]:
        """Take due operations, oldest first, up to each channel's cap of operations in flight."""
        with transaction.atomic(durable=True), connection.cursor() as cursor:
            cursor.execute(_CLAIM, {"now": clock.now(), "lease": settings.OPERATION_LEASE_SECONDS, "batch": self.batch})
            claims = [Claim(*row) for row in cursor.fetchall()]
        failpoint("execute.claimed")
        return claims

    def handle(self, claim: Claim) -> None:
        """Take one operation a step further."""
        execute_operation(claim=claim)

    def failed(self, claim: Claim, error: Exception) -> None:
        """Count the failure; bury the operation when there have been too many."""
        super().failed(claim, error)
        record_failure(claim=claim, error=error)


_CLAIM = """
WITH busy AS (
    SELECT channel_id, count(*) AS running FROM payments_pspoperation
    WHERE leased_until > clock_timestamp() AND due_at IS NOT NULL GROUP BY channel_id
), due AS (
    SELECT id, row_number() OVER (PARTITION BY channel_id ORDER BY due_at) AS place, channel_id
    FROM payments_pspoperation
    WHERE due_at <= %(now)s AND (leased_until IS NULL OR leased_until < clock_timestamp())
), allowed AS (
    SELECT due.id FROM due JOIN channels_channel AS channel ON channel.id = due.channel_id
    LEFT JOIN busy ON busy.channel_id = due.channel_id
    WHERE due.place + coalesce(busy.running, 0) <= channel.max_in_flight
)
UPDATE payments_pspoperation
SET leased_until = clock_timestamp() + %(lease)s * interval '1 second', fence = fence + 1
WHERE id IN (
    SELECT id FROM payments_pspoperation
    WHERE id IN (SELECT id FROM allowed) AND due_at <= %(now)s
      AND (leased_until IS NULL OR leased_until < clock_timestamp())
    ORDER BY due_at LIMIT %(batch)s FOR NO KEY UPDATE SKIP LOCKED
)
RETURNING id, fence, attempts
"""
