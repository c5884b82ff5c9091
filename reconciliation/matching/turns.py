"""Whose turn it is: the runs of a source are matched one after the other, in the order they were queued."""

from collections.abc import Collection
from datetime import timedelta

from core import clock
from core.drain import Claim
from core.transactions import requires_transaction
from reconciliation.locks import lock_run, lock_source
from reconciliation.models import ReconciliationRun

__all__ = ["take_turn"]

# How long a run waits for an older one of its source.
_PAUSE = timedelta(seconds=2)


@requires_transaction
def take_turn(claim: Claim, *, after: Collection[str]) -> tuple[ReconciliationRun, bool]:
    """Lock a claimed run behind its source; return it, and whether it may be matched now.

    It may not when it is not QUEUED any more, when somebody else claimed it since, or while an older run of
    its source is in one of the states `after`: then it is put off. Raises NotFound.
    """
    source_id = ReconciliationRun.objects.values_list("source_id", flat=True).get(pk=claim.id)
    source = lock_source(source_id=source_id)
    run = lock_run(run_id=claim.id)
    run.source = source
    if run.fence != claim.fence or run.status != "QUEUED":
        return run, False
    if _is_behind(run, after):
        run.due_at, run.leased_until = clock.now() + _PAUSE, None
        run.save(update_fields=["due_at", "leased_until"])
        return run, False
    return run, True


def _is_behind(run: ReconciliationRun, after: Collection[str]) -> bool:
    others = ReconciliationRun.objects.filter(source_id=run.source_id, status__in=after, due_at__isnull=False)
    return others.filter(created_at__lt=run.created_at).exists() or (
        others.filter(created_at=run.created_at, pk__lt=run.pk).exists()
    )
