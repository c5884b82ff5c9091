"""The work of reconciliation: files that were received are staged and published."""

from typing import ClassVar

from core.drain import Claim, Drain
from reconciliation.ingest.failures import record_failure
from reconciliation.ingest.receive import DRAIN
from reconciliation.ingest.work import take_further
from reconciliation.ingest.writer import LEASE_SECONDS
from reconciliation.models import SettlementFile

__all__ = ["FileDrain"]


class FileDrain(Drain):
    """Takes one file at a time, oldest first: a large one keeps its lease while it is read."""

    name: ClassVar[str] = DRAIN
    model = SettlementFile
    batch: ClassVar[int] = 1
    lease_seconds: ClassVar[int] = LEASE_SECONDS

    def handle(self, claim: Claim) -> None:
        """Take one file as far as it goes."""
        take_further(claim=claim)

    def failed(self, claim: Claim, error: Exception) -> None:
        """Count the failure; bury the file when there have been too many."""
        super().failed(claim, error)
        record_failure(claim=claim, error=error)
