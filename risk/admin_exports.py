"""What the lists of risk give as files. Values on lists are masked as the console shows them."""

from core.export_columns import MERCHANT, actor_column, column, columns, id_column
from risk.admin_columns import masked

__all__ = ["DECISIONS", "ENTRIES", "LISTS", "RULES"]

DECISIONS = (
    id_column("checkout", "chk", "subject_id"),
    *columns("at", "decision", "source", "score", "reasons"),
    MERCHANT,
    actor_column("by"),
)
RULES = (
    *columns("name", "version", "status", "kind", "decision", "score"),
    MERCHANT,
    column("created_at"),
    actor_column("by", "created_by"),
)
LISTS = (
    *columns("name", "kind", "key_kind"),
    MERCHANT,
    column("created_at"),
    actor_column("by", "created_by"),
)
ENTRIES = (
    column("list", "list.name"),
    column("value", lambda row: masked(row.list.key_kind, row.value)),
    *columns("reason", "added_at"),
    actor_column("added_by"),
    column("removed_at"),
    actor_column("removed_by"),
    column("removed_reason"),
)
