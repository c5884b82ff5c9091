"""Lines that are staged: what the last one is, and how they are taken away again, a portion at a time."""

from dataclasses import dataclass
from typing import Any

from django.db import connection
from psycopg.types.numeric import Int4

from core.drain import Claim
from core.failpoints import failpoint
from core.transactions import at_edge
from reconciliation.formats.contract import Entry, Line
from reconciliation.ingest.counting import ids_of
from reconciliation.ingest.writer import LEASE_SECONDS, Overtaken
from reconciliation.models import BankLine, SettlementFile, SettlementLine

__all__ = ["LastStaged", "last_staged", "remove_lines"]

# So many line numbers, not lines: the room of a portion is known without a look.
_PORTION = 50_000
_LINE = ("line_no", "kind", "reference", "currency", "gross_minor", "fee_minor", "net_minor", "business_date")
_ENTRY = ("line_no", "amount_minor", "currency", "booked_on", "bank_reference", "end_to_end")


@dataclass(frozen=True)
class LastStaged:
    """How many lines of a file are staged, and what the last one says."""

    count: int
    values: tuple[Any, ...]

    def is_same(self, item: Line | Entry) -> bool:
        """Say whether the body has this line there."""
        names = _LINE if isinstance(item, Line) else _ENTRY
        return self.values == tuple(getattr(item, name) for name in names)


def last_staged(number: int, *, of_bank: bool) -> LastStaged | None:
    """Return what is staged of a file, given its number; None for nothing."""
    model, names = (BankLine, _ENTRY) if of_bank else (SettlementLine, _LINE)
    rows = model.objects.filter(pk__range=ids_of(number))
    last = rows.order_by("-pk").values_list(*names).first()
    return LastStaged(rows.count(), tuple(last)) if last is not None else None


def remove_lines(claim: Claim, file: SettlementFile) -> None:
    """Take away all staged lines of a claimed file that is not published. Raises Overtaken."""
    _reset(claim)
    file.staged_lines = 0
    first, last = ids_of(file.number)
    for table in ("reconciliation_settlementline", "reconciliation_bankline"):
        highest = _highest(table, first, last)
        start = first
        while highest is not None and start <= highest:
            _remove_portion(claim, table, start, start + _PORTION - 1)
            failpoint("settlement_files.portion_removed")
            start += _PORTION


@at_edge
def _reset(claim: Claim) -> None:
    _update(
        claim, "staged_lines = 0, lines_count = CASE status WHEN 'STAGING' THEN NULL ELSE lines_count END"
    )


@at_edge
def _remove_portion(claim: Claim, table: str, start: int, end: int) -> None:
    _update(claim, "staged_lines = 0")
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {table} WHERE id BETWEEN %s AND %s", [start, end])  # noqa: S608


def _update(claim: Claim, what: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE reconciliation_settlementfile SET {what},"  # noqa: S608
            " leased_until = clock_timestamp() + %s * interval '1 second' WHERE id = %s AND fence = %s"
            " AND due_at IS NOT NULL AND status IN ('STAGING', 'REFUSED', 'DUPLICATE')",
            [Int4(LEASE_SECONDS), claim.id, claim.fence],
        )
        if cursor.rowcount != 1:
            raise Overtaken


def _highest(table: str, first: int, last: int) -> int | None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT max(id) FROM {table} WHERE id BETWEEN %s AND %s", [first, last])  # noqa: S608
        row = cursor.fetchone()
    return row[0] if row else None
