"""Matches that were found by looking at lines one by one are written."""

from collections.abc import Sequence

from core import clock
from core.transactions import requires_transaction
from reconciliation.breaks import Side
from reconciliation.matching.sql import execute
from reconciliation.matching.types import Pairing
from reconciliation.models import Match, ReconciliationRun

__all__ = ["write_pairings"]

_END_EXPECTED = """
    WITH ended AS (
        UPDATE reconciliation_match SET live = false WHERE how = 'expected' AND live
            AND source_id = %(source)s AND subject_id = ANY(%(subjects)s)
        RETURNING id, merchant_id
    )
    INSERT INTO reconciliation_matchend (id, merchant_id, match_id, reason, by, at)
    SELECT gen_random_uuid(), merchant_id, id, 'a line of it came', 'system', %(now)s FROM ended
"""


@requires_transaction
def write_pairings(run: ReconciliationRun, pairings: Sequence[Pairing]) -> None:
    """Write matches of the run's file. What was expected of their movements is over."""
    if not pairings:
        return
    subjects = [pairing.movement.key.subject_id for pairing in pairings]
    execute(_END_EXPECTED, {"source": run.source_id, "subjects": subjects, "now": clock.now()})
    Match.objects.bulk_create([_row(run, pairing) for pairing in pairings], batch_size=1_000)


def _row(run: ReconciliationRun, pairing: Pairing) -> Match:
    movement = pairing.movement
    return Match(
        merchant_id=run.merchant_id,
        source_id=run.source_id,
        run_id=run.id,
        side=Side.PSP,
        line_id=pairing.line_id,
        subject_kind=movement.key.subject_kind,
        subject_id=movement.key.subject_id,
        nth=movement.key.nth,
        how=pairing.how,
        rule=pairing.rule,
        group_key=pairing.group_key,
        line_part=pairing.line_part,
        movement_part=pairing.movement_part,
        clearing_key=movement.clearing_key,
        amount_minor=movement.amount_minor,
        difference_minor=pairing.difference_minor,
    )
