"""How Alipay writes an export: comments, a table, and comments with totals; in GB18030, padded with tabs.

The comments before the table say what it is, whose, and of which days; those after it begin with the mark of
its end and finish with the time of the export, in brackets. Without these marks an export is `truncated`.
It comes in a zip with a summary beside it, under names in GB18030 that the zip does not declare.
"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import date, timedelta
from re import ASCII, Match
from re import compile as pattern
from typing import BinaryIO

from reconciliation.formats.amounts import Grammar
from reconciliation.formats.chinese import CURRENCY, Period
from reconciliation.formats.contract import ReadOptions, Refused
from reconciliation.formats.delimited import Columns, Record, records

__all__ = ["Export", "is_detail", "yuan"]

_BRACKETS = str.maketrans("（）：，", "():,")  # noqa: RUF001 - full and half width are both in use
_ACCOUNT = pattern(r"#账号:\[(\w{1,64})\]", ASCII).match
_DAY = r"\[(\d{4})年(\d{1,2})月(\d{1,2})日 (\d\d:\d\d:\d\d)\]"
_PERIOD = pattern(rf"#起始日期:{_DAY}\s*终止日期:{_DAY}", ASCII).match
_EXPORTED = pattern(r"#导出时间:\[[^\]]+\]", ASCII).fullmatch
_TOTAL = pattern(r"#+(\w{2})合计:(\d{1,9})笔,(?:\w*?)共(-?[\d.]+)元(?:,\w+共-?[\d.]+元)*").fullmatch
_MONEY = Grammar()


def is_detail(name: str) -> bool:
    """Whether this file of a zip is the detail, not the summary.

    Names come as code page 437, unless the zip says that they are UTF-8.
    """
    with suppress(UnicodeError):
        name = name.encode("cp437").decode("gb18030")
    return "明细" in name and "汇总" not in name


def yuan(text: str, line_no: int) -> int:
    """Return the fen of an amount. Raises Refused."""
    return _MONEY.read(text, CURRENCY, line_no)


class Export:
    """One export, read from the top: facts at once, then `rows`, then `total`."""

    def __init__(self, body: BinaryIO, options: ReadOptions, *, title: str) -> None:
        self._records = records(body, encoding=options.encoding, must_end=False)
        line_no, row = next(self._records, (1, [""]))
        if _comment(row) != title:
            raise Refused("format_mismatch", f"a first line {title!r} is due", line_no)
        self.account, period = "", None
        for line_no, row in self._records:
            if not row[0].startswith("#"):
                break
            comment = _comment(row)
            if found := _ACCOUNT(comment):
                self.account = found[1]
            elif found := _PERIOD(comment):
                period = _period(found, line_no)
        else:
            raise Refused("truncated", "the export ends before its table", line_no)
        if not self.account:
            raise Refused("account_missing", "the export does not say whose it is", line_no)
        if period is None:
            raise Refused("period_unknown", "the export does not say its days", line_no)
        asked = Period.asked(options)
        if asked and (asked.first, asked.last) != (period.first, period.last):
            raise Refused("period_mismatch", f"an export of {period}, where {asked} was asked for", line_no)
        self.period = period
        self.columns = Columns([name.strip().translate(_BRACKETS) for name in row], line_no)
        self._totals: dict[str, tuple[int, int, int]] = {}

    def rows(self) -> Iterator[Record]:
        """Yield the rows of the table, then read what comes after it. Raises Refused unless that is whole."""
        for line_no, row in self._records:
            if row[0].startswith("#"):
                break
            yield line_no, [value.strip() for value in row]
        else:
            raise Refused("truncated", "the table has no mark of its end")
        if "列表结束" not in row[0]:
            raise Refused("truncated", "a comment within the table that does not end it", line_no)
        self._read_end()

    def _read_end(self) -> None:
        is_exported = False
        for line_no, row in self._records:
            comment = _comment(row)
            if is_exported or not comment.startswith("#"):
                raise Refused("data_after_end", "the export goes on after its end", line_no)
            is_exported = _EXPORTED(comment) is not None
            if found := _TOTAL(comment):
                self._totals[found[1]] = (int(found[2]), abs(yuan(found[3], line_no)), line_no)
        if not is_exported:
            raise Refused("truncated", "the export ends before the time that it was made")

    def total(self, name: str) -> tuple[int, int, int] | None:
        """Return how many rows of a kind there are, their sum in fen without its sign, and the line of it."""
        return self._totals.get(name)


def _comment(row: list[str]) -> str:
    """Return a comment without the commas that fill its line up, and with half-width punctuation."""
    return ",".join(row).rstrip(",\t ").strip().translate(_BRACKETS)


def _period(found: Match[str], line_no: int) -> Period:
    """Return the days of an export; the end is midnight after the last of them, or a time on it."""
    try:
        first = date(int(found[1]), int(found[2]), int(found[3]))
        last = date(int(found[5]), int(found[6]), int(found[7]))
    except ValueError as error:
        raise Refused("time_invalid", f"no day: {error}", line_no) from error
    if found[8] == "00:00:00" and last > first:
        last -= timedelta(days=1)
    if last < first:
        raise Refused("time_invalid", "the export ends before it begins", line_no)
    return Period(first, last)
