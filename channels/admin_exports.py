"""What the list of channels gives as a file: nothing of their credentials."""

from core.export_columns import MERCHANT, column, columns

__all__ = ["CHANNELS"]

CHANNELS = (
    column("name"),
    MERCHANT,
    *columns("provider", "mode", "is_enabled", "max_in_flight", "created_at", "updated_at"),
)
