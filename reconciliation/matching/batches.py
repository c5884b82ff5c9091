"""Payouts and balances of the provider held against the lines that they are made of."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from core.money import format_minor
from core.transactions import requires_transaction
from reconciliation.breaks import BreakClass
from reconciliation.ingest.counting import ids_of
from reconciliation.matching.findings import line_finding
from reconciliation.matching.open_lines import lines_by_id
from reconciliation.matching.sql import rows
from reconciliation.matching.types import Finding
from reconciliation.models import SettlementFile

__all__ = ["batch_findings", "declared_findings"]

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


@requires_transaction
def declared_findings(file: SettlementFile) -> list[Finding]:
    """Return what the provider says elsewhere and the lines of a file do not: of payouts and of balances.

    They are breaks of the file, not of a line: its lines are matched each by itself, as far as they go.
    """
    day = file.period_to or file.received_at.date()
    return [_declared(file, each, day) for each in file.totals.get("contradicted", ())]


def _declared(file: SettlementFile, found: Mapping[str, Any], day: date) -> Finding:
    is_batch = str(found["what"]).startswith("batch_")
    it_is = BreakClass.BATCH_TOTAL_MISMATCH if is_batch else BreakClass.BALANCE_MISMATCH
    currency, said, counted = found["currency"], int(found["declared"]), int(found["counted"])
    off = abs(said - counted)
    what = f"the payout {found['scope']}" if is_batch else f"the {found['what']} of the balance's activity"
    says = f"{format_minor(said, currency)} the provider says, {format_minor(counted, currency)} its lines"
    return Finding(
        break_class=it_is,
        key=f"file:{file.id.hex}:{found['scope'] or found['what']}:{currency}:{it_is}"[:160],
        currency=currency,
        amount_minor=off,
        summary=f"{format_minor(off, currency)} {currency}: {what} is not the sum of its lines: {says}"[:300],
        business_date=day,
        steps=({"step": "declared", "declared_minor": str(said), "lines_minor": str(counted)},),
        clearing_key=str(found["scope"])[:80],
        conditions={"kind": "payout" if is_batch else "balance", "currency": currency},
    )
