"""The report types: what each lists, which parameters it needs and takes, and its columns.

Names and columns are those of the provider's public documentation of reports; of the columns, those about
things that the sandbox does not have (invoices, subscriptions, taxes) are left out.
"""

from __future__ import annotations

from dataclasses import dataclass

#: Columns of one movement, in the order in which a report writes them when nobody asks otherwise.
_MONEY = ("currency", "gross", "fee", "net", "reporting_category", "source_id", "description")
_FACING = ("customer_facing_amount", "customer_facing_currency")
_PAYOUT = (
    "automatic_payout_id", "automatic_payout_effective_at_utc", "automatic_payout_effective_at",
)  # fmt: skip
_CREATED = ("created_utc", "created", "available_on_utc", "available_on")
_SOURCE = (
    "customer_id", "charge_id", "payment_intent_id", "charge_created_utc", "charge_created",
    "payment_method_type", "card_brand", "card_funding", "card_country", "statement_descriptor",
    "dispute_reason",
)  # fmt: skip
_TRACE = ("trace_id", "trace_id_status")
_ITEM = ("balance_transaction_id", *_CREATED, *_MONEY, *_FACING, *_PAYOUT, *_SOURCE, *_TRACE)
_ITEM_DEFAULT = (
    "balance_transaction_id", "created", "available_on", *_MONEY, *_FACING, "automatic_payout_id",
    "automatic_payout_effective_at", "charge_id", "payment_intent_id", "charge_created",
    "payment_method_type", "card_brand", "card_funding", "card_country", "statement_descriptor",
    "dispute_reason",
)  # fmt: skip
_RECONCILED = ("automatic_payout_id", "automatic_payout_effective_at")
_PAID = (
    "payout_id", "effective_at_utc", "effective_at", "balance_transaction_id", "currency", "gross", "fee",
    "net", "reporting_category", "description", "payout_expected_arrival_date", "payout_status",
    "payout_type", "payout_description", "payout_destination_id", *_TRACE,
)  # fmt: skip
SUMMARY = ("category", "currency", "description", "net_amount")

#: Columns that the key in brackets chooses, and the object whose metadata they show.
METADATA = ("payment_metadata", "refund_metadata", "transfer_metadata")

#: What a report can be cut down to.
CATEGORIES = frozenset(
    {
        "advance", "advance_funding", "charge", "charge_failure", "connect_collection_transfer",
        "connect_reserved_funds", "dispute", "dispute_reversal", "fee", "network_cost", "other_adjustment",
        "partial_capture_reversal", "payout", "payout_reversal", "platform_earning",
        "platform_earning_refund", "refund", "refund_failure", "risk_reserved_funds", "tax", "topup",
        "topup_reversal", "transfer", "transfer_reversal",
    }
)  # fmt: skip
INTERVAL = ("interval_start", "interval_end")


@dataclass(frozen=True, slots=True)
class ReportType:
    """One report type. ``lists`` names the query behind it (``sandbox.reporting.lines``)."""

    id: str
    name: str
    version: int
    lists: str
    columns: tuple[str, ...]
    default: tuple[str, ...]
    needs: tuple[str, ...] = INTERVAL
    takes: tuple[str, ...] = ("currency", "reporting_category")


TYPES = {
    each.id: each
    for each in (
        ReportType(
            "balance.summary.1", "Balance summary", 1, "summary", SUMMARY, SUMMARY, takes=("currency",)
        ),
        ReportType(
            "balance_change_from_activity.itemized.3", "Itemized balance change from activity", 3, "activity",
            _ITEM, _ITEM_DEFAULT,
        ),
        ReportType("payouts.itemized.3", "Itemized payouts", 3, "payouts", _PAID, _PAID, takes=("currency",)),
        ReportType(
            "payout_reconciliation.itemized.5", "Itemized payout reconciliation", 5, "reconciled",
            _ITEM, (*_RECONCILED, *(name for name in _ITEM_DEFAULT if name not in _RECONCILED), *_TRACE),
        ),
        ReportType(
            "payout_reconciliation.by_id.itemized.5", "Itemized payout reconciliation of one payout", 5,
            "of_payout",
            _ITEM, (*_RECONCILED, *(name for name in _ITEM_DEFAULT if name not in _RECONCILED), *_TRACE),
            needs=("payout",), takes=("reporting_category",),
        ),
        ReportType(
            "ending_balance_reconciliation.itemized.4", "Itemized ending balance reconciliation", 4, "ending",
            _ITEM, _ITEM_DEFAULT, needs=("interval_end",),
            takes=("interval_start", "currency", "reporting_category"),
        ),
    )
}  # fmt: skip


def is_column(report: ReportType, name: str) -> bool:
    """Whether a report of this type can have the column; those of metadata name any key in brackets."""
    stem, bracket, key = name.partition("[")
    if bracket and stem in METADATA and report.lists not in ("summary", "payouts"):
        return len(key) > 1 and key.endswith("]")
    return name in report.columns
