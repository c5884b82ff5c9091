"""A run that broke: tried again more and more slowly, then it stops and a person lets it go on."""

from core import clock
from core.drain import Claim
from core.errors import NotFound
from core.retry import Retry, Strategy
from core.transactions import at_edge
from reconciliation.locks import lock_run
from reconciliation.matching.runs import TooManyBreaks, fail_run

__all__ = ["record_run_failure"]

_RULE = Retry(Strategy.EXPONENTIAL, base=1, cap=60, limit=8)


@at_edge
def record_run_failure(*, claim: Claim, error: Exception) -> None:
    """Move the run's next try, or stop it after the last one. What it has done stays done."""
    try:
        run = lock_run(run_id=claim.id)
    except NotFound:
        return
    if run.fence != claim.fence or run.due_at is None:
        return
    said = f"{type(error).__name__}: {error}"[:500]
    if isinstance(error, TooManyBreaks):
        fail_run(run, error=str(error))
        return
    run.attempts += 1
    pause = _RULE.pause(run.attempts)
    if pause is None:
        fail_run(run, error=said)
        return
    run.due_at, run.leased_until = clock.now() + pause, None
    run.error, run.updated_at = said, clock.now()
    run.save(update_fields=["attempts", "due_at", "leased_until", "updated_at", "error"])
