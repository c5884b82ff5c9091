"""Which business days of a source a file is expected for, and when: rules without a database or a clock."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from payouts.selectors import is_business_day, next_business_day, previous_business_day
from reconciliation.sources.types import Day, SourceSettings

__all__ = ["day_of", "expected_days", "last_day_over"]

_DAY = timedelta(days=1)


def day_of(settings: SourceSettings, day: date) -> Day:
    """Return what is known of one business day. Its file is due on the `expected_after`-th one after it."""
    due = day
    for _ in range(settings.expected_after):
        due = next_business_day(settings.calendar, due)
    before = previous_business_day(settings.calendar, day)
    return Day(
        first=max(before + _DAY, min(settings.begins_on, day)),
        day=day,
        over_at=_moment(day + _DAY, time.min, settings.time_zone),
        due_at=_moment(due, settings.expected_by, settings.time_zone),
    )


def last_day_over(settings: SourceSettings, at: datetime) -> date:
    """Return the last day, business day or not, that has ended in the source's zone at a moment."""
    return at.astimezone(ZoneInfo(settings.time_zone)).date() - _DAY


def expected_days(settings: SourceSettings, at: datetime) -> Iterator[date]:
    """Yield the business days since `begins_on` that have ended at a moment, oldest first."""
    day, last = settings.begins_on, last_day_over(settings, at)
    while day <= last:
        if is_business_day(settings.calendar, day):
            yield day
        day += _DAY


def _moment(day: date, at: time, zone: str) -> datetime:
    return datetime.combine(day, at, tzinfo=ZoneInfo(zone)).astimezone(UTC)
