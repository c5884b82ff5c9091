"""How days that are closed, or are to be, are read."""

from datetime import date, timedelta
from uuid import UUID

from core import clock
from ledger.selectors import closed_through
from reconciliation.closing.figures import books_figures, noted_figures
from reconciliation.closing.obstacles import notices_of, obstacles_of
from reconciliation.closing.types import DayAtDesk, DayData
from reconciliation.models import DayClose, SettlementSource

__all__ = ["day_at_desk", "day_data", "days_at_desk", "find_day", "next_day"]

_DAY = timedelta(days=1)


def day_data(row: DayClose) -> DayData:
    """Return what crosses to others of a day's row."""
    return DayData(
        merchant_id=row.merchant_id,
        day=row.day,
        status=row.status,
        figures=row.figures,
        digest=bytes(row.digest).hex() if row.digest and row.status != "OPEN" else "",
        prepared_by=row.prepared_by,
        prepared_at=row.prepared_at,
        closed_by=row.closed_by,
        closed_at=row.closed_at,
    )


def next_day(*, merchant_id: UUID) -> date | None:
    """Return the day that is to be closed next; None while none was closed: then any day that is over may be.

    It may not be over yet.
    """
    closed = closed_through(merchant_id=merchant_id)
    return closed + _DAY if closed else None


def find_day(*, merchant_id: UUID, day: date) -> DayData | None:
    """Return the close of a day as it is kept, None when nobody has begun it."""
    row = DayClose.objects.filter(merchant_id=merchant_id, day=day).first()
    return day_data(row) if row else None


def days_at_desk(*, merchant_id: UUID, limit: int = 31, before: date | None = None) -> list[DayData]:
    """Return days of a merchant, the newest first: those that are over and open, and those that are kept."""
    kept = DayClose.objects.filter(merchant_id=merchant_id)
    if before is not None:
        kept = kept.filter(day__lt=before)
    rows = {row.day: day_data(row) for row in kept.order_by("-day")[:limit]}
    day = min(clock.today(), before or clock.today()) - _DAY
    first = _first_open(merchant_id)
    while first is not None and day >= first and len(rows) < 2 * limit:
        rows.setdefault(day, DayData(merchant_id, day, "OPEN", {}, "", "", None, "", None))
        day -= _DAY
    return [rows[each] for each in sorted(rows, reverse=True)][:limit]


def _first_open(merchant_id: UUID) -> date | None:
    """The first day that can be closed: after the last closed one, or when the first source began."""
    wanted = next_day(merchant_id=merchant_id)
    if wanted is not None:
        return wanted
    source = SettlementSource.objects.filter(merchant_id=merchant_id).order_by("begins_on").first()
    return source.begins_on if source else clock.today() - _DAY


def day_at_desk(*, merchant_id: UUID, day: date) -> DayAtDesk:
    """Return a day with its figures: frozen where it is prepared or closed, else as they are now."""
    close = find_day(merchant_id=merchant_id, day=day) or DayData(
        merchant_id, day, "OPEN", {}, "", "", None, "", None
    )
    wanted = next_day(merchant_id=merchant_id)
    is_next = day < clock.today() and wanted in (None, day)
    if close.status == "CLOSED":
        return DayAtDesk(close, close.figures, (), (), is_next=False)
    now = clock.now()
    books = books_figures(merchant_id=merchant_id, day=day)
    figures = close.figures
    if close.status == "OPEN":
        figures = {"books": books, "noted": noted_figures(merchant_id=merchant_id, day=day, now=now)}
    return DayAtDesk(
        close,
        figures,
        tuple(obstacles_of(merchant_id=merchant_id, day=day, books=books)),
        tuple(notices_of(merchant_id=merchant_id, day=day, now=now)),
        is_next=is_next,
    )
