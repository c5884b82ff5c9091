"""SWIFT MT940, customer statement, as files.

An own reader and not the library mt-940: that reads a file whole into memory, tries encodings until one fits,
joins statements, goes on after a line that it cannot read, and knows no line numbers. All of that is right
for showing statements, and wrong for booking by them. Here money and days are read strictly, and whatever is
around them is read as banks write it.

A statement may be spread over messages: then all but its first opening and its last closing balance are
intermediate (M), and follow on each other. A file is read twice, because what identifies a statement and the
days that it is about stand behind its entries.
"""

from collections.abc import Iterable, Iterator
from shutil import copyfileobj
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, NamedTuple, cast

from reconciliation.formats.contract import Document, Item, ReadOptions, Refused, Totals
from reconciliation.formats.mt_entries import account_of, entry_of
from reconciliation.formats.mt_fields import END, Field, fields, joined_details
from reconciliation.formats.mt_values import Balance, balance_of, number_of

__all__ = ["MT940", "MT_ENCODINGS"]

# What SWIFT itself allows is in all of them; banks write umlauts, in the encoding that they agreed on.
MT_ENCODINGS = ("utf-8", "iso-8859-1", "cp1252", "ascii")
# Their closing balances are kept while the file is read.
_STATEMENTS_MAX = 100_000
_IN_MEMORY_BYTES = 4 * 1024 * 1024
_CLOSINGS = frozenset({"62F", "62M"})


class _Start(NamedTuple):
    account: str
    number: int
    opening: Balance
    line: int


class _Booking(NamedTuple):
    movement: Field
    details: tuple[str, ...]


class _End(NamedTuple):
    closing: Balance


class _Mt940:
    """Statements, each in one currency.

    RC takes a credit back and is a debit, RD the other way round. What the entries are about (`:86:`) is read
    in German sub-fields, with Dutch slashes, or as free text.

    A statement is known by account, currency, year of the closing balance and number (`:28C:`), or without a
    number by its balances. A value date of 30 February is the month's last day; an entry date, which has no
    year, is the one nearest to the opening balance; without one, an entry was booked on its value date. The
    last line of a file must be whole.
    """

    name = "mt940"
    title = "SWIFT MT940, customer statement"
    kind = "bank"
    encodings: tuple[str, ...] = MT_ENCODINGS
    suffixes: tuple[str, ...] = (".sta", ".mt940", ".940", ".swi", ".txt")

    def read(self, body: BinaryIO, options: ReadOptions) -> Iterator[Item]:
        """Yield a Document, its Entries and its Totals for every statement, whatever messages it is in.

        Raises Refused: `format_mismatch` (no such message), `truncated` and `statement_incomplete` (the end
        of a message, a part of a statement is missing), `opening_missing`, `two_opening_balances`,
        `two_closing_balances`, `order_invalid`, `currency_mixed`, `account_missing`; for a field that cannot
        be read for certain `balance_invalid`, `entry_invalid`, `date_invalid`, `number_invalid`,
        `amount_invalid`; and what `mt_fields` raises.
        """
        with SpooledTemporaryFile(_IN_MEMORY_BYTES) as spooled:
            copyfileobj(body, spooled)
            copy = cast(BinaryIO, spooled)
            copy.seek(0)
            closings = _closings(_walked(copy, options))
            copy.seek(0)
            yield from _items(_walked(copy, options), iter(closings))


def _closings(steps: Iterable[_Start | _Booking | _End]) -> list[Balance]:
    found: list[Balance] = []
    for step in steps:
        if isinstance(step, _End):
            found.append(step.closing)
        elif isinstance(step, _Start) and len(found) >= _STATEMENTS_MAX:
            raise Refused("too_many_statements", f"more than {_STATEMENTS_MAX} statements", step.line)
    return found


def _walked(body: BinaryIO, options: ReadOptions) -> Iterator[_Start | _Booking | _End]:
    return _Walk().steps(fields(body, options.encoding, last=_CLOSINGS))


def _items(steps: Iterable[_Start | _Booking | _End], closings: Iterator[Balance]) -> Iterator[Item]:
    for step in steps:
        if isinstance(step, _Start):
            document, opening = _document(step, next(closings)), step.opening
            yield document
        elif isinstance(step, _Booking):
            entry = entry_of(step.movement, step.details, opening.currency, opening.day)
            if entry is None:
                raise Refused("entry_invalid", "a statement has no expected entries", step.movement.line)
            yield entry
        else:
            yield Totals(closing_minor=step.closing.minor)


