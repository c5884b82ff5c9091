"""What the lists of reconciliation give as files."""

from core.export_columns import MERCHANT, actor_column, amount_column, column, columns, id_column

__all__ = ["FILES", "SOURCES", "STATEMENTS"]

FILES = (
    id_column("file", "stl"),
    *columns("name", "received_at", "status"),
    column("source", "source.name"),
    MERCHANT,
    *columns("document", "version", "period_from", "period_to", "lines_count", "quarantined_count"),
    column("sha256", lambda row: bytes(row.sha256).hex()),
    column("origin"),
    actor_column("received_by"),
    column("published_at"),
)
SOURCES = (
    column("name"),
    MERCHANT,
    *columns("kind", "provider", "account", "currency", "format", "fetcher", "calendar"),
    *columns("expected_after", "expected_by", "time_zone", "begins_on", "is_enabled"),
)
STATEMENTS = (
    *columns("document", "status"),
    MERCHANT,
    *columns("account", "kind", "period_from", "period_to"),
    *(amount_column(name, f"{name}_minor") for name in ("opening", "closing", "total")),
    *columns("currency", "lines_count", "held_because", "created_at"),
)
