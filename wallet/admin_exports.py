"""What the lists of wallets give as files."""

from typing import Any

from core.export_columns import MERCHANT, Column, actor_column, amount_column, column, columns, id_column
from core.money import format_minor

__all__ = ["GRANTS", "WALLETS"]


def _unit(row: Any) -> str:
    """What a grant is counted in."""
    return "PTS" if row.kind == "points" else str(row.currency)


WALLETS = (
    id_column("wallet", "wal"),
    *columns("created_at", "owner_type"),
    column("owner", "owner_name"),
    MERCHANT,
    column("kind"),
    *(amount_column(name, f"{name}_minor") for name in ("pending", "available", "held", "receivable")),
    column("currency"),
)
GRANTS = (
    id_column("grant", "grant"),
    column("created_at"),
    id_column("wallet", "wal", "wallet_id"),
    column("buyer_account", "owner_name"),
    MERCHANT,
    column("kind"),
    Column("given", lambda row: format_minor(row.amount_minor, _unit(row))),
    column("unit", _unit),
    amount_column("worth", "value_minor"),
    column("currency"),
    actor_column("given_by", "granted_by"),
    actor_column("agreed_by", "checked_by"),
    column("reason"),
)
