"""What the lists of the books give as files."""

from typing import Any

from core.export_columns import MERCHANT, amount_column, column, columns
from core.money import format_minor
from ledger.admin_tables import account_code

__all__ = ["ACCOUNTS", "ENTRIES"]


def _code(row: Any) -> str:
    return account_code(row.role, row.provider, row.currency)


def _totals(row: Any) -> list[str]:
    """The sum of the debits in each currency: 100.00 USD; 20.00 EUR."""
    return [f"{format_minor(minor, currency)} {currency}" for currency, minor in row.totals]


# A debit balance is positive, as in the books.
ACCOUNTS = (
    column("account", "pk"),
    column("code", _code),
    column("role"),
    column("owner", "owner_name"),
    column("provider"),
    MERCHANT,
    amount_column("balance", "balance_minor"),
    column("currency"),
)
ENTRIES = (
    column("entry", "pk"),
    *columns("recorded_at", "effective_date", "kind", "source", "source_ref", "leg"),
    MERCHANT,
    column("totals", _totals),
    *columns("line_count", "corrects"),
)
