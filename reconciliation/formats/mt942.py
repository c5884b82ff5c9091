"""SWIFT MT942, interim transaction report, as files: what MT940 will tell again.

Only for a source that is read for news and does not book by statements. It has no balances; what it declares
are the number and the sum of debits and credits (`:90D:`, `:90C:`).
"""

from collections.abc import Iterator
from datetime import date
from re import ASCII
from re import compile as pattern
from typing import BinaryIO

from reconciliation.formats.contract import Control, Document, Item, ReadOptions, Refused, Totals
from reconciliation.formats.mt940 import MT_ENCODINGS
from reconciliation.formats.mt_details import plain
from reconciliation.formats.mt_entries import account_of, entry_of
from reconciliation.formats.mt_fields import END, Field, fields, joined_details
from reconciliation.formats.mt_values import Sum, day_of, movement_of, number_of, sum_of

__all__ = ["MT942"]

# After any field a dash ends the message: none of them is a mark of its end that every bank writes.
_LAST = frozenset({"20", "21", "25", "25P", "28", "28C", "34F", "13", "13D", "61", "86", "90D", "90C"})
_floor = pattern(r"([A-Z]{3})[CD]?[\d,]{1,16}", ASCII).fullmatch
_moment = pattern(r"(\d{6})(\d{4})(?:[+-]\d{4})?", ASCII).fullmatch


class _Mt942:
    """Reports, each known by account, currency, `:13D:` and number.

    Entries that are only expected (EC, ED) are counted as ignored. A report ends with its sums or a dash.
    """

    name = "mt942"
    title = "SWIFT MT942, interim report"
    kind = "bank"
    encodings: tuple[str, ...] = MT_ENCODINGS
    suffixes: tuple[str, ...] = (".sta", ".mt942", ".942", ".swi", ".txt")

    def read(self, body: BinaryIO, options: ReadOptions) -> Iterator[Item]:
        """Yield a Document of kind "report", its Entries and its Totals for every message.

        What is only expected (EC, ED) is counted as ignored. Raises Refused, as MT940 does, and
        `period_missing` for a report that says neither when it was made nor has entries.
        """
        report: _Report | None = None
        messages = 0
        for field in fields(body, options.encoding, last=_LAST):
            if field.tag == "20":
                messages += 1
                report = _Report(options, field)
            elif report is not None:
                yield from report.take(field)
        if not messages:
            raise Refused("format_mismatch", "there is no message in the file")


class _Report:
    """One message being read."""

    def __init__(self, options: ReadOptions, reference: Field) -> None:
        self._currency, self._reference, self._line = "", reference, reference.line
        self._fallback = options.currency
        self._account: Field | None = None
        self._number = (0, 0)
        self._stamp = ""
        self._day: date | None = None
        self._movement: Field | None = None
        self._details: tuple[str, ...] = ()
        self._sums: dict[str, Sum] = {}
        self._begun = False
        self._ignored = 0

    def take(self, field: Field) -> Iterator[Item]:
        match field.tag:
            case "25" | "25P":
                self._account = field
            case "28" | "28C":
                self._number = number_of(field)
            case "34F":
                self._take_currency(field)
            case "13" | "13D":
                self._take_moment(field)
            case "61":
                yield from self._flushed()
                if self._sums:
                    raise Refused("order_invalid", "an entry stands behind the sums", field.line)
                self._movement = field
            case "86" if self._movement:
                self._details = joined_details(self._details, field)
            case "90D" | "90C":
                yield from self._flushed()
                if field.tag in self._sums:
                    raise Refused("order_invalid", f"there are two fields :{field.tag}:", field.line)
                self._sums[field.tag] = sum_of(field)
            case "60F" | "60M" | "62F" | "62M":
                raise Refused("format_mismatch", "this is a statement, MT940", field.line)
            case _ if field.tag == END:
                yield from self._finished(field)

    def _take_currency(self, field: Field) -> None:
        found = _floor(field.lines[0].strip())
        if found is None or (self._currency and found[1] != self._currency):
            raise Refused("currency_mixed", f":34F:{field.lines[0][:30]} names no one currency", field.line)
        self._currency = found[1]

    def _take_moment(self, field: Field) -> None:
        found = _moment(field.lines[0].strip())
        if found is None:
            raise Refused("date_invalid", f":{field.tag}:{field.lines[0][:30]} is no time", field.line)
        self._day, self._stamp = day_of(found[1], field.line), found[1] + found[2]

    def _flushed(self) -> Iterator[Item]:
        """The entry before this field, and before the first one the Document."""
        if self._movement is None:
            return
        field, details = self._movement, self._details
        self._movement, self._details = None, ()
        yield from self._opened(field)
        entry = entry_of(field, details, self._currency, self._day)
        if entry is None:
            self._ignored += 1
        else:
            yield entry

    def _opened(self, first: Field | None) -> Iterator[Item]:
        if self._begun:
            return
        self._begun = True
        self._currency = self._currency or self._fallback
        if not self._currency:
            raise Refused("currency_unknown", "the report does not say its currency", self._line)
        if self._account is None:
            raise Refused("account_missing", "the message does not say whose it is", self._line)
        account = account_of(self._account, self._currency)
        day = self._day or (movement_of(first, self._currency, None).booked_on if first else None)
        if day is None:
            raise Refused("period_missing", "the report does not say of when it is", self._line)
        stamp = self._stamp or plain("".join(self._reference.lines), 16)
        number, part = self._number
        yield Document(
            identity=f"{account}:{self._currency}:{stamp}:{number}/{part}",
            kind="report",
            period_from=day,
            period_to=day,
            account=account,
            currency=self._currency,
        )

    def _finished(self, field: Field) -> Iterator[Item]:
        yield from self._flushed()
        if not self._sums and not field.lines:
            raise Refused("truncated", "the report has neither sums nor a mark of its end", field.line)
        yield from self._opened(None)
        yield Totals(controls=self._controls(), ignored=self._ignored)

    def _controls(self) -> tuple[Control, ...]:
        """What the report declares; with expected entries in it nobody says what that is of."""
        found: list[Control] = []
        for tag, count, amount in (("90D", "debit_count", "debits"), ("90C", "credit_count", "credits")):
            declared = self._sums.get(tag)
            if declared is None or self._ignored:
                continue
            if declared.currency != self._currency:
                raise Refused("currency_mixed", f"a sum in {declared.currency}", self._line)
            found.append(Control(count, declared.number, self._currency, line_no=self._line))
            found.append(Control(amount, declared.minor, self._currency, line_no=self._line))
        return tuple(found)


MT942 = _Mt942()
