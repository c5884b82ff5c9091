"""Whose turn it is: the runs of a source are matched one after the other, in the order they were queued.

A statement also comes after the reports that were there before it: however many work at once, a credit is
held against the batches that were known when it came.
"""

from collections.abc import Collection
from datetime import timedelta

from django.db.models import Q, QuerySet

from core import clock
from core.drain import Claim
from core.transactions import requires_transaction
from reconciliation.locks import lock_run, lock_source
from reconciliation.models import ReconciliationRun

__all__ = ["take_turn"]

# How long a run waits for an older one of its source.
_PAUSE = timedelta(seconds=2)
_NOT_IN_THE_BOOKS = ("QUEUED", "MATCHED")


@requires_transaction
def take_turn(claim: Claim, *, after: Collection[str]) -> tuple[ReconciliationRun, bool]:
    """Lock a claimed run behind its source; return it, and whether it may be matched now.

    It may not when it is not QUEUED any more, when somebody else claimed it since, or while an older run of
    its source is in one of the states `after`: then it is put off. A bank's is also put off while an older
    report of the merchant's providers is on its way into the books. Raises NotFound.
    """
    source_id = ReconciliationRun.objects.values_list("source_id", flat=True).get(pk=claim.id)
    source = lock_source(source_id=source_id)
    run = lock_run(run_id=claim.id)
    run.source = source
    if run.fence != claim.fence or run.status != "QUEUED":
        return run, False
    if _is_behind(run, after) or _awaits_reports(run):
        run.due_at, run.leased_until = clock.now() + _PAUSE, None
        run.save(update_fields=["due_at", "leased_until"])
        return run, False
    return run, True


def _is_behind(run: ReconciliationRun, after: Collection[str]) -> bool:
    return _older(run).filter(source_id=run.source_id, status__in=after).exists()


def _awaits_reports(run: ReconciliationRun) -> bool:
    reports = _older(run).filter(merchant_id=run.merchant_id, source__kind="psp")
    return run.source.kind == "bank" and reports.filter(status__in=_NOT_IN_THE_BOOKS).exists()


def _older(run: ReconciliationRun) -> QuerySet[ReconciliationRun]:
    before = Q(created_at__lt=run.created_at) | Q(created_at=run.created_at, pk__lt=run.pk)
    # Nobody waits for one that has failed: people must look at it first.
    return ReconciliationRun.objects.filter(before, due_at__isnull=False)
