"""The right to work on a run, renewed on the way: what takes longer than a lease must not lose it."""

from uuid import UUID

from django.db import connection
from psycopg.types.numeric import Int4

from core import clock
from core.drain import Claim
from core.transactions import at_edge, requires_transaction

__all__ = ["LEASE_SECONDS", "keep_run", "renew_lease"]

# Longer than the longest transaction of a step, which is the matching of a file of millions of lines.
LEASE_SECONDS = 300


@requires_transaction
def renew_lease(*, run_id: UUID, fence: int) -> bool:
    """Renew the lease of a run; False, and nothing is changed, when it is not due or was claimed anew."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE reconciliation_reconciliationrun"
            " SET leased_until = clock_timestamp() + %s * interval '1 second'"
            " WHERE id = %s AND fence = %s AND due_at <= %s",
            [Int4(LEASE_SECONDS), run_id, fence, clock.now()],
        )
        return cursor.rowcount == 1


@at_edge
def keep_run(claim: Claim) -> bool:
    """Renew the lease of a claimed run in a transaction of its own; answers as `renew_lease`."""
    return renew_lease(run_id=claim.id, fence=claim.fence)
