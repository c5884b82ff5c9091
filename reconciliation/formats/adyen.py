"""Adyen's settlement details report: the journal of one payable batch.

Columns come in any order and number. Amounts are in major units, debit and credit apart; the gross amount is
in the buyer's currency (GC), all else in that of the batch (NC). Days are those of the account's zone, which
the file names by its abbreviation.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import chain
from re import ASCII
from re import compile as pattern
from typing import BinaryIO, NamedTuple
from zoneinfo import ZoneInfo

from reconciliation.formats.adyen_kinds import CLOSES, EXTERNAL, JOURNALS
from reconciliation.formats.amounts import Grammar, currency_exponent
from reconciliation.formats.clock import Clock
from reconciliation.formats.contract import Control, Document, Item, Kind, Line, ReadOptions, Refused, Totals
from reconciliation.formats.delimited import as_text, header, records, table
from reconciliation.formats.kinds import kind_of
from reconciliation.formats.references import check_reference, is_ours, was_a_number

__all__ = ["SETTLEMENT_DETAILS", "AdyenSettlementDetails"]

_minor_units = Grammar().read

_NEEDED = (
    "Merchant Account", "Psp Reference", "Merchant Reference", "Creation Date", "TimeZone", "Type",
    "Modification Reference", "Gross Currency", "Gross Debit (GC)", "Gross Credit (GC)", "Exchange Rate",
    "Net Currency", "Net Debit (NC)", "Net Credit (NC)", "Commission (NC)", "Markup (NC)", "Scheme Fees (NC)",
    "Interchange (NC)", "Batch Number",
)  # fmt: skip
_OPTIONAL = ("Modification Merchant Reference", "Booking Date", "Booking Date TimeZone")

_RATE = pattern(r"\d{1,12}(?:\.\d{1,12})?", ASCII).fullmatch
_BATCH = pattern(r"\d{1,15}", ASCII).fullmatch
_BATCH_IN_NAME = pattern(r"batch[_-]?(\d{1,15})(?!\d)", ASCII).search
# The bank's text of the payout begins with it.
_PAYOUT_TRACE = pattern(r"TX\w{1,40}XT", ASCII).match

# What Adyen abbreviates; one that is not here means something only if it is the source's zone.
_OFFSETS = {
    "UTC": 0, "GMT": 0, "WET": 0, "WEST": 60, "BST": 60, "CET": 60, "CEST": 120, "EET": 120, "EEST": 180,
    "EST": -300, "EDT": -240, "PST": -480, "PDT": -420, "JST": 540, "SGT": 480, "HKT": 480,
    "AEST": 600, "AEDT": 660, "NZST": 720, "NZDT": 780, "BRT": -180,
}  # fmt: skip


class _Row(NamedTuple):
    account: str
    payment: str
    merchant_reference: str
    created: str
    zone: str
    journal: str
    modification: str
    gross_currency: str
    gross_debit: str
    gross_credit: str
    rate: str
    currency: str
    net_debit: str
    net_credit: str
    commission: str
    markup: str
    scheme: str
    interchange: str
    batch: str
    modification_reference: str
    booked: str
    booked_zone: str


def _spelled(name: str) -> str:
    """Accounts differ in capitals and blanks: PSP Reference, Time Zone."""
    return "".join(name.split()).lower()


class AdyenSettlementDetails:
    """settlement_detail_report_batch_<n>.csv. Its document is the batch, whose numbers have no gaps."""

    name = "adyen.settlement_details"
    title = "Adyen settlement details report: one payable batch"
    kind = "psp"
    encodings: tuple[str, ...] = ("utf-8",)
    suffixes: tuple[str, ...] = (".csv",)

    def read(self, body: BinaryIO, options: ReadOptions) -> Iterator[Item]:
        """Yield the batch, its lines, and that they are worth nothing together, the payout included.

        On lines with a gross amount, gross × rate - net = commission + markup + scheme fees + interchange
        must hold: exactly, or where the rate makes more decimals than the currency has, to a minor unit.
        `gross_minor` is net and fees, in the currency of the batch.

        `reference` is the modification (the capture, refund or chargeback), `related` the payment; both are
        empty, and the line UNKNOWN, where a spreadsheet made a number of one. A batch that has no payout and
        is not carried over is not complete. Adyen ends every line. Raises Refused.
        """
        rows = records(body, encoding=options.encoding)
        found = table(rows, header(rows, _spelled), _NEEDED, _OPTIONAL)
        first = next(found, None)
        if first is None:
            yield _empty_batch(options)
            yield Totals(is_complete=False)
            return
        line_no, fields, _ = first
        head = _Row._make(fields)
        number = _batch(head, line_no)
        yield Document(f"batch:{number}", sequence=number, account=head.account)
        clock = Clock(ZoneInfo("UTC"))
        currencies: set[str] = set()
        closed: set[str] = set()
        zone = ZoneInfo(options.time_zone)
        for line_no, fields, whole in chain([first], found):
            row = _Row._make(fields)
            if row.batch != head.batch:
                raise Refused("batch_mixed", f"batch {row.batch[:20]} in a file of {head.batch}", line_no)
            if row.account != head.account:
                raise Refused("accounts_mixed", f"account {row.account[:80]!r} among others", line_no)
            line = _line(line_no, row, whole, clock, zone)
            currencies.add(line.currency)
            if row.journal in CLOSES:
                closed.add(line.currency)
            yield line
        controls = tuple(Control("net", 0, currency) for currency in sorted(closed))
        yield Totals(controls=controls, is_complete=closed == currencies)


def _batch(row: _Row, line_no: int) -> int:
    if not _BATCH(row.batch):
        raise Refused("batch_unknown", f"{row.batch[:20]!r} is no number of a batch", line_no)
    return int(row.batch)


def _empty_batch(options: ReadOptions) -> Document:
    named = _BATCH_IN_NAME(options.name)
    if named is None:
        raise Refused("batch_unknown", "it has no line, and its name does not say which batch it is")
    return Document(f"batch:{int(named[1])}", sequence=int(named[1]), account=options.account)


def _line(line_no: int, row: _Row, whole: list[str], clock: Clock, zone: ZoneInfo) -> Line:
    currency = row.currency.upper()
    net = _balance(row.net_credit, row.net_debit, currency, line_no)
    fee = sum(
        _minor_units(text, currency, line_no)
        for text in (row.commission, row.markup, row.scheme, row.interchange)
        if text
    )
    gross = net + fee
    original_currency, original, rate = _original(row, currency, gross, line_no)
    kind = kind_of(JOURNALS, row.journal, gross)
    # What belongs to no payment has Adyen's own texts where our references stand.
    ours = (row.modification_reference or row.merchant_reference) if row.payment else ""
    is_damaged = was_a_number(row.payment, row.modification, ours)
    if is_damaged:
        kind = Kind.UNKNOWN
    reference, related = ("", "") if is_damaged else _references(row, line_no)
    has_ours = is_ours(ours)
    _, day, _ = clock.read(row.booked or row.created, line_no)
    moment, local_time = _moment(row.created, row.zone, clock, zone, line_no)
    return Line(
        line_no, kind, row.journal[:80], reference, currency, gross, fee, net, day,
        batch=row.batch, related=related, merchant_reference=ours if has_ours else "",
        original_currency=original_currency, original_minor=original, rate=rate,
        occurred_at=moment, local_time=local_time,
        raw=None if has_ours and kind is not Kind.UNKNOWN else as_text(whole[:-1]),
    )  # fmt: skip


def _balance(credit: str, debit: str, currency: str, line_no: int) -> int:
    """What a credit and a debit column say together; neither has a sign."""
    if credit[:1] == "-" or debit[:1] == "-":
        raise Refused("amount_invalid", "a debit or credit has a sign", line_no)
    comes_in = _minor_units(credit, currency, line_no) if credit else 0
    return comes_in - (_minor_units(debit, currency, line_no) if debit else 0)


def _original(row: _Row, currency: str, gross: int, line_no: int) -> tuple[str, int | None, Decimal | None]:
    """What the buyer saw, where it differs; checks that the line adds up."""
    if not (row.gross_credit or row.gross_debit):
        return "", None, None
    seen = row.gross_currency.upper()
    amount = _balance(row.gross_credit, row.gross_debit, seen, line_no)
    rate = _rate(row.rate, line_no)
    if row.journal not in EXTERNAL and (rate is not None or seen == currency):
        places = currency_exponent(currency, line_no) - currency_exponent(seen, line_no)
        rest = (Decimal(amount) * (rate or 1)).scaleb(places) - gross
        if abs(rest) > (0 if seen == currency else 1):
            raise Refused("line_does_not_add_up", "gross × rate - net is not the sum of the fees", line_no)
    return ("", None, None) if seen == currency else (seen, amount, rate)


def _rate(text: str, line_no: int) -> Decimal | None:
    if not text:
        return None
    if not _RATE(text):
        raise Refused("rate_invalid", f"{text[:40]!r} is no exchange rate", line_no)
    return Decimal(text)


def _references(row: _Row, line_no: int) -> tuple[str, str]:
    trace = _PAYOUT_TRACE(row.modification) if row.journal == "MerchantPayout" else None
    if not row.payment:
        reference = trace[0] if trace else row.modification_reference or row.modification
        return check_reference(reference, line_no), ""
    reference = row.modification or row.payment
    related = row.payment if row.payment != reference else ""
    return check_reference(reference, line_no), check_reference(related, line_no)


def _moment(
    time: str, abbreviation: str, clock: Clock, zone: ZoneInfo, line_no: int
) -> tuple[datetime | None, str]:
    """The moment in UTC, if the abbreviation says which zone it is; and the time as it is written."""
    read, _, _ = clock.read(time, line_no)
    written = f"{time} {abbreviation}"[:40]
    if read is None:
        return None, written
    minutes = _OFFSETS.get(abbreviation)
    if minutes is not None:
        return read - timedelta(minutes=minutes), written
    for fold in (0, 1):
        local = read.replace(tzinfo=zone, fold=fold)
        if abbreviation and local.tzname() == abbreviation:
            return local.astimezone(UTC), written
    return None, written


SETTLEMENT_DETAILS = AdyenSettlementDetails()
