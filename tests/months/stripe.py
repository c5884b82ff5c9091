"""Stripe: payout_reconciliation.itemized.5, the transactions of each automatic payout.

Columns: docs.stripe.com/reports/report-types/payout-reconciliation. Amounts in major units; net = gross -
fee, the fee positive when we pay it; rows of fees carry the cost in gross.
"""

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from tests.months.days import Days
from tests.months.lines import Line
from tests.months.options import EXPONENTS, Options, major
from tests.months.sheets import Row
from tests.months.survey import Batch

__all__ = ["Stripe"]

_HEADER = [
    "automatic_payout_id", "automatic_payout_effective_at_utc", "automatic_payout_effective_at",
    "balance_transaction_id", "created_utc", "created", "available_on_utc", "available_on", "currency",
    "gross", "fee", "net", "reporting_category", "source_id", "description", "customer_facing_amount",
    "customer_facing_currency", "trace_id", "trace_id_status", "charge_id", "payment_intent_id",
    "charge_created_utc", "charge_created",
    "payment_method_type", "card_brand", "card_funding", "card_country", "dispute_reason",
    "payment_metadata[order_id]",
]  # fmt: skip
_NOTE = "payment_metadata[note]"
_OPTIONAL = ["statement_descriptor", "is_link", "customer_email", "invoice_id", "regulatory_tag"]
_CATEGORIES = {
    "second_dispute": "dispute",
    "reserve_hold": "risk_reserved_funds",
    "reserve_release": "risk_reserved_funds",
    "unknown_type": "treasury_rounding_sweep",
}
_EVERY = 97


class Stripe:
    """Turns the lines of a batch into rows."""

    def __init__(self, options: Options, days: Days) -> None:
        self._days, self._shape = days, options.shape
        self._currency, self._zone = options.currency, days.zone
        self._cents = EXPONENTS.get(options.currency, 2)
        self._notes = options.shape.metadata_breaks or options.shape.optional_columns
        self.header = _HEADER + [_NOTE] * self._notes + (_OPTIONAL if options.shape.optional_columns else [])

    def name(self, batch: Batch) -> str:
        """Return the name of the file of a batch."""
        return f"payout_reconciliation-{batch.day}.csv"

    def bank_text(self, batch: Batch) -> str:
        """Return what the bank's credit says."""
        return f"STRIPE PAYOUT {batch.payout_reference}"

    def rows(self, batch: Batch, lines: Iterator[Line]) -> Iterator[Row]:
        """Yield the rows of a batch. A report of payouts has no row of the payout itself."""
        begin = self._days.midnight(batch.day.toordinal())[0]
        utc, local = _times(begin, self._zone)
        head = [batch.payout_reference, utc, local]
        tail = [batch.trace, "supported"]
        lower = self._currency.lower()
        for count, line in enumerate(lines):
            yield self._row(line, head, tail, lower, count)

    def _row(self, line: Line, head: Row, tail: Row, lower: str, count: int) -> Row:
        utc, local = _times(line.at, self._zone)
        refs, method = line.refs, line.method
        charged = _times(line.charged_at, self._zone) if line.charged_at else ("", "")
        fee = line.fee[0] + line.fee[1] + line.fee[2] + line.fee[3]
        of_payment = bool(refs.charge)
        row = [
            *head, refs.transaction, utc, local, head[1], head[2], lower,
            major(line.gross_minor, self._currency), major(fee, self._currency),
            major(line.gross_minor - fee, self._currency),
            _CATEGORIES.get(line.kind, line.kind), refs.reference,
            line.text or ("Payment for " + line.merchant_reference),
            major(line.facing_minor, line.facing_currency) if of_payment else "",
            line.facing_currency.lower() if of_payment else "",
            *tail, refs.charge, refs.intent, *charged,
            method.name, method.brand, method.funding, method.country,
            "fraudulent" if line.kind.endswith("dispute") else "", line.merchant_reference,
        ]  # fmt: skip
        if self._notes:
            broken = self._shape.metadata_breaks and of_payment and count % _EVERY == 0
            row.append('Leave it "next door",\nplease' if broken else "")
        if self._shape.optional_columns:
            row += ["QUITTANCE*SHOP", "true" if method.name == "link" else "false", "", "", ""]
        return row


def _times(at: datetime, zone: ZoneInfo) -> tuple[str, str]:
    """Return a moment as Stripe writes it: in UTC, and in the zone of the report."""
    return at.isoformat(" ")[:19], at.astimezone(zone).isoformat(" ")[:19]
