"""Movements that were missed, and whose line came after all."""

from typing import Any

from core.transactions import requires_transaction
from reconciliation.breaks import BreakClass
from reconciliation.matching.findings import line_finding
from reconciliation.matching.open_lines import lines_by_id
from reconciliation.matching.opening import resolve_breaks
from reconciliation.matching.sql import rows, whole_files
from reconciliation.matching.types import Finding
from reconciliation.models import ReconciliationRun

__all__ = ["clear_missing"]

# From the breaks, of which there are few, to the matches of this run.
_CAME = """
    SELECT missed.id, found.line_id, missed.status, missed.created_at::date
    FROM reconciliation_discrepancy AS missed
    JOIN reconciliation_match AS found ON found.subject_id = missed.subject_id
        AND found.subject_kind = missed.subject_kind AND found.live AND found.how <> 'expected'
        AND found.run_id = %(run)s
    WHERE missed.merchant_id = %(merchant)s AND missed.source_id = %(source)s
        AND missed.break_class = 'MISSING_EXTERNAL' AND missed.side = 'psp' ORDER BY missed.id, found.line_id
"""


@requires_transaction
def clear_missing(run: ReconciliationRun) -> tuple[int, list[Finding]]:
    """Resolve what was missing and is here; return how many, and that each was late.

    One that was resolved before, by an entry or by hand, is late as well: whoever booked it must look again.
    """
    with whole_files():
        came = rows(_CAME, {"run": run.id, "merchant": run.merchant_id, "source": run.source_id})
    if not came:
        return 0, []
    lines = lines_by_id({row[1] for row in came})
    cleared = resolve_breaks(
        resolutions={
            row[0]: f"its line came in {run.file.name[:120]}" for row in came if row[2] != "RESOLVED"
        }
    )
    late: list[Finding] = []
    for missed, line_id, status, since in came:
        step: dict[str, Any] = {"step": "late", "missed_since": str(since), "break": str(missed)}
        was = "and had been resolved otherwise" if status == "RESOLVED" else "and is here now"
        late.append(line_finding(BreakClass.LATE, lines[line_id], [step], None, extra=f", {was}"))
    return cleared, late
