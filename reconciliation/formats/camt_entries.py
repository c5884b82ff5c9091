"""The entries of camt.052, .053 and .054: `Ntry` and the `TxDtls` in it, as Entry.

An entry with one detail is one Entry. An entry with several is a collective booking: an Entry of its own, and
one of each detail with it as `parent`; the amounts of details are informative and need not add up. Where the
bank does not tell a detail's amount in the account's currency, it is 0, and what it tells is in the text.
"""

from typing import NamedTuple
from xml.etree.ElementTree import Element
from zoneinfo import ZoneInfo

from reconciliation.formats.contract import Entry, Refused
from reconciliation.formats.iso20022 import (
    account_at,
    amount_of,
    booking_day,
    code_at,
    first_text,
    signed,
)
from reconciliation.formats.xml_stream import text_at

__all__ = [
    "Account",
    "Booking",
    "booking_of",
    "detail_of",
    "detailed",
    "entry_of",
    "with_batch",
    "with_note",
]

_BOOKED = "BOOK"
# Expected, informative, or to be booked in the future: they move no balance.
_IGNORED = frozenset({"PDNG", "INFO", "FUTR"})
# Where a detail may say what it is worth; the first in the account's currency counts.
_DETAIL_AMOUNTS = ("Amt", "AmtDtls/TxAmt/Amt", "AmtDtls/CntrValAmt/Amt", "AmtDtls/InstdAmt/Amt")
_NO_REFERENCE = frozenset({"NOTPROVIDED", "NOT PROVIDED", "NONREF"})
_REMITTANCE = ("RmtInf/Ustrd", "RmtInf/Strd/CdtrRefInf/Ref", "RmtInf/Strd/CdtrRefInf/CdtrRef",
               "RmtInf/Strd/AddtlRmtInf", "AddtlTxInf")  # fmt: skip


class Account(NamedTuple):
    """Whose entries they are. `zone` is where the bank's days are."""

    number: str
    currency: str
    zone: ZoneInfo


class Booking(NamedTuple):
    """How much an entry moves, which way, and whether it counts."""

    amount_minor: int
    currency: str
    counts: bool


def booking_of(ntry: Element, line: int) -> Booking:
    """Return what an entry moves. Raises Refused."""
    amount = ntry.find("Amt")
    if amount is None:
        raise Refused("amount_invalid", "the entry has no amount", line)
    status = first_text(ntry, "Sts/Cd", "Sts")
    if status != _BOOKED and status not in _IGNORED:
        raise Refused("status_unknown", f"{status[:10]!r} is no status of an entry", line)
    minor, currency = amount_of(amount, line)
    return Booking(signed(ntry, minor, line), currency, status == _BOOKED)


def entry_of(ntry: Element, booking: Booking, account: Account, line_no: int, line: int) -> Entry:
    """Return an entry without its details.

    A reversal has its own direction already (RvslInd says only that it is one). Without a booking date, which
    the standard leaves to the bank, the value date is meant. Raises Refused.
    """
    value_on = booking_day(ntry, "ValDt", account.zone, line)
    booked_on = booking_day(ntry, "BookgDt", account.zone, line) or value_on
    if booked_on is None:
        raise Refused("date_missing", "the entry has neither booking date nor value date", line)
    return Entry(
        line_no=line_no,
        amount_minor=booking.amount_minor,
        currency=booking.currency,
        booked_on=booked_on,
        value_on=value_on,
        bank_reference=_reference(ntry, "AcctSvcrRef", "NtryRef"),
        batch_reference=_batch_of(ntry),
        code=_clipped(code_at(ntry, "BkTxCd"), 40),
        is_reversal=text_at(ntry, "RvslInd") in {"true", "1"},
        text=_clipped(text_at(ntry, "AddtlNtryInf"), 1000),
    )


def with_note(entry: Entry, note: str) -> Entry:
    """Return an entry with what the bank wrote behind its details (`AddtlNtryInf`)."""
    return entry._replace(text=_joined([entry.text, note]))


