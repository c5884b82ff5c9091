"""The lines of a file, page by page: each page is one range of the primary key."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from reconciliation.models import LINE_BITS, BankLine, LineChange, SettlementFile, SettlementLine

__all__ = [
    "PAGE",
    "Page",
    "bank_lines",
    "changes_of",
    "lines_by_id",
    "settlement_lines",
]

PAGE = 50
_BITS = (1 << LINE_BITS) - 1
_DIGITS = 8  # of the largest number of a line


@dataclass(frozen=True)
class Page:
    """Some lines, oldest first; `after` names the next page, where there is one, `is_first` the first."""

    rows: Sequence[Any]
    after: str
    is_first: bool


def settlement_lines(file: SettlementFile, *, after: str = "", term: str = "") -> Page:
    """Return lines of a settlement file; with a term those whose reference it is, of whatever sort."""
    rows = SettlementLine.objects.filter(id__range=_ids(file))
    if term:
        rows = rows.filter(Q(reference=term) | Q(related=term) | Q(merchant_reference=term) | Q(batch=term))
    return _page(rows, after, file)


def bank_lines(
    file: SettlementFile, *, statement_id: UUID | None = None, after: str = "", term: str = ""
) -> Page:
    """Return lines of a bank file, of one of its statements if given; with a term those of this reference."""
    rows = BankLine.objects.filter(id__range=_ids(file))
    if statement_id is not None:
        rows = rows.filter(statement_id=statement_id)
    if term:
        rows = rows.filter(Q(bank_reference=term) | Q(end_to_end=term) | Q(batch_reference=term))
    return _page(rows, after, file)


def changes_of(file: SettlementFile) -> Page:
    """Return how a version differs from the one before it, in the order of its lines: the first of them."""
    rows = LineChange.objects.filter(merchant_id=file.merchant_id, file=file).order_by("after", "before")
    found = list(rows[: PAGE + 1])
    return Page(found[:PAGE], "more" if len(found) > PAGE else "", True)


def lines_by_id(ids: Sequence[int]) -> dict[int, Any]:
    """Return settlement lines, and bank lines, by id."""
    found: dict[int, Any] = {}
    for model in (SettlementLine, BankLine):
        found |= {row.pk: row for row in model.objects.filter(pk__in=ids)}
    return found


def _ids(file: SettlementFile) -> tuple[int, int]:
    return file.number << LINE_BITS, (file.number << LINE_BITS) + _BITS


def _page(rows: QuerySet[Any], after: str, file: SettlementFile) -> Page:
    first = file.number << LINE_BITS
    # In addresses, a place is the number of a line: it says something to people.
    begins = int(after) if after.isdecimal() and len(after) <= _DIGITS else 0
    found = list(rows.filter(pk__gt=first + begins).order_by("pk")[: PAGE + 1])
    shown = found[:PAGE]
    return Page(shown, str(shown[-1].pk - first) if len(found) > PAGE else "", not begins)
