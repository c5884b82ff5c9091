"""What the lists of payments give as files."""

from typing import Any

from core.export_columns import MERCHANT, Column, amount_column, column, columns, id_column
from core.money import format_minor
from payments.checkout_page import totals
from payments.snapshots import checkout_status

__all__ = ["CHECKOUTS", "ORDERS", "TOP_UPS"]


def _status(row: Any) -> str:
    return str(checkout_status([order.status for order in row.shown_orders]))


def _totals(row: Any) -> list[str]:
    """The sum of its orders in each currency: 100.00 USD; 20.00 EUR."""
    return [
        f"{format_minor(minor, currency)} {currency}" for currency, minor in totals(row.shown_orders).items()
    ]


def _amounts(*names: str) -> tuple[Column, ...]:
    return tuple(amount_column(name, f"{name}_minor", "amount_currency") for name in names)


CHECKOUTS = (
    id_column("checkout", "chk"),
    *columns("created_at", "checkout_id"),
    MERCHANT,
    *columns("buyer_account", "payment_method"),
    column("status", _status),
    column("totals", _totals),
    column("orders", lambda row: len(row.shown_orders)),
    *columns("risk_decision", "is_payment_done", "compensated_at"),
)
_CURRENCY = column("currency", "amount_currency")
ORDERS = (
    id_column("order", "pay"),
    *columns("created_at", "payment_order_id"),
    id_column("checkout", "chk", "checkout_id"),
    MERCHANT,
    *columns("seller_account", "buyer_account", "status"),
    *(
        amount_column(name, f"{name}_minor", "amount_currency")
        for name in (
            "amount",
            "authorized",
            "captured",
            "refunded",
            "refund_reserved",
            "dispute_reserved",
            "reversed",
        )
    ),
    _CURRENCY,
    column("failure", lambda row: (row.failure or {}).get("code", "")),
)
TOP_UPS = (
    id_column("top_up", "top"),
    column("created_at"),
    id_column("wallet", "wal", "wallet_id"),
    MERCHANT,
    *columns("buyer_account", "payment_method", "status"),
    *_amounts("amount", "credited", "refunded", "reversed"),
    _CURRENCY,
    column("failure", lambda row: (row.failure or {}).get("code", "")),
)
