"""The rows of PayPal's reports: amounts in hundredths whatever the currency, their direction beside them."""

from datetime import date, timedelta, timezone
from re import ASCII
from re import compile as pattern
from typing import NamedTuple

from reconciliation.formats.amounts import currency_exponent
from reconciliation.formats.clock import Clock, Reading
from reconciliation.formats.contract import Kind, Line, Refused
from reconciliation.formats.delimited import as_text
from reconciliation.formats.kinds import kind_of
from reconciliation.formats.paypal_kinds import EVENTS
from reconciliation.formats.references import check_reference, is_ours, was_a_number

__all__ = ["NEEDED", "OPTIONAL", "Row", "Stamps", "count", "hundredths", "line_of"]

NEEDED = (
    "Transaction ID", "PayPal Reference ID", "Transaction Event Code", "Transaction Initiation Date",
    "Transaction Completion Date", "Transaction Debit or Credit", "Gross Transaction Amount",
    "Gross Transaction Currency", "Fee Debit or Credit", "Fee Amount", "Fee Currency",
)  # fmt: skip
OPTIONAL = ("Invoice ID", "Custom Field", "Transactional Status")

_HUNDREDTHS = pattern(r"\d{1,15}", ASCII).fullmatch
_COUNT = pattern(r"\d{1,9}", ASCII).fullmatch
_STAMP = pattern(r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d [+-]\d{4}", ASCII).fullmatch
_SIGNS = {"CR": 1, "DR": -1}


class Row(NamedTuple):
    """What is read of a section body row, in the order of NEEDED and OPTIONAL."""

    transaction: str
    related: str
    event: str
    initiated: str
    completed: str
    direction: str
    gross: str
    currency: str
    fee_direction: str
    fee: str
    fee_currency: str
    invoice: str
    custom: str
    status: str


class Stamps:
    """Reads times like 2026/01/06 23:59:59 -0800; the day is that of the place where the offset holds."""

    __slots__ = ("_clocks",)

    def __init__(self) -> None:
        self._clocks: dict[str, Clock] = {}

    def read(self, text: str, line_no: int) -> Reading:
        """Return what a time means. Raises Refused with `time_invalid`."""
        if not _STAMP(text):
            raise Refused("time_invalid", f"{text[:40]!r} is no time", line_no)
        offset = text[20:]
        clock = self._clocks.get(offset)
        if clock is None:
            hours, minutes = int(offset[1:3]), int(offset[3:])
            if hours > 14 or minutes > 59:
                raise Refused("time_invalid", f"{text!r} is no time", line_no)
            ahead = timedelta(hours=hours, minutes=minutes)
            clock = self._clocks[offset] = Clock(timezone(-ahead if offset[0] == "-" else ahead))
        return clock.read(text[:19].replace("/", "-"), line_no)

    def day(self, text: str, line_no: int) -> date:
        """Return the day of a time. Raises Refused with `time_invalid`."""
        return self.read(text, line_no)[1]


def count(text: str) -> int | None:
    """Return a number of files or rows, or none for anything else."""
    return int(text) if _COUNT(text) else None


def hundredths(text: str, currency: str, line_no: int) -> int:
    """Return the minor units of an amount with two implied decimals: 10000 is 100 yen, 100.00 dollars.

    Source: Settlement Report Specification, "100,00 yen and $100.00 USD are both represented as 10000".
    Raises Refused with `amount_invalid` for anything but digits, and for parts of a minor unit.
    """
    places = currency_exponent(currency, line_no)
    if not _HUNDREDTHS(text):
        raise Refused("amount_invalid", f"{text[:40]!r} is no amount", line_no)
    minor, rest = divmod(int(text) * 10**places, 100)
    if rest:
        raise Refused("amount_invalid", f"{text} has parts of a minor unit of {currency}", line_no)
    return minor


def _signed(text: str, direction: str, currency: str, line_no: int) -> int:
    sign = _SIGNS.get(direction)
    if sign is None:
        raise Refused("direction_invalid", f"{direction[:10]!r} is neither DR nor CR", line_no)
    return sign * hundredths(text, currency, line_no)


def line_of(row: Row, whole: list[str], line_no: int, stamps: Stamps) -> Line:
    """Return the line of a row. Raises Refused.

    `reference` is the transaction, `related` what PayPal says it refers to: the payment of a refund, and of
    both legs of a conversion the payment that was converted. The day is that of its completion.
    """
    currency = row.currency
    gross = _signed(row.gross, row.direction, currency, line_no)
    fee = _fee(row, line_no)
    ours = row.invoice or row.custom
    is_damaged = was_a_number(row.transaction, row.related, ours)
    kind = Kind.UNKNOWN if is_damaged else kind_of(EVENTS, row.event, gross)
    has_ours = is_ours(ours)
    moment, day, _ = stamps.read(row.completed, line_no)
    if row.initiated != row.completed:
        moment, _, _ = stamps.read(row.initiated, line_no)
    return Line(
        line_no, kind, row.event[:80],
        "" if is_damaged else check_reference(row.transaction, line_no),
        currency, gross, fee, gross - fee, day,
        related="" if is_damaged else check_reference(row.related, line_no),
        merchant_reference=ours if has_ours else "",
        occurred_at=moment,
        local_time=row.initiated,
        raw=None if has_ours and kind is not Kind.UNKNOWN else as_text(whole),
    )  # fmt: skip


def _fee(row: Row, line_no: int) -> int:
    """What the account paid for it: a debit is positive, as in `Line.fee_minor`."""
    if not row.fee:
        return 0
    if row.fee_currency not in ("", row.currency):
        message = f"a fee in {row.fee_currency[:10]} of an amount in {row.currency}"
        raise Refused("currency_mixed", message, line_no)
    if not row.fee_direction and not row.fee.strip("0"):
        return 0
    return -_signed(row.fee, row.fee_direction, row.currency, line_no)
