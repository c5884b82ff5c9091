"""The public shape of breaks: the same in answers and in events."""

from datetime import datetime
from typing import Any

from core.history import Fact
from core.ids import public_id
from core.money import format_minor
from reconciliation.models import Discrepancy

__all__ = ["discrepancy_fact", "discrepancy_object"]


def discrepancy_object(row: Discrepancy) -> dict[str, Any]:
    """Return the discrepancy object; every field is always present."""
    return {
        "object": "discrepancy",
        "id": row.public_id,
        "class": row.break_class,
        "category": row.category,
        "status": row.status,
        "amount": format_minor(row.amount_minor, row.currency),
        "currency": row.currency,
        "summary": row.summary,
        "settlement_file": public_id("stl", row.file_id) if row.file_id else None,
        "business_date": row.business_date.isoformat(),
        "due_at": _moment(row.due_at),
        "resolution": row.resolution or None,
        "resolved_at": _moment(row.resolved_at),
        "created_at": _moment(row.created_at),
    }


def discrepancy_fact(row: Discrepancy, what: str) -> Fact:
    """Return the event `discrepancy.<what>`, with the break as it is after the change."""
    return Fact(f"discrepancy.{what}", row.public_id, lambda: {"object": discrepancy_object(row)})


def _moment(value: datetime | None) -> str | None:
    """RFC 3339 in UTC with milliseconds."""
    return value.isoformat(timespec="milliseconds").replace("+00:00", "Z") if value else None
