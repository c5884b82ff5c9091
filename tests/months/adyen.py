"""Adyen: the Settlement Details Report, one file for each batch.

Columns and journal types: docs.adyen.com settlement-details-report. On each row, gross times rate less net is
commission + markup + scheme fees + interchange, to within one minor unit where a rate is; the nets of a file,
with the payout, add up to nothing.
"""

from collections.abc import Iterator
from datetime import timedelta

from tests.months.days import Days
from tests.months.events import rate_text
from tests.months.lines import Line
from tests.months.options import Options, major
from tests.months.sheets import Row
from tests.months.survey import Batch

__all__ = ["Adyen"]

_HEADER = [
    "Company Account", "Merchant Account", "Psp Reference", "Merchant Reference", "Payment Method",
    "Creation Date", "TimeZone", "Type", "Modification Reference", "Gross Currency", "Gross Debit (GC)",
    "Gross Credit (GC)",
    "Exchange Rate", "Net Currency", "Net Debit (NC)", "Net Credit (NC)", "Commission (NC)", "Markup (NC)",
    "Scheme Fees (NC)", "Interchange (NC)", "Payment Method Variant", "Modification Merchant Reference",
    "Batch Number", "Reserved4", "Reserved5", "Reserved6", "Reserved7", "Reserved8", "Reserved9",
    "Reserved10",
]  # fmt: skip
_METADATA = "Metadata"
_OPTIONAL = ["Booking Date", "Booking Date TimeZone", "Shopper Country", "ARN", "Merchant Order Reference"]
_TYPES = {
    "charge": "Settled",
    "refund": "Refunded",
    "refund_failure": "RefundedReversed",
    "dispute": "Chargeback",
    "second_dispute": "SecondChargeback",
    "dispute_reversal": "ChargebackReversed",
    "fee": "Fee",
    "network_cost": "InvoiceDeduction",
    "reserve_hold": "ReserveAdjustment",
    "reserve_release": "ReserveAdjustment",
    "unknown_type": "AcquirerSweep",
}
_NAMES = {
    "mastercard": "mc",
    "bancontact": "bcmc",
    "bank_transfer": "bankTransfer_IBAN",
    "sofort": "directEbanking",
}
COMPANY, MERCHANT = "Quittance", "QuittanceEU"
_EVERY = 97


class Adyen:
    """Turns the lines of a batch into rows."""

    def __init__(self, options: Options, days: Days) -> None:
        self._shape, self._currency, self._days = options.shape, options.currency, days
        self._metadata = options.shape.metadata_breaks or options.shape.optional_columns
        self.header = _HEADER + [_METADATA] * self._metadata
        self.header += _OPTIONAL if options.shape.optional_columns else []

    def name(self, batch: Batch) -> str:
        """Return the name of the file of a batch."""
        return f"settlement_detail_report_batch_{batch.number}.csv"

    def bank_text(self, batch: Batch) -> str:
        """Return what the bank's credit says; the payout row says the same."""
        return f"TX{batch.trace}XT batch {batch.number}, {MERCHANT}"

    def rows(self, batch: Batch, lines: Iterator[Line]) -> Iterator[Row]:
        """Yield the rows of a batch: what it carries, its lines, and what it pays or carries on."""
        begin = self._days.midnight(batch.day.toordinal())[0].astimezone(self._days.zone)
        number, at = str(batch.number), (begin.isoformat(" ")[:19], begin.tzname() or "")
        if batch.carried_in:
            text = f"Balancetransfer from batch {batch.number - 1}"
            yield self._own("Balancetransfer", "Balancetransfer", at, batch.carried_in, number, text)
        for count, line in enumerate(lines):
            yield self._row(line, number, count)
        if batch.payout:
            text = f"{self.bank_text(batch)} batch {batch.number}, {MERCHANT}"
            yield self._own("MerchantPayout", text, at, -batch.payout, number)
        if batch.carried_out:
            text = f"Balancetransfer to batch {batch.number + 1}"
            yield self._own("Balancetransfer", "Balancetransfer", at, -batch.carried_out, number, text)

    def _row(self, line: Line, number: str, count: int) -> Row:
        local = line.at.astimezone(self._days.zone)
        at = local.isoformat(" ")[:19], local.tzname() or ""
        refs, method = line.refs, line.method
        if not refs.charge:
            return self._own(_TYPES[line.kind], line.text, at, line.gross_minor, number)
        fee, name = line.fee, method.brand or method.name
        row = [
            COMPANY, MERCHANT, refs.charge, line.merchant_reference, _NAMES.get(name, name), *at,
            _TYPES[line.kind], refs.transaction, line.facing_currency,
            *self._sides(line.facing_minor, line.facing_currency), rate_text(line.rate), self._currency,
            *self._sides(line.net_minor, self._currency),
            *(major(part, self._currency) if part else "" for part in fee),
            _NAMES.get(name, name) + method.funding, line.merchant_reference, number, *[""] * 7,
        ]  # fmt: skip
        booked = local + timedelta(hours=31)
        return row + self._more(
            count, booked.isoformat(" ")[:19], at[1], method.country, line.merchant_reference
        )

    def _more(self, count: int, booked: str, zone: str, country: str, order: str) -> Row:
        more = []
        if self._metadata:
            broken = self._shape.metadata_breaks and count % _EVERY == 0
            more.append('{"note":\n"next door, please"}' if broken else "")
        if self._shape.optional_columns:
            more += [booked, zone, country, "", order]
        return more

    def _own(self, kind: str, text: str, at: tuple[str, str], net: int, number: str, to: str = "") -> Row:
        """Return a row of the batch itself, of no payment."""
        row = [
            COMPANY, MERCHANT, "", "", "", *at, kind, text, "", "", "", "", self._currency,
            *self._sides(net, self._currency), "", "", "", "", "", to, number, *[""] * 7,
        ]  # fmt: skip
        return row + self._more(1, *at, "", "")

    def _sides(self, minor: int, currency: str) -> tuple[str, str]:
        """Return an amount as debit and credit."""
        return ("", major(minor, currency)) if minor >= 0 else (major(-minor, currency), "")
