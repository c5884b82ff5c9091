"""A new version of a file does not have a line any more, or another one: what was posted for it goes with it.

What rules posted is taken back by itself, as posting takes back the line. Where people have posted something
(money that was given back, perhaps), a person looks.
"""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from core.cases import open_case
from core.history import Changes
from core.transactions import at_edge, requires_transaction
from reconciliation.locks import lock_discrepancies
from reconciliation.models import Adjustment, Discrepancy, LineChange, ReconciliationRun
from reconciliation.resolving.facts import family_of, standing
from reconciliation.resolving.meanings import MEANINGS
from reconciliation.resolving.taking_back import Decision, reverse_adjustment

__all__ = ["take_back_withdrawn"]

_RULE = "line_withdrawn"
_CASE_DUE = timedelta(hours=24)


def take_back_withdrawn(*, run_id: UUID) -> int:
    """Take back what stands for lines that a run's file does not have any more; return how many entries."""
    run = ReconciliationRun.objects.select_related("file").get(pk=run_id)
    if run.file.supersedes_id is None:
        return 0
    gone = LineChange.objects.filter(file_id=run.file_id, before__isnull=False).values("before")
    rows = Discrepancy.objects.filter(merchant_id=run.merchant_id, side="psp", line_id__in=gone)
    return sum(at_edge(_take_back)(row.id, run) for row in rows.order_by("pk"))


@requires_transaction
def _take_back(discrepancy_id: UUID, run: ReconciliationRun) -> int:
    [row] = lock_discrepancies(ids=[discrepancy_id])
    family = [each.id for each in family_of(row)]
    # What a line posts under its key is taken back by posting, wherever it was moved to.
    posted = [each for each in standing(family) if each.template not in MEANINGS and each.entry_id]
    if not posted:
        return 0
    if not all(each.automatic for each in posted):
        _tell(row, posted, run)
        return 0
    why = f"version {run.file.version} of the file has no such line"
    changes = Changes()
    for adjustment in reversed(posted):
        decision = Decision(maker=f"rule:{_RULE}", rule=_RULE)
        reverse_adjustment(row, adjustment, changes, why=why, decision=decision)
    changes.save()
    return len(posted)


def _tell(row: Discrepancy, posted: Sequence[Adjustment], run: ReconciliationRun) -> None:
    open_case(
        kind="adjusted_line_withdrawn",
        due_in=_CASE_DUE,
        subject=row.public_id,
        summary=f"{run.file.name[:120]}: a line that {', '.join(each.template for each in posted)} was posted"
        " for is not in the new version of the file",
        detail={"adjustments": [str(each.id) for each in posted], "file": run.file.public_id},
        merchant_id=row.merchant_id,
        value_minor=row.amount_minor,
        currency=row.currency,
    )
