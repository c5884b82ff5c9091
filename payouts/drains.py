"""The work of pay-out: payouts whose day has come are put together, and batches are sent and asked about."""

import logging
import time
from typing import ClassVar

from core.drain import Claim, Drain
from core.failpoints import failpoint
from payouts.engine.collecting import Group, collect_group, groups_to_collect
from payouts.engine.execute import execute_batch
from payouts.engine.failures import QUEUE, record_failure
from payouts.models import PayoutBatch

__all__ = ["BatchDrain", "CollectDrain"]

log = logging.getLogger(__name__)


class CollectDrain(Drain):
    """Puts payouts that may leave into batches.

    No row is claimed ahead: whoever comes second finds them in a batch, so there is no lease.
    """

    name: ClassVar[str] = "payouts"

    def due_sql(self) -> str:
        """Return the moments that the metrics show the age of."""
        return (
            "SELECT p.execute_on::timestamptz FROM payouts_payout p WHERE p.status = 'APPROVED'"
            " AND p.execute_on <= (%(now)s)::date AND NOT EXISTS (SELECT FROM payouts_payoutattempt a"
            " WHERE a.payout_id = p.id AND a.status NOT IN ('REFUSED', 'CANCELED', 'RETURNED'))"
            " ORDER BY p.execute_on, p.id"
        )

    def run(self, *, seconds: float = 20.0) -> int:
        """Put together what is ready until nothing is, or the time is over; return how many payouts."""
        deadline, done = time.monotonic() + seconds, 0
        tired: set[Group] = set()
        while time.monotonic() < deadline:
            groups = [each for each in groups_to_collect(limit=100 + len(tired)) if each not in tired]
            if not groups:
                break
            for group in groups:
                try:
                    collected = collect_group(group)
                except Exception:  # The other groups do not wait for it; the next tick tries again.
                    log.exception("payouts of channel %s could not be put together", group.channel_id)
                    collected = 0
                failpoint("payouts.collected")
                done += collected
                if not collected:
                    tired.add(group)
        return done


class BatchDrain(Drain):
    """Sends what is to be sent and asks about what is not at its end, a few batches at a time."""

    name: ClassVar[str] = QUEUE
    model = PayoutBatch
    batch: ClassVar[int] = 16
    parallel: ClassVar[int] = 4

    def handle(self, claim: Claim) -> None:
        """Take one batch a step further."""
        execute_batch(claim=claim)

    def failed(self, claim: Claim, error: Exception) -> None:
        """Count the failure; bury the batch when there have been too many."""
        super().failed(claim, error)
        record_failure(claim=claim, error=error)
