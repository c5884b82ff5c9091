"""What the lists of keys give as files: what the console shows, and nothing that proves anything."""

from core.export_columns import column, columns, id_column

__all__ = ["API_KEYS", "SIGNING_KEYS"]

API_KEYS = (
    id_column("key", "key"),
    *columns("name", "prefix"),
    column("merchant", lambda row: str(row.merchant)),
    *columns(
        "mode", "scopes", "must_sign", "created_at", "not_before", "expires_at", "revoked_at", "last_used_at"
    ),
)
SIGNING_KEYS = (
    column("serial"),
    column("api_key", lambda row: str(row.api_key)),
    *columns("algorithm", "created_at", "not_before", "expires_at", "revoked_at", "last_used_at"),
)
