"""What people see of a source: its last business days, what there is of each, and what was said last."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from core import clock
from core.models import JobRun
from payouts.selectors import is_business_day, previous_business_day
from reconciliation.sources.days import day_of, last_day_over
from reconciliation.sources.fetching import JOB
from reconciliation.sources.reading import list_sources
from reconciliation.sources.standing import DayFile, Standing, files_about, standing_of
from reconciliation.sources.types import SourceData

__all__ = ["DayAtDesk", "SourceAtDesk", "days_at_desk", "sources_at_desk"]


@dataclass(frozen=True)
class DayAtDesk:
    """One business day: when its file is due, how far it is, and what came of the last look for it."""

    day: date
    due_at: datetime
    is_over: bool
    is_late: bool
    standing: Standing
    files: tuple[DayFile, ...]
    says: str
    looked_at: str


@dataclass(frozen=True)
class SourceAtDesk:
    """One source and its last business days, newest first."""

    source: SourceData
    days: tuple[DayAtDesk, ...]


def sources_at_desk(*, merchant_id: UUID, most: int = 14) -> list[SourceAtDesk]:
    """Return a merchant's sources by name, each with its last business days."""
    return [
        SourceAtDesk(source, tuple(days_at_desk(source, most=most)))
        for source in list_sources(merchant_id=merchant_id)
    ]


def days_at_desk(source: SourceData, *, most: int = 14) -> list[DayAtDesk]:
    """Return the last business days of a source, newest first: today's as well, which is not over."""
    days = _days(source, most)
    if not days:
        return []
    now, last = clock.now(), last_day_over(source.settings, clock.now())
    standings = standing_of(days, files_about(source, days[-1], days[0]))
    runs = JobRun.objects.filter(job=JOB, scope=str(source.id), business_date__in=days)
    looks = {run.business_date: run.summary for run in runs}
    # Done without a file of its own: the provider's empty one was received for another day.
    done = {run.business_date for run in runs if run.finished_at is not None}
    found = []
    for day in days:
        due_at = day_of(source.settings, day).due_at
        standing, files = standings[day]
        if standing is Standing.MISSING and day in done:
            standing = Standing.COUNTS
        look = looks.get(day, {})
        found.append(
            DayAtDesk(
                day=day,
                due_at=due_at,
                is_over=day <= last,
                is_late=source.is_enabled and standing is not Standing.COUNTS and due_at <= now,
                standing=standing,
                files=tuple(files),
                says=str(look.get("says", "")),
                looked_at=str(look.get("at", "")),
            )
        )
    return found


def _days(source: SourceData, most: int) -> list[date]:
    settings = source.settings
    day = last_day_over(settings, clock.now()) + timedelta(days=1)
    if not is_business_day(settings.calendar, day):
        day = previous_business_day(settings.calendar, day)
    found: list[date] = []
    while day >= settings.begins_on and len(found) < most:
        found.append(day)
        day = previous_business_day(settings.calendar, day)
    return found
