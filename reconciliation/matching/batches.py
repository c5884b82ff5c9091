"""Payouts of the provider held against the lines that they pay."""

from core.money import format_minor
from core.transactions import requires_transaction
from reconciliation.breaks import BreakClass
from reconciliation.ingest.counting import ids_of
from reconciliation.matching.findings import line_finding
from reconciliation.matching.open_lines import lines_by_id
from reconciliation.matching.sql import rows
from reconciliation.matching.types import Finding

__all__ = ["batch_findings"]

# A batch whose lines are in other files is held against nothing here.
_BATCHES = """
    SELECT max(line.id) FILTER (WHERE line.kind = 'payout'), sum(line.net_minor),
        -sum(line.net_minor) FILTER (WHERE line.kind IN ('payout', 'payout_reversal'))
    FROM (
        SELECT id, kind, net_minor, currency, coalesce(nullif(batch, ''),
            CASE WHEN kind IN ('payout', 'payout_reversal') THEN reference END) AS batch
        FROM reconciliation_settlementline
        WHERE id BETWEEN %(first)s AND %(last)s AND quarantine = ''
            AND (batch <> '' OR kind IN ('payout', 'payout_reversal'))
    ) AS line
    GROUP BY line.batch, line.currency
    HAVING count(*) FILTER (WHERE line.kind = 'payout') > 0
        AND count(*) FILTER (WHERE line.kind NOT IN ('payout', 'payout_reversal')) > 0
        AND sum(line.net_minor) <> 0
"""


@requires_transaction
def batch_findings(number: int) -> list[Finding]:
    """Return the payouts of a file that are not what the lines of their batch add up to."""
    first, last = ids_of(number)
    found = {row[0]: (int(row[1]), int(row[2])) for row in rows(_BATCHES, {"first": first, "last": last})}
    findings = []
    for line in lines_by_id(found).values():
        off, paid = found[line.id]
        owed = paid + off
        says = f": {format_minor(paid, line.currency)} paid, {format_minor(owed, line.currency)} owed"
        step = {"step": "batch", "paid_minor": str(paid), "lines_minor": str(owed)}
        findings.append(
            line_finding(
                BreakClass.BATCH_TOTAL_MISMATCH, line, [step], None, amount_minor=abs(off), extra=says
            )
        )
    return findings
