"""What all ISO 20022 cash management messages write alike: amounts, directions, days, numbers, accounts."""

from datetime import UTC, date, datetime
from re import ASCII
from re import compile as pattern
from xml.etree.ElementTree import Element
from zoneinfo import ZoneInfo

from reconciliation.formats.amounts import Grammar
from reconciliation.formats.contract import Refused
from reconciliation.formats.xml_stream import text_at

__all__ = [
    "account_at",
    "amount_of",
    "booking_day",
    "code_at",
    "day_of",
    "first_text",
    "moment_at",
    "number_at",
    "signed",
    "sum_at",
]

_AMOUNTS = Grammar(plus=True)
_is_number = pattern(r"\d{1,18}", ASCII).fullmatch
# ISODate and ISODateTime; the offset of a date, which XML Schema allows, says nothing of use.
_read_moment = pattern(
    r"(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d:\d\d)(?:\.\d+)?)?(Z|[+-]\d\d:\d\d)?", ASCII
).fullmatch
_SIGNS = {"CRDT": 1, "DBIT": -1}


def amount_of(element: Element, line: int) -> tuple[int, str]:
    """Return an amount and its currency: minor units, never negative. Raises Refused."""
    currency = element.get("Ccy", "")
    return sum_at((element.text or "").strip(), currency, line), currency


def sum_at(text: str, currency: str, line: int) -> int:
    """Return the minor units of an amount whose currency stands elsewhere. Raises Refused."""
    value = _AMOUNTS.read(text, currency, line)
    if value < 0:
        raise Refused("amount_invalid", f"{text[:40]!r} is negative; the direction is CdtDbtInd's", line)
    return value


def signed(element: Element, amount: int, line: int) -> int:
    """Return an amount with the sign of the `CdtDbtInd` beside it: credit positive. Raises Refused."""
    direction = text_at(element, "CdtDbtInd")
    if direction not in _SIGNS:
        raise Refused("direction_unknown", f"{direction[:10]!r} is neither CRDT nor DBIT", line)
    return amount * _SIGNS[direction]


def day_of(text: str, line: int) -> date | None:
    """Return the day of a date or a time, as it is written: the bank's own day. Raises Refused.

    For the days of balances and periods, where a time stands for the beginning or the end of a day, whatever
    the offset behind it. None for an empty text.
    """
    return _moment(text, line)[0] if text else None


def booking_day(element: Element, path: str, zone: ZoneInfo, line: int) -> date | None:
    """Return the day of an entry's `Dt` or `DtTm`; a time with an offset is brought to the bank's zone.

    Exactly midnight is a day that was written as a time, and stays the day that it says. Raises Refused.
    """
    text = moment_at(element, path)
    if not text:
        return None
    day, time, offset = _moment(text, line)
    if not offset or not time or time == "00:00:00":
        return day
    try:
        moment = datetime.fromisoformat(f"{day}T{time}{offset.replace('Z', '+00:00')}")
        return moment.astimezone(UTC).astimezone(zone).date()
    except (ValueError, OverflowError) as error:
        raise Refused("date_invalid", f"{text[:40]!r} is no time", line) from error


def moment_at(element: Element, path: str) -> str:
    """Return what `Dt` or `DtTm` below a path says."""
    return first_text(element, f"{path}/Dt", f"{path}/DtTm")


def _moment(text: str, line: int) -> tuple[date, str, str]:
    found = _read_moment(text)
    try:
        if found:
            return date.fromisoformat(found[1]), found[2] or "", found[3] or ""
    except ValueError:
        pass
    raise Refused("date_invalid", f"{text[:40]!r} is no date", line)


def number_at(element: Element, path: str, line: int) -> int | None:
    """Return a whole number, None where there is none. Raises Refused."""
    text = text_at(element, path)
    if not text:
        return None
    if not _is_number(text):
        raise Refused("number_invalid", f"{text[:40]!r} is no number", line)
    return int(text)


def account_at(element: Element, path: str) -> str:
    """Return an account's IBAN, or else what the bank calls it (`Othr/Id`; `PrtryAcct/Id` in version 01)."""
    found = first_text(
        element, f"{path}/Id/IBAN", f"{path}/Id/Othr/Id", f"{path}/Id/PrtryAcct/Id", f"{path}/Id/BBAN"
    )
    return found.replace(" ", "")


def code_at(element: Element, path: str) -> str:
    """Return a bank transaction code: domain/family/sub-family, or else the bank's own."""
    found = element.find(path)
    if found is None:
        return ""
    parts = (text_at(found, name) for name in ("Domn/Cd", "Domn/Fmly/Cd", "Domn/Fmly/SubFmlyCd"))
    return "/".join(part for part in parts if part) or text_at(found, "Prtry/Cd")


def first_text(element: Element, *paths: str) -> str:
    """Return the first text that there is at one of some paths; empty if there is none."""
    return next((text for path in paths if (text := text_at(element, path))), "")