def with_batch(entry: Entry, batch: Element) -> Entry:
    """Return an entry with the reference of the batch that an `NtryDtls` is about."""
    return entry._replace(batch_reference=entry.batch_reference or _batch_of(batch))


def detailed(entry: Entry, batch: Element, details: Element, account: Account) -> Entry:
    """Return an entry with what its only detail says. The entry's own amount, dates and reference stay."""
    known = _known(entry, batch, details, account)
    return known._replace(bank_reference=entry.bank_reference or known.bank_reference)


def detail_of(
    entry: Entry, batch: Element, details: Element, account: Account, *, line_no: int, line: int
) -> Entry:
    """Return a detail of a collective booking, with a line of its own. Raises Refused."""
    amount, note = _worth(entry, details, account, line)
    known = _known(entry._replace(text=note, bank_reference=""), batch, details, account)
    return known._replace(line_no=line_no, parent=entry.line_no, amount_minor=amount)


def _worth(entry: Entry, details: Element, account: Account, line: int) -> tuple[int, str]:
    """What a detail is worth; or 0, and what it is worth in another currency as a text."""
    found = [element for path in _DETAIL_AMOUNTS if (element := details.find(path)) is not None]
    chosen = next((element for element in found if element.get("Ccy") == account.currency), None)
    if chosen is None:
        return 0, f"{found[0].get('Ccy', '')} {(found[0].text or '').strip()}".strip() if found else ""
    minor = amount_of(chosen, line)[0]
    if details.find("CdtDbtInd") is not None:
        return signed(details, minor, line), ""
    return (minor if entry.amount_minor >= 0 else -minor), ""


def _known(entry: Entry, batch: Element, details: Element, account: Account) -> Entry:
    reason = first_text(details, "RtrInf/Rsn/Cd", "RtrInf/Rsn/Prtry", "RtrInf/RtrRsn/Cd")
    name, number = _counterparty(entry, details, account, is_return=bool(reason))
    remittance = [(found.text or "").strip() for path in _REMITTANCE for found in details.iterfind(path)]
    return entry._replace(
        bank_reference=_reference(details, "Refs/AcctSvcrRef"),
        end_to_end=_reference(details, "Refs/EndToEndId"),
        batch_reference=_batch_of(batch) or _batch_in(details) or entry.batch_reference,
        code=_clipped(code_at(details, "BkTxCd"), 40) or entry.code,
        return_reason=_clipped(reason, 16),
        counterparty=_clipped(name, 140),
        counterparty_account=_clipped(number, 64),
        text=_joined([*remittance, entry.text]),
    )


def _counterparty(entry: Entry, details: Element, account: Account, *, is_return: bool) -> tuple[str, str]:
    """The other side: who pays a credit, who gets a debit. Returns and reversals keep the first roles."""
    parties = ["Dbtr", "Cdtr"] if (entry.amount_minor >= 0) != (entry.is_reversal or is_return) else []
    for party in parties or ["Cdtr", "Dbtr"]:
        base = f"RltdPties/{party}"
        name, number = first_text(details, f"{base}/Pty/Nm", f"{base}/Nm"), account_at(details, f"{base}Acct")
        if (name or number) and number != account.number:
            return name, number
    return "", ""


def _reference(element: Element, *paths: str) -> str:
    """The first reference that is one: where there is none, forms want a word for it."""
    found = (text_at(element, path) for path in paths)
    return _clipped(next((text for text in found if text and text not in _NO_REFERENCE), ""), 64)


def _batch_of(element: Element) -> str:
    return _reference(element, "Btch/PmtInfId", "Btch/MsgId")


def _batch_in(details: Element) -> str:
    return _reference(details, "Refs/PmtInfId", "Refs/MsgId")


def _joined(texts: list[str]) -> str:
    """Texts one after another, each once: banks repeat them on every level."""
    return _clipped(" ".join(dict.fromkeys(text for text in texts if text)), 1000)


def _clipped(text: str, longest: int) -> str:
    """What is longer than the standard allows is cut: it is no amount, and matches nothing."""
    return text[:longest]