def _document(start: _Start, closing: Balance) -> Document:
    opening = start.opening
    base = f"{start.account}:{opening.currency}"
    if start.number:
        identity = f"{base}:{closing.day.year}:{start.number}"
    else:
        identity = f"{base}:{opening.day}:{closing.day}:{closing.minor}"
    return Document(
        identity=identity,
        kind="statement",
        period_from=min(opening.day, closing.day),
        period_to=max(opening.day, closing.day),
        sequence=start.number or None,
        account=start.account,
        currency=opening.currency,
        opening_minor=opening.minor,
    )


class _Walk:
    """The messages of a file, put together to statements, with the order of their fields checked."""

    def __init__(self) -> None:
        # The statement whose next message is still to come, and the balance that it has to begin with.
        self._open: _Start | None = None
        self._carried: Balance | None = None
        self._begin_message()

    def _begin_message(self) -> None:
        self._account: Field | None = None
        self._number = 0
        self._opening: Balance | None = None
        self._closing: Balance | None = None
        self._movement: Field | None = None
        self._details: tuple[str, ...] = ()

    def steps(self, found: Iterable[Field]) -> Iterator[_Start | _Booking | _End]:
        messages = 0
        for field in found:
            match field.tag:
                case "20":
                    messages += 1
                    self._begin_message()
                case "25" | "25P":
                    self._account = field
                case "28" | "28C":
                    self._number = number_of(field)[0]
                case "60F" | "60M":
                    yield from self._opened(field)
                case "61":
                    yield from self._flushed()
                    self._check_place(field)
                    self._movement = field
                case "86" if self._movement:
                    self._details = joined_details(self._details, field)
                case "62F" | "62M":
                    yield from self._flushed()
                    yield from self._closed(field)
                case "34F":
                    raise Refused("format_mismatch", "this is an interim report, MT942", field.line)
                case _ if field.tag == END:
                    self._check_end(field)
        if not messages:
            raise Refused("format_mismatch", "there is no message in the file")
        if self._open is not None:
            raise Refused(
                "statement_incomplete", "the last part of the statement is missing", self._open.line
            )

    def _flushed(self) -> Iterator[_Booking]:
        if self._movement is not None:
            yield _Booking(self._movement, self._details)
        self._movement, self._details = None, ()

    def _opened(self, field: Field) -> Iterator[_Start]:
        if self._opening is not None:
            raise Refused("two_opening_balances", "the message has a second opening balance", field.line)
        opening = self._opening = balance_of(field)
        if self._account is None:
            raise Refused("account_missing", "the message does not say whose it is", field.line)
        start = _Start(account_of(self._account, opening.currency), self._number, opening, field.line)
        if opening.is_final:
            if self._open is not None:
                raise Refused("statement_incomplete", "the statement before it is not complete", field.line)
            self._open = start
            yield start
        elif self._open is None or self._carried is None:
            raise Refused("statement_incomplete", "the first part of the statement is missing", field.line)
        elif (start.account, start.number, opening[:2]) != (
            self._open.account,
            self._open.number,
            self._carried[:2],
        ):
            raise Refused("statement_incomplete", "a part does not follow on the part before", field.line)

    def _check_place(self, field: Field) -> None:
        if self._opening is None:
            raise Refused("opening_missing", "an entry stands before the opening balance", field.line)
        if self._closing is not None:
            raise Refused("order_invalid", "an entry stands behind the closing balance", field.line)

    def _closed(self, field: Field) -> Iterator[_End]:
        if self._opening is None:
            raise Refused("opening_missing", "the message has no opening balance", field.line)
        if self._closing is not None:
            raise Refused("two_closing_balances", "the message has a second closing balance", field.line)
        closing = self._closing = balance_of(field)
        if closing.currency != self._opening.currency:
            raise Refused(
                "currency_mixed",
                f"opened in {self._opening.currency}, closed in {closing.currency}",
                field.line,
            )
        if closing.is_final:
            self._open = self._carried = None
            yield _End(closing)
        else:
            self._carried = closing

    def _check_end(self, field: Field) -> None:
        if self._opening is None:
            raise Refused("opening_missing", "the message has no opening balance", field.line)
        if self._closing is None:
            raise Refused("truncated", "the message ends without a closing balance", field.line)


MT940 = _Mt940()
