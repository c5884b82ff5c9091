"""The lines that are clear at first sight, matched by the database in a few statements for the whole file.

Clear is a line whose name stands once in the file and for one movement, with the same amount in the same
currency. Everything else is left for `resolving`, which looks at lines and movements together.
"""

from uuid import UUID

from core import clock
from core.transactions import requires_transaction
from reconciliation.ingest.counting import ids_of
from reconciliation.matching.kinds import KEY_SQL, MATCHED, MINOR_SQL
from reconciliation.matching.sql import MOVEMENTS_SQL, channels_for, execute, scratch
from reconciliation.models import ReconciliationRun

__all__ = ["match_exactly", "pair_lines"]

_LINES = f"""
    SELECT line.id, line.kind, {KEY_SQL} AS name, line.currency, {MINOR_SQL} AS minor, line.gross_minor,
        line.fee_minor, line.original_currency, line.original_minor
    FROM reconciliation_settlementline AS line
    WHERE line.id BETWEEN %(first)s AND %(last)s AND line.quarantine = '' AND line.kind = ANY(%(kinds)s)
        AND NOT EXISTS (SELECT FROM reconciliation_match AS carried WHERE carried.run_id = %(run)s
            AND carried.line_id = line.id AND carried.side = 'psp' AND carried.live)
        AND NOT EXISTS (SELECT FROM reconciliation_discrepancy AS known WHERE known.line_id = line.id
            AND known.side = 'psp')
"""  # noqa: S608 - fragments of ours
_PAIRS = f"""
    SELECT line.id AS line_id, line.kind, line.currency AS line_currency, line.minor, line.gross_minor,
        line.fee_minor, line.original_currency, line.original_minor,
        CASE movement.currency WHEN line.currency THEN line.minor
            WHEN line.original_currency THEN line.original_minor END AS line_minor,
        movement.subject_kind, movement.subject_id, movement.nth, movement.clearing_key, movement.currency,
        movement.amount_minor, movement.state, movement.payment_method
    FROM reconciliation_todo AS line
    JOIN ({MOVEMENTS_SQL}) AS movement ON movement.kind = line.kind AND movement.reference = line.name
    WHERE line.name <> ''
"""  # noqa: S608 - fragments of ours
# Lines with several movements, and lines that share one with another line.
_TWICE = """
    SELECT line_id FROM reconciliation_pair GROUP BY line_id HAVING count(*) > 1
    UNION
    SELECT pair.line_id FROM reconciliation_pair AS pair JOIN (
        SELECT subject_id, subject_kind, nth FROM reconciliation_pair
        GROUP BY subject_id, subject_kind, nth HAVING count(*) > 1
    ) AS shared USING (subject_id, subject_kind, nth)
"""
_END_EXPECTED = """
    WITH ended AS (
        UPDATE reconciliation_match AS expected SET live = false FROM reconciliation_pair AS pair
        WHERE expected.how = 'expected' AND expected.live AND expected.source_id = %(source)s
            AND expected.subject_id = pair.subject_id AND expected.subject_kind = pair.subject_kind
            AND expected.nth = pair.nth
        RETURNING expected.id, expected.merchant_id
    )
    INSERT INTO reconciliation_matchend (id, merchant_id, match_id, reason, by, at)
    SELECT gen_random_uuid(), merchant_id, id, 'a line of it came', 'system', %(now)s
    FROM (SELECT DISTINCT id, merchant_id FROM ended) AS each
"""
_MATCH = """
    INSERT INTO reconciliation_match (merchant_id, source_id, run_id, side, line_id, subject_kind, subject_id,
        nth, how, rule, group_key, line_part, movement_part, clearing_key, amount_minor, difference_minor,
        live)
    SELECT %(merchant)s, %(source)s, %(run)s, 'psp', pair.line_id, pair.subject_kind, pair.subject_id,
        pair.nth, 'exact', 'reference', '', 0, 0, pair.clearing_key, pair.amount_minor, 0, true
    FROM reconciliation_pair AS pair
    WHERE pair.line_minor = pair.amount_minor AND pair.state <> 'none'
        AND NOT EXISTS (SELECT FROM reconciliation_twice AS twice WHERE twice.line_id = pair.line_id)
    ON CONFLICT DO NOTHING
"""


@requires_transaction
def pair_lines(run: ReconciliationRun, number: int) -> None:
    """Put the lines of the run's file beside the movements of their names, for this transaction.

    What was expected of them is not expected any more: each gets its match, or a break, below.
    """
    first, last = ids_of(number)
    params = {
        "first": first,
        "last": last,
        "kinds": [str(kind) for kind in MATCHED],
        "run": run.id,
        "merchant": run.merchant_id,
        "channels": channels_for(run.source),
        "source": run.source_id,
        "now": clock.now(),
    }
    scratch("reconciliation_todo", _LINES, params)
    scratch("reconciliation_pair", _PAIRS, params)
    scratch("reconciliation_twice", _TWICE, params)
    execute(_END_EXPECTED, params)


@requires_transaction
def match_exactly(run: ReconciliationRun) -> int:
    """Match every clear line of the file that `pair_lines` looked at; return how many."""
    params: dict[str, UUID] = {"merchant": run.merchant_id, "source": run.source_id, "run": run.id}
    return execute(_MATCH, params)
