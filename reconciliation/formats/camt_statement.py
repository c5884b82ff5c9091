"""The head and the sums of a camt statement, report or notification."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import NamedTuple
from xml.etree.ElementTree import Element

from reconciliation.formats.camt_entries import Booking
from reconciliation.formats.contract import Control, Document, ReadOptions, Refused
from reconciliation.formats.iso20022 import (
    account_at,
    amount_of,
    day_of,
    first_text,
    moment_at,
    number_at,
    signed,
    sum_at,
)
from reconciliation.formats.xml_stream import text_at

__all__ = ["Head", "Sums", "controls", "head_of"]

# "Copy" alone is for somebody else than the owner of the account; the other two repeat what was sent before.
_COPIES = {"COPY": False, "CODU": True, "DUPL": True, "": False}
_OPENINGS = ("OPBD", "PRCD")
_CLOSING = "CLBD"
_ACCOUNT_LONGEST = 34  # Max34Text, and the longest IBAN
_ID_LONGEST = 35  # Max35Text


class Head(NamedTuple):
    """What stands before the entries."""

    document: Document
    closing_minor: int | None
    summary: Element | None


class _Balance(NamedTuple):
    code: str
    minor: int
    currency: str
    day: date | None


def head_of(element: Element, *, kind: str, currency: str, options: ReadOptions, line: int) -> Head:
    """Return the head of a statement; `currency` is that of its first entry, in case it says none itself.

    A statement has one opening balance (OPBD, else PRCD) and one closing balance (CLBD), in the account's
    currency. Reports and notifications have balances for information, which are not read.

    Raises Refused: `account_missing`, `closing_missing`, `opening_missing`, `two_closing_balances`,
    `two_opening_balances`, `currency_mixed`, `period_missing`, `identity_missing`, `copy_flag_unknown`.
    """
    account = account_at(element, "Acct")
    if not account or len(account) > _ACCOUNT_LONGEST:
        raise Refused("account_missing", "the statement does not say whose it is", line)
    flag = text_at(element, "CpyDplctInd")
    if flag not in _COPIES:
        raise Refused("copy_flag_unknown", f"{flag[:10]!r} is no CpyDplctInd", line)
    opening = closing = None
    own = text_at(element, "Acct/Ccy")
    if kind == "statement":
        opening, closing = _balances(element, own, line)
        own = closing.currency
    own = own or currency or options.currency
    first, last = _period(element, opening, closing, line)
    sequence = number_at(element, "ElctrncSeqNb", line) or number_at(element, "LglSeqNb", line) or None
    if kind != "statement":
        # Their numbers run as every bank likes; `Id` is unique by the standard.
        identity, sequence = f"{account}:{own}:{_id_of(element, line)}", None
    elif sequence:
        # Most banks begin anew every year, and a number that does not is no less unique within one.
        identity = f"{account}:{own}:{last.year}:{sequence}"
    else:
        identity = f"{account}:{own}:{first}:{last}:{closing.minor if closing else ''}"
    document = Document(
        identity=identity,
        kind=kind,
        period_from=first,
        period_to=last,
        sequence=sequence,
        account=account,
        currency=own,
        opening_minor=opening.minor if opening else None,
        is_copy=_COPIES[flag],
    )
    return Head(document, closing.minor if closing else None, element.find("TxsSummry"))


def _id_of(element: Element, line: int) -> str:
    text = text_at(element, "Id")
    if not text or len(text) > _ID_LONGEST:
        raise Refused("identity_missing", "the report has no Id of the length that the standard allows", line)
    return text


def _balances(element: Element, currency: str, line: int) -> tuple[_Balance, _Balance]:
    found: dict[str, list[_Balance]] = {}
    for balance in element.iterfind("Bal"):
        code = first_text(balance, "Tp/CdOrPrtry/Cd", "Tp/Cd")
        if code == _CLOSING or code in _OPENINGS:
            found.setdefault(code, []).append(_balance(balance, code, line))
    closing = _only(found.get(_CLOSING, []), "closing", line)
    opening = _only(found.get("OPBD") or found.get("PRCD") or [], "opening", line)
    currencies = {currency or closing.currency, opening.currency, closing.currency}
    if len(currencies) > 1:
        raise Refused("currency_mixed", f"the balances are in {' and '.join(sorted(currencies))}", line)
    return opening, closing


def _only(balances: list[_Balance], what: str, line: int) -> _Balance:
    if not balances:
        raise Refused(f"{what}_missing", f"the statement has no {what} balance", line)
    if len({balance.currency for balance in balances}) > 1:
        raise Refused("currency_mixed", f"there are {what} balances in several currencies", line)
    if len(balances) > 1:
        raise Refused(f"two_{what}_balances", f"there are {len(balances)} {what} balances", line)
    return balances[0]


def _balance(element: Element, code: str, line: int) -> _Balance:
    amount = element.find("Amt")
    if amount is None:
        raise Refused("amount_invalid", "a balance has no amount", line)
    minor, currency = amount_of(amount, line)
    return _Balance(code, signed(element, minor, line), currency, day_of(moment_at(element, "Dt"), line))


def _period(
    element: Element, opening: _Balance | None, closing: _Balance | None, line: int
) -> tuple[date, date]:
    """The days of a statement: as it says itself, else of its balances, else when it was written."""
    first, last = (
        day_of(first_text(element, f"FrToDt/{end}DtTm", f"FrToDt/{end}Dt"), line) for end in ("Fr", "To")
    )
    if not (first or last) and opening and closing:
        first, last = opening.day, closing.day
        if first and last and first < last and opening.code == "PRCD":
            first += timedelta(days=1)  # it is the end of the day before
    if not (first or last):
        first = day_of(text_at(element, "CreDtTm"), line)
    first, last = first or last, last or first
    if first is None or last is None:
        raise Refused("period_missing", "nothing says of which days the statement is", line)
    return min(first, last), last


@dataclass
class Sums:
    """What was read so far: numbers and amounts by direction, of booked entries and of the others."""

    counts: dict[tuple[bool, bool], int] = field(default_factory=dict)
    amounts: dict[tuple[bool, bool], int] = field(default_factory=dict)
    zeros: int = 0

    def add(self, booking: Booking) -> None:
        """Count an entry."""
        key = (booking.counts, booking.amount_minor >= 0)
        self.zeros += booking.amount_minor == 0
        self.counts[key] = self.counts.get(key, 0) + 1
        self.amounts[key] = self.amounts.get(key, 0) + abs(booking.amount_minor)

    @property
    def ignored(self) -> int:
        """How many entries do not count."""
        return sum(number for (counts, _), number in self.counts.items() if not counts)


def controls(summary: Element | None, sums: Sums, currency: str, line: int) -> tuple[Control, ...]:
    """Return what `TxsSummry` declares about booked entries. Raises Refused.

    Banks differ in whether pending entries are in the summary. Where the figure is what all entries come to,
    those that do not count are taken off it; anything else is declared as it stands. With an entry of zero,
    which has no direction for whoever counts, the numbers by direction are left out.
    """
    if summary is None:
        return ()
    found = []
    for what, total, directions in (
        ("lines", "TtlNtries", (True, False)),
        ("credit_count", "TtlCdtNtries", (True,)),
        ("debit_count", "TtlDbtNtries", (False,)),
    ):
        declared = number_at(summary, f"{total}/NbOfNtries", line)
        if declared is not None and not (sums.zeros and what != "lines"):
            value = _booked(declared, sums.counts, directions)
            found.append(Control(what, value, currency if what != "lines" else "", line_no=line))
    for what, total, is_credit in (("credits", "TtlCdtNtries", True), ("debits", "TtlDbtNtries", False)):
        text = text_at(summary, f"{total}/Sum")
        if text:
            value = _booked(sum_at(text, currency, line), sums.amounts, (is_credit,))
            found.append(Control(what, value, currency, line_no=line))
    return tuple(found)


def _booked(declared: int, read: dict[tuple[bool, bool], int], directions: tuple[bool, ...]) -> int:
    booked, others = (sum(read.get((counts, way), 0) for way in directions) for counts in (True, False))
    return declared - others if declared == booked + others else declared
