"""PayPal's settlement report (STL) and transaction detail report (TRR).

A file is records of these types: RH, RC report header and record count, RF report totals of a currency; FH,
FF file header and footer; SH, SC section header and record count, SF section totals; CH column header; SB a
row. A report of more than a million rows is split into files, each with FH and FF: the report's header is in
the first only, its totals in the last only.
"""

from collections.abc import Callable, Iterator
from datetime import date
from typing import BinaryIO

from reconciliation.formats.contract import Document, Item, Line, ReadOptions, Refused, Totals
from reconciliation.formats.delimited import MAX_LINE, Columns, records
from reconciliation.formats.paypal_kinds import AUTHORISATIONS
from reconciliation.formats.paypal_rows import NEEDED, OPTIONAL, Row, Stamps, count, line_of
from reconciliation.formats.paypal_totals import Footers
from reconciliation.formats.periods import asked_period

__all__ = ["SETTLEMENT", "TRANSACTION_DETAIL", "PayPalReport"]

_TYPES = frozenset({"RH", "FH", "SH", "CH", "SB", "SF", "SC", "RF", "RC", "FF"})
_FOOTERS = frozenset({"SF", "SC", "RF", "RC", "FF"})
_STATUS = "Transactional Status"
# Pending, denied: no balance has moved.
_UNMOVED = frozenset({"P", "D"})


class PayPalReport:
    """One of the two reports. They differ in their columns, and in that TRR lists what moves no balance."""

    kind = "psp"
    # What PayPal writes is UTF-8, with a byte order mark or without.
    encodings: tuple[str, ...] = ("utf-8", "cp1252")
    suffixes: tuple[str, ...] = (".csv", ".tab", ".txt")

    def __init__(self, name: str, title: str, *, has_status: bool) -> None:
        self.name, self.title, self.has_status = name, title, has_status

    def read(self, body: BinaryIO, options: ReadOptions) -> Iterator[Item]:
        """Yield the document of the section's days, the lines, and what the footers declare. Raises Refused.

        Pending, denied and authorised transactions are `ignored`. A file with RH or FH and no FF is
        truncated; one with none of them, and no total of the report, is not complete. Parts of a split report
        after the first are documents of their own (`…#2`); the report's totals in the last of them have the
        scope "report", because they count the lines of all. PayPal ends every line.
        """
        head = body.readline(MAX_LINE + 1)
        delimiter = _delimiter(head)
        rows = records(_Again(head, body), encoding=options.encoding, delimiter=delimiter)
        yield from _Reading(self, options).items(rows)

    def columns(self, names: list[str], line_no: int) -> Columns:
        """Return the columns of this report. Raises Refused with `format_mismatch` for those of another."""
        columns = Columns(names, line_no)
        if "Transaction Event Code" not in columns or (_STATUS in columns) is not self.has_status:
            raise Refused("format_mismatch", f"these are not the columns of {self.name}", line_no)
        return columns


class _Again:
    """A body whose first line was read to see what it is."""

    def __init__(self, head: bytes, body: BinaryIO) -> None:
        self._head, self._body = head, body

    def readline(self, size: int = -1, /) -> bytes:
        head, self._head = self._head, b""
        return head or self._body.readline(size)


def _delimiter(head: bytes) -> str:
    """What stands behind the type of the first record. Raises Refused with `format_mismatch`."""
    start = head.removeprefix(b"\xef\xbb\xbf").replace(b'"', b"")[:3]
    if start[:2].decode("latin-1") not in _TYPES or start[2:] not in (b",", b"\t"):
        raise Refused("format_mismatch", "it does not begin with a record of a PayPal report", 1)
    return start[2:].decode("ascii")


class _Reading:
    """What is known of a file while it is read."""

    def __init__(self, report: PayPalReport, options: ReadOptions) -> None:
        self.report, self.options = report, options
        self.stamps, self.footers = Stamps(), Footers()
        self.account: str | None = None
        self.period: tuple[date, date] | None = None
        self.document: Document | None = None
        self.columns: Columns | None = None
        self.pick: Callable[[list[str]], tuple[str, ...]] | None = None
        self.part = 0  # no file header yet
        self.has_report_header = False

    def items(self, rows: Iterator[tuple[int, list[str]]]) -> Iterator[Item]:
        for line_no, row in rows:
            record = row[0]
            if record == "SB":
                line = self._line(line_no, row)
                if line is not None:
                    yield line
            elif record in _FOOTERS:
                self.footers.add(line_no, row)
            else:
                self._header(line_no, row)
                if record == "CH" and self.document is None:
                    self.document = self._document()
                    yield self.document
        if self.document is None:
            yield self._document()
        yield self._totals()

    def _header(self, line_no: int, row: list[str]) -> None:
        record = row[0]
        if record not in _TYPES:
            raise Refused("record_unknown", f"{record[:10]!r} is no type of record", line_no)
        if self.footers.ends_report:
            raise Refused("record_out_of_place", f"{record} after the report's totals", line_no)
        if record == "CH":
            self.columns = self.report.columns(row, line_no)
            self.pick = self.columns.picker(NEEDED, OPTIONAL)
        elif record == "SH":
            self._section(line_no, row)
        elif record == "FH":
            self.part = self._part(line_no, row)
        else:
            self.has_report_header = True

    def _part(self, line_no: int, row: list[str]) -> int:
        number = count(row[1]) if len(row) > 1 else None
        if not number or self.part:
            raise Refused("header_invalid", "the file header has no number, or is there twice", line_no)
        return number

    def _section(self, line_no: int, row: list[str]) -> None:
        if len(row) < 4:
            raise Refused("header_invalid", "the section header has no period and account", line_no)
        if self.account not in (None, row[3]):
            raise Refused("accounts_mixed", f"account {row[3][:40]!r} among others", line_no)
        first, last = self.stamps.day(row[1], line_no), self.stamps.day(row[2], line_no)
        if first > last:
            raise Refused("header_invalid", "the section ends before it begins", line_no)
        self.account, self.period = row[3], (first, last)

    def _document(self) -> Document:
        first, last = self.period or asked_period(self.options)
        part = f"#{self.part}" if self.part > 1 else ""
        account = self.options.account if self.account is None else self.account
        return Document(f"{first}..{last}{part}", period_from=first, period_to=last, account=account)

    def _line(self, line_no: int, row: list[str]) -> Line | None:
        """Return the line of a row, or none if no balance moved."""
        if self.columns is None or self.pick is None or self.footers.ends_report:
            raise Refused("record_out_of_place", "a row where none can be", line_no)
        self.columns.check(row, line_no)
        found = Row._make(self.pick([*row, ""]))
        if found.event.startswith(AUTHORISATIONS) or found.status in _UNMOVED:
            self.footers.ignore(found.currency)
            return None
        return line_of(found, row, line_no, self.stamps)

    def _totals(self) -> Totals:
        if (self.part or self.has_report_header) and not self.footers.ends_file:
            raise Refused("truncated", "the file footer is missing")
        is_split = self.part > 1 or (self.has_report_header and not self.footers.ends_report)
        return Totals(
            controls=self.footers.controls(is_split=is_split),
            ignored=self.footers.ignored,
            is_complete=self.footers.ends_file or self.footers.ends_report,
        )


SETTLEMENT = PayPalReport("paypal.settlement", "PayPal settlement report (STL)", has_status=False)
TRANSACTION_DETAIL = PayPalReport(
    "paypal.transaction_detail", "PayPal transaction detail report (TRR)", has_status=True
)
