"""Stripe's reports about the balance: every transaction of it on a line of its own.

Columns are what whoever asked for the report chose, in their order; amounts are in major units. Times whose
column says UTC are preferred; others are in the zone that the report was asked for, which is the source's.

Nothing in these files says where they end: a file that was cut within a line is refused (Stripe ends every
line), one cut between two lines is not. What finds that is the length of the download, what the provider says
of its payouts (`ingest.declared`), and the report `balance.summary.1` of the same days (`stripe_summary`),
whose figures are these files' sums.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO
from zoneinfo import ZoneInfo

from reconciliation.formats.amounts import Grammar
from reconciliation.formats.clock import Clock
from reconciliation.formats.contract import Item, Kind, Line, ReadOptions, Refused, Totals
from reconciliation.formats.delimited import Columns, as_text, header, records, table
from reconciliation.formats.kinds import kind_of
from reconciliation.formats.periods import asked_document
from reconciliation.formats.references import check_reference, is_ours, was_a_number
from reconciliation.formats.stripe_kinds import CATEGORIES, DISPUTES, TYPES

__all__ = ["ACTIVITY", "EXPORT", "PAYOUTS", "PAYOUT_RECONCILIATION", "StripeReport"]

_minor_units = Grammar().read

# Our names in the metadata of what we made at Stripe.
_OUR_CHARGE = "payment_metadata[charge_id]"
_OUR_REFUND = "refund_metadata[refund_id]"
_OUR_TRANSFER = "transfer_metadata[payout_reference]"

_REFUNDS = (Kind.REFUND, Kind.REFUND_FAILURE)
_TRANSFERS = (Kind.TRANSFER, Kind.TRANSFER_REVERSAL)
_PAYOUTS = (Kind.PAYOUT, Kind.PAYOUT_REVERSAL)


@dataclass(frozen=True)
class Layout:
    """What a report calls its columns; `batch` and the optional ones may be absent."""

    transaction: str = "balance_transaction_id"
    source: str = "source_id"
    currency: str = "currency"
    gross: str = "gross"
    fee: str = "fee"
    net: str = "net"
    category: str = "reporting_category"
    time: tuple[str, str] = ("created_utc", "created")  # in UTC, in the zone of the report
    batch: str = "automatic_payout_id"
    is_batch_needed: bool = False
    charge: str = "charge_id"
    intent: str = "payment_intent_id"
    facing_amount: str = "customer_facing_amount"
    facing_currency: str = "customer_facing_currency"

    @property
    def needed(self) -> tuple[str, ...]:
        return (
            self.transaction, self.source, self.currency, self.gross, self.fee, self.net, self.category,
        )  # fmt: skip

    @property
    def optional(self) -> tuple[str, ...]:
        return (
            self.batch, self.charge, self.intent, self.facing_amount, self.facing_currency,
            _OUR_CHARGE, _OUR_REFUND, _OUR_TRANSFER,
        )  # fmt: skip


@dataclass
class StripeReport:
    """An itemised report. net = gross - fee holds on every line, or the file is refused."""

    name: str
    title: str
    layout: Layout
    is_export: bool = False  # the dashboard's, whose `Type` does not tell disputes from other adjustments
    kind: str = "psp"
    encodings: tuple[str, ...] = ("utf-8",)
    suffixes: tuple[str, ...] = (".csv",)

    def read(self, body: BinaryIO, options: ReadOptions) -> Iterator[Item]:
        """Yield the document of the asked days, its lines, and totals without a figure. Raises Refused.

        `reference` is the object that moved the money (ch_…, re_…, du_…, po_…), or the balance transaction
        where there is none; `related` the charge, or of a charge its PaymentIntent. Both are empty, and the
        line UNKNOWN, where a spreadsheet made a number of one.
        """
        yield asked_document(options)
        rows = records(body, encoding=options.encoding)
        columns = header(rows)
        if self.layout.is_batch_needed:
            columns.place(self.layout.batch)
        column, clock = self._clock(columns, options)
        needed = (*self.layout.needed, column)
        for line_no, fields, row in table(rows, columns, needed, self.layout.optional):
            yield self._line(line_no, fields, row, clock)
        yield Totals()

    def _clock(self, columns: Columns, options: ReadOptions) -> tuple[str, Clock]:
        zone = ZoneInfo(options.time_zone)
        in_utc, in_zone = self.layout.time
        if in_utc in columns or not in_zone:
            return in_utc, Clock(ZoneInfo("UTC"), zone)
        return in_zone, Clock(zone)

    def _line(self, line_no: int, fields: tuple[str, ...], row: list[str], clock: Clock) -> Line:
        (
            transaction, source, code, gross_text, fee_text, net_text, category, time,
            batch, charge, intent, facing_text, facing_code, our_charge, our_refund, our_transfer,
        ) = fields  # fmt: skip
        currency = code.upper()
        gross = _minor_units(gross_text, currency, line_no)
        fee = _minor_units(fee_text, currency, line_no)
        net = _minor_units(net_text, currency, line_no)
        if gross - fee != net:
            raise Refused(
                "line_does_not_add_up", f"{gross_text} - {fee_text} is not {net_text} {currency}", line_no
            )
        kind = self._kind(category, source, gross)
        if was_a_number(source, transaction, charge, intent):
            kind, transaction, source, charge, intent = Kind.UNKNOWN, "", "", "", ""
        reference = check_reference(source or transaction, line_no)
        ours = our_refund if kind in _REFUNDS else our_transfer if kind in _TRANSFERS else our_charge
        has_ours = is_ours(ours)
        moment, day, offset = clock.read(time, line_no)
        original_currency, original = self._original(facing_text, facing_code, currency, gross, line_no)
        return Line(
            line_no, kind, category[:80], reference, currency, gross, fee, net, day,
            check_reference(batch or (source if kind in _PAYOUTS else ""), line_no, 80),
            check_reference(charge if charge and charge != source else intent, line_no),
            ours if has_ours else "",
            original_currency, original, None, moment, f"{time} {offset}" if offset else time,
            None if has_ours and kind is not Kind.UNKNOWN else as_text(row[:-1]),
        )  # fmt: skip

    def _kind(self, category: str, source: str, gross: int) -> Kind:
        if not self.is_export:
            return kind_of(CATEGORIES, category, gross)
        if category == "adjustment" and source.startswith(("du_", "dp_")):
            return kind_of(DISPUTES, category, gross)
        return kind_of(TYPES, category, gross)

    def _original(
        self, text: str, code: str, currency: str, gross: int, line_no: int
    ) -> tuple[str, int | None]:
        """What the buyer saw, where that differs."""
        if not text or not code:
            return "", None
        facing = code.upper()
        amount = _minor_units(text, facing, line_no)
        return ("", None) if facing == currency and amount == gross else (facing, amount)


PAYOUT_RECONCILIATION = StripeReport(
    "stripe.payout_reconciliation",
    "Stripe payout reconciliation, itemised (payout_reconciliation.itemized.5)",
    Layout(is_batch_needed=True),
)
ACTIVITY = StripeReport(
    "stripe.balance_activity",
    "Stripe balance change from activity, itemised (balance_change_from_activity.itemized.3)",
    Layout(),
)
PAYOUTS = StripeReport(
    "stripe.payouts",
    "Stripe payouts, itemised (payouts.itemized.3)",
    Layout(source="payout_id", time=("effective_at_utc", "effective_at"), batch="payout_id"),
)
EXPORT = StripeReport(
    "stripe.export",
    "Stripe balance history, exported in the dashboard",
    Layout(
        transaction="id",
        source="Source",
        currency="Currency",
        gross="Amount",
        fee="Fee",
        net="Net",
        category="Type",
        time=("Created (UTC)", ""),
        batch="Transfer",
        charge="",
        intent="",
        facing_amount="Customer Facing Amount",
        facing_currency="Customer Facing Currency",
    ),
    is_export=True,
)
