"""Breaks by the names that people have of their lines; for the console."""

from dataclasses import dataclass

from core.ids import parse_public_id
from reconciliation.matching.sql import rows
from reconciliation.models import Discrepancy

__all__ = ["FoundBreak", "find_breaks"]

_MOST = 20
# Lines that belong to something are found by the name of that. Of the others each has a break.
_OF_LINES = """
    SELECT broken.id FROM reconciliation_discrepancy AS broken
    JOIN reconciliation_settlementline AS line ON line.id = broken.line_id
    WHERE broken.status <> 'RESOLVED' AND broken.side = 'psp'
        AND %(term)s IN (line.reference, line.related, line.merchant_reference, line.batch)
    UNION ALL
    SELECT broken.id FROM reconciliation_discrepancy AS broken
    JOIN reconciliation_bankline AS line ON line.id = broken.line_id
    WHERE broken.status <> 'RESOLVED' AND broken.side = 'bank'
        AND %(term)s IN (line.end_to_end, line.bank_reference, line.batch_reference)
    LIMIT %(most)s
"""


@dataclass(frozen=True)
class FoundBreak:
    """A break that has the name."""

    public_id: str
    summary: str
    status: str


def find_breaks(*, term: str) -> list[FoundBreak]:
    """Return the break of this id; or the open ones whose line has this reference, of whichever merchant."""
    key = parse_public_id(term, "dsc")
    keys = [key] if key else [row[0] for row in rows(_OF_LINES, {"term": term, "most": _MOST})]
    found = Discrepancy.objects.filter(pk__in=keys).order_by("pk")
    return [FoundBreak(row.public_id, row.summary, row.status) for row in found]
