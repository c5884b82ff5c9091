"""How WeChat Pay writes a bill: text with commas, a back-quote before every value, and totals at the end.

A value has no quotes around it, so that comma and back-quote together part two values; one that held both
would make a row too long, which is refused. The rows have no mark of their end but the titles of the totals:
a bill without the figures below them is `truncated`. (pay.weixin.qq.com: "format-trade", "format-fundflow")
"""

from collections.abc import Iterator, Sequence
from itertools import chain
from re import ASCII
from re import compile as pattern
from typing import BinaryIO

from reconciliation.formats.amounts import Grammar
from reconciliation.formats.chinese import Period, moment
from reconciliation.formats.contract import Control, ReadOptions, Refused
from reconciliation.formats.delimited import Columns, text_lines

__all__ = ["MONEY", "Bill", "Figures", "as_written", "begin"]

MONEY = Grammar()
_COUNT = pattern(r"(\d{1,9})(?:\.0+)?", ASCII).fullmatch
_WHOLE_FIGURE = pattern(r"-?\d+\.\d\d(\d{3})?", ASCII).fullmatch
_BRACKETS = str.maketrans("（）", "()")  # noqa: RUF001 - both are in use

Row = tuple[int, list[str]]


class Bill:
    """The lines of a bill: columns, rows, totals; `first_title` is how the titles of the totals begin."""

    def __init__(self, body: BinaryIO, encoding: str, *, marks: Sequence[str], first_title: str) -> None:
        self._lines = text_lines(body, encoding=encoding, must_end=False)
        self._first_title = first_title
        _, line = next(self._lines, (1, ""))
        names = line.rstrip("\r\n").translate(_BRACKETS).split(",")
        if not set(marks) <= set(names):
            raise Refused("format_mismatch", f"a header with {' and '.join(marks)} is due", 1)
        self.columns = Columns(names, 1)
        self._titles: list[str] = []
        self._titles_line = 0

    def rows(self) -> Iterator[Row]:
        """Yield the rows, each with an empty value more, until the totals."""
        width = self.columns.width
        for line_no, line in self._lines:
            if line.startswith(self._first_title):
                self._titles, self._titles_line = line.rstrip("\r\n").split(","), line_no
                return
            if not line.endswith("\n"):
                raise Refused("truncated", "the bill ends within its rows", line_no)
            if line.strip():
                values = _values(line, line_no)
                if len(values) != width:
                    self.columns.check(values, line_no)
                values.append("")
                yield line_no, values
        raise Refused("truncated", "the bill has no totals", None)

    def totals(self) -> "Figures":
        """Return the totals; to be called after the rows. Raises Refused for a bill that is not whole."""
        line_no, line = next(self._lines, (self._titles_line, ""))
        if not line.strip():
            raise Refused("truncated", "the bill ends before its totals", line_no)
        values = _values(line, line_no)
        if len(values) != len(self._titles):
            raise Refused("truncated", f"{len(values)} totals for {len(self._titles)} titles", line_no)
        # The line may end with the file: then only the last figure's decimals tell that it is all there.
        if not line.endswith("\n") and not _WHOLE_FIGURE(values[-1]):
            raise Refused("truncated", "the last total is not whole", line_no)
        for after, more in self._lines:
            if more.strip():
                raise Refused("data_after_end", "the bill goes on after its totals", after)
        return Figures(Columns(self._titles, self._titles_line), values, line_no)


def _values(line: str, line_no: int) -> list[str]:
    if not line.startswith("`"):
        raise Refused("back_quote_missing", "a value begins with a back-quote", line_no)
    return line.rstrip("\r\n")[1:].split(",`")


class Figures:
    """The totals of a bill, by their titles."""

    def __init__(self, titles: Columns, values: Sequence[str], line_no: int) -> None:
        self._titles, self._values, self._line_no = titles, values, line_no

    def __contains__(self, title: str) -> bool:
        return title in self._titles

    def count(self, what: str, title: str) -> Control:
        """Return a number of rows as a control."""
        text = self._values[self._titles.place(title)]
        found = _COUNT(text)
        if found is None:
            raise Refused("number_invalid", f"{text[:40]!r} is no number of lines", self._line_no)
        return Control(what, int(found[1]), line_no=self._line_no)

    def money(self, what: str, title: str, currency: str) -> Control:
        """Return an amount as a control."""
        text = self._values[self._titles.place(title)]
        return Control(what, MONEY.read(text, currency, self._line_no), currency, line_no=self._line_no)


def begin(rows: Iterator[Row], options: ReadOptions, time: int) -> tuple[Period, list[str], Iterator[Row]]:
    """Return the days of a bill, its first row (or an empty one), and all of its rows.

    A bill does not say which day it is about: whoever fetched it does, else the day of its first row, whose
    time is in the place `time`. Raises Refused with `period_unknown` where there is no row either.
    """
    asked, first = Period.asked(options), next(rows, None)
    if first is None:
        if asked is None:
            raise Refused("period_unknown", "a bill without rows, and nobody said which day it is about")
        return asked, [], rows
    line_no, row = first
    if asked is None:
        _, day, _ = moment(row[time], line_no)
        asked = Period(day, day)
    return asked, row, chain((first,), rows)


def as_written(row: Sequence[str]) -> str:
    """Return a row as the bill has it, for a person to read."""
    return ",".join(f"`{value}" for value in row[:-1])
