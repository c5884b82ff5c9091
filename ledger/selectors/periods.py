"""Which days of the books are closed."""

from datetime import date
from uuid import UUID

from django.db.models import Max

from ledger.models import ClosedPeriod
from ledger.types import PeriodData

__all__ = ["closed_periods", "closed_through"]


def closed_through(*, merchant_id: UUID) -> date | None:
    """Return the last closed day of a merchant's books; it and all before it do not change any more."""
    found: date | None = ClosedPeriod.objects.filter(merchant_id=merchant_id).aggregate(last=Max("last_day"))[
        "last"
    ]
    return found


def closed_periods(*, merchant_id: UUID, limit: int = 100) -> list[PeriodData]:
    """Return the closed periods of a merchant, the newest first."""
    rows = ClosedPeriod.objects.filter(merchant_id=merchant_id).order_by("-last_day")[:limit]
    return [
        PeriodData(
            id=row.id,
            merchant_id=row.merchant_id,
            first_day=row.first_day,
            last_day=row.last_day,
            maker=row.maker,
            checker=row.checker,
            closed_at=row.closed_at,
        )
        for row in rows
    ]
