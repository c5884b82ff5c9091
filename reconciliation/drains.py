"""The work of reconciliation: files that were received are staged, published and matched."""

from collections.abc import Callable
from typing import ClassVar

from core.drain import Claim, Drain
from reconciliation.asking import WAITS, ask_run
from reconciliation.banking.early import prove_early
from reconciliation.banking.posting import post_bank_run
from reconciliation.banking.run import match_bank_run
from reconciliation.banking.telling import tell_bank_run
from reconciliation.ingest.failures import record_failure
from reconciliation.ingest.receive import DRAIN
from reconciliation.ingest.work import take_further
from reconciliation.ingest.writer import LEASE_SECONDS
from reconciliation.leases import LEASE_SECONDS as RUN_SECONDS
from reconciliation.leases import keep_run
from reconciliation.matching.failures import record_run_failure
from reconciliation.matching.runs import DRAIN as RUNS
from reconciliation.matching.runs import match_run
from reconciliation.models import ReconciliationRun, SettlementFile
from reconciliation.posting.steps import post_run, prove_run
from reconciliation.resolving.steps import adjust_run
from reconciliation.telling import tell_run

__all__ = ["FileDrain", "RunDrain"]


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


class RunDrain(Drain):
    """Takes one run at a time through its steps; each step finds what it has done already."""

    name: ClassVar[str] = RUNS
    model = ReconciliationRun
    batch: ClassVar[int] = 1
    lease_seconds: ClassVar[int] = RUN_SECONDS
    # In order; a step that is not the run's turn yet, or is over, does nothing.
    steps: ClassVar[tuple[Callable[[Claim], str], ...]] = (
        match_run,
        tell_run,
        ask_run,
        post_run,
        adjust_run,
        prove_early,
        prove_run,
    )
    bank_steps: ClassVar[tuple[Callable[[Claim], str], ...]] = (match_bank_run, post_bank_run, tell_bank_run)

    def handle(self, claim: Claim) -> None:
        """Take one run as far as it goes; each step begins with a whole lease."""
        kind = ReconciliationRun.objects.values_list("source__kind", flat=True).get(pk=claim.id)
        first, *others = self.bank_steps if kind == "bank" else self.steps
        said = first(claim)
        for step in others:
            if said == WAITS or not keep_run(claim):
                return
            said = step(claim)

    def failed(self, claim: Claim, error: Exception) -> None:
        """Count the failure; stop the run when there have been too many."""
        super().failed(claim, error)
        record_run_failure(claim=claim, error=error)
