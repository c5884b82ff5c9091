"""Matches of a statement's lines are written; what does not hold any more ends."""

from collections.abc import Collection, Mapping, Sequence

from core import clock
from core.transactions import requires_transaction
from reconciliation.banking.types import Part
from reconciliation.breaks import How, Side
from reconciliation.matching.opening import resolve_breaks
from reconciliation.matching.sql import execute, rows
from reconciliation.models import LINE_BITS, Discrepancy, Match, ReconciliationRun

__all__ = ["carry_matches", "end_matches", "write_parts"]

_END = """
    WITH ended AS (
        UPDATE reconciliation_match SET live = false
        WHERE line_id = ANY(%(lines)s) AND side = 'bank' AND live
        RETURNING id, merchant_id
    )
    INSERT INTO reconciliation_matchend (id, merchant_id, match_id, reason, by, at)
    SELECT gen_random_uuid(), merchant_id, id, %(reason)s, 'system', %(now)s FROM ended
"""
_DETAILS = """
    SELECT detail.id FROM reconciliation_bankline AS top
    JOIN reconciliation_bankline AS detail ON detail.statement_id = top.statement_id
        AND detail.parent = top.line_no AND detail.id >> %(bits)s = top.id >> %(bits)s
        AND detail.id BETWEEN top.id >> %(bits)s << %(bits)s AND ((top.id >> %(bits)s) + 1 << %(bits)s) - 1
    WHERE top.id = ANY(%(lines)s)
"""


@requires_transaction
def write_parts(run: ReconciliationRun, parts: Sequence[Part]) -> None:
    """Write what lines are."""
    Match.objects.bulk_create([_row(run, part) for part in parts], batch_size=1_000)


@requires_transaction
def end_matches(lines: Collection[int], *, reason: str) -> None:
    """End what bookings, and the details in them, were matched to, and the breaks about them."""
    if not lines:
        return
    inside = [row[0] for row in rows(_DETAILS, {"lines": list(lines), "bits": LINE_BITS})]
    every = [*lines, *inside]
    execute(_END, {"lines": every, "reason": reason, "now": clock.now()})
    broken = Discrepancy.objects.filter(line_id__in=every, side=Side.BANK).exclude(status="RESOLVED")
    resolve_breaks(resolutions=dict.fromkeys(broken.values_list("pk", flat=True), reason))


@requires_transaction
def carry_matches(run: ReconciliationRun, same: Mapping[int, int], *, reason: str) -> int:
    """Let lines of a new version keep what the same lines of the old one were matched to; return how many."""
    later = {old: new for new, old in same.items()}
    found = list(Match.objects.filter(line_id__in=later, side=Side.BANK, live=True).order_by("pk"))
    execute(_END, {"lines": list(later), "reason": reason, "now": clock.now()})
    Match.objects.bulk_create(
        [
            Match(
                merchant_id=row.merchant_id,
                source_id=row.source_id,
                run_id=run.id,
                side=Side.BANK,
                line_id=later[row.line_id or 0],
                subject_kind=row.subject_kind,
                subject_id=row.subject_id,
                nth=row.nth,
                how=row.how,
                rule=row.rule,
                group_key=row.group_key,
                line_part=row.line_part,
                movement_part=row.movement_part,
                clearing_key=row.clearing_key,
                amount_minor=row.amount_minor,
                difference_minor=row.difference_minor,
            )
            for row in found
        ],
        batch_size=1_000,
    )
    return len(found)


def _row(run: ReconciliationRun, part: Part) -> Match:
    is_group = part.line_part or part.movement_part
    found = How.GROUP if is_group else How.TOLERANCE if part.rule.endswith("_fee") else How.EXACT
    how = How.BY_HAND if part.rule == "by_hand" else found
    return Match(
        merchant_id=run.merchant_id,
        source_id=run.source_id,
        run_id=run.id,
        side=Side.BANK,
        line_id=part.line_id,
        subject_kind=part.subject_kind,
        subject_id=part.subject_id,
        nth=0,
        how=how,
        rule=part.rule,
        group_key=part.group_key[:80],
        line_part=part.line_part,
        movement_part=part.movement_part,
        clearing_key=part.clearing_key,
        amount_minor=part.amount_minor,
        difference_minor=part.difference_minor,
    )
