"""The parts of SWIFT fields that carry money and days, strictly (SWIFT Standards MT, category 9)."""

from calendar import monthrange
from datetime import date
from re import ASCII, Match
from re import compile as pattern
from typing import NamedTuple

from reconciliation.formats.amounts import Grammar
from reconciliation.formats.contract import Refused
from reconciliation.formats.mt_fields import Field

__all__ = ["Balance", "Movement", "Sum", "balance_of", "day_of", "movement_of", "number_of", "sum_of"]

_AMOUNTS = Grammar(decimal=",")
_balance = pattern(r"([CD])(\d{6})([A-Z]{3})([\d,]{1,20})", ASCII).fullmatch
_sum = pattern(r"(\d{1,5})([A-Z]{3})([\d,]{1,20})", ASCII).fullmatch
_number = pattern(r"(\d{1,18})(?:/(\d{1,18}))?", ASCII).fullmatch
# Value date, entry date, mark, third letter of the currency, amount, type, references.
_movement = pattern(
    r"(\d{6})(\d{4}| {4})?(RC|RD|EC|ED|C|D)([A-Z])?(\d{1,15}(?:,\d{0,12})?)([A-Z][A-Z0-9]{3})(.*)",
    ASCII,
).fullmatch
_WRAPPED_MAX = 3


class Balance(NamedTuple):
    """An opening or closing balance; what is owed to the bank is negative."""

    minor: int
    currency: str
    day: date
    is_final: bool


class Movement(NamedTuple):
    """One `:61:`. `is_booked` is False for what is only expected (EC, ED)."""

    value_on: date
    booked_on: date
    amount_minor: int
    is_reversal: bool
    is_booked: bool
    code: str
    reference: str
    bank_reference: str


class Sum(NamedTuple):
    """A `:90D:` or `:90C:`: how many entries, and what they come to."""

    number: int
    currency: str
    minor: int


def balance_of(field: Field) -> Balance:
    """Return the balance in `:60F:`, `:62M:` and the like. Raises Refused."""
    text = _only_line(field)
    found = _balance(text)
    if found is None:
        raise Refused("balance_invalid", f":{field.tag}:{text[:40]} is no balance", field.line)
    minor = _AMOUNTS.read(found[4], found[3], field.line)
    day = day_of(found[2], field.line)
    return Balance(minor if found[1] == "C" else -minor, found[3], day, field.tag.endswith("F"))


def sum_of(field: Field) -> Sum:
    """Return the sum in `:90D:` or `:90C:`. Raises Refused."""
    text = _only_line(field)
    found = _sum(text)
    if found is None:
        raise Refused("balance_invalid", f":{field.tag}:{text[:40]} is no sum", field.line)
    return Sum(int(found[1]), found[2], _AMOUNTS.read(found[3], found[2], field.line))


def movement_of(field: Field, currency: str, near: date | None) -> Movement:
    """Return what a `:61:` moves. `near` is a day of the statement: the entry date is written without year.

    RC takes a credit back, and so is a debit; RD the other way round. A line may be wrapped before it tells
    its amount. Without an entry date it was booked on its value date. Raises Refused.
    """
    found = _wrapped(field)
    mark, letter = found[3], found[4]
    if letter and letter != currency[2:]:
        raise Refused("currency_mixed", f"an entry with {letter!r} on an account in {currency}", field.line)
    amount = _AMOUNTS.read(found[5], currency, field.line)
    value_on = day_of(found[1], field.line, is_value_date=True)
    reference, _, bank_reference = found[7].partition("//")
    return Movement(
        value_on=value_on,
        booked_on=_entry_day(found[2], near or value_on, field.line)
        if (found[2] or "").strip()
        else value_on,
        amount_minor=amount if mark in {"C", "RD", "EC"} else -amount,
        is_reversal=mark in {"RC", "RD"},
        is_booked=mark not in {"EC", "ED"},
        code=found[6],
        reference=reference,
        bank_reference=bank_reference,
    )


def _wrapped(field: Field) -> Match[str]:
    for used in range(1, _WRAPPED_MAX + 1):
        found = _movement("".join(field.lines[:used]))
        if found:
            return found
    raise Refused("entry_invalid", f":61:{field.lines[0][:60]} is no entry", field.line)


def number_of(field: Field) -> tuple[int, int]:
    """Return the number of a statement, and of its part. Raises Refused."""
    text = "".join(field.lines).strip()
    found = _number(text)
    if found is None:
        raise Refused("number_invalid", f":{field.tag}:{text[:40]} is no statement number", field.line)
    return int(found[1]), int(found[2] or 0)


def day_of(text: str, line: int, *, is_value_date: bool = False) -> date:
    """Return the day of YYMMDD; 80 to 99 are of the last century. Raises Refused.

    Banks that reckon interest with months of 30 days write value dates such as 30 February: the last of the
    month is meant. That is no date for anything else.
    """
    year, month, day = int(text[:2]), int(text[2:4]), int(text[4:6])
    year += 1900 if year >= 80 else 2000
    if is_value_date and month == 2 and day in {29, 30}:
        day = min(day, monthrange(year, month)[1])
    try:
        return date(year, month, day)
    except ValueError as error:
        raise Refused("date_invalid", f"{text!r} is no day", line) from error


def _entry_day(text: str, near: date, line: int) -> date:
    """The day of MMDD that is nearest to another: at the turn of the year it is in the next, or the last."""
    found = []
    for year in (near.year - 1, near.year, near.year + 1):
        try:
            found.append(date(year, int(text[:2]), int(text[2:])))
        except ValueError:
            continue
    if not found:
        raise Refused("date_invalid", f"{text!r} is no day of a year", line)
    return min(found, key=lambda day: abs(day - near))


def _only_line(field: Field) -> str:
    """The text of a field of one line: what stands below it, if anything, is blank."""
    if any(text.strip(" -") for text in field.lines[1:]):
        raise Refused("balance_invalid", f"field :{field.tag}: has more than one line", field.line)
    return field.lines[0].strip()
