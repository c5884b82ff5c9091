"""On which days banks work, and on which of them a payout that is asked for now is sent.

Only rules, no database and no clock: the moment is given. Days are those of the merchant's zone.

Sources: TARGET2 closing days, ECB decision of 2000-12-14 (since 2002, until further notice). US: Federal
Reserve Bank Services, standard holiday schedule; a holiday on a Sunday is kept on the Monday after it, one on
a Saturday is not kept.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Protocol
from zoneinfo import ZoneInfo

__all__ = [
    "CALENDARS",
    "WorkingDays",
    "business_day_from",
    "cut_off_at",
    "execute_on_for",
    "is_business_day",
    "last_closed_day",
    "next_business_day",
    "previous_business_day",
]

_DAY = timedelta(days=1)
_MONDAY, _THURSDAY, _SATURDAY, _SUNDAY = 0, 3, 5, 6


class WorkingDays(Protocol):
    """What decides on which day something is sent: a zone, the cut-off of its days, and a calendar's name."""

    @property
    def timezone(self) -> str:
        """The name of the zone, such as Europe/Berlin."""

    @property
    def cut_off(self) -> time:
        """What is asked for at this time of the day or later is sent on the next business day."""

    @property
    def calendar(self) -> str:
        """One of CALENDARS."""


def easter(year: int) -> date:
    """Return Easter Sunday of a Gregorian year (the rule of Meeus, Jones and Butcher)."""
    golden = year % 19
    century, rest = divmod(year, 100)
    leap_centuries, leap_rest = divmod(century, 4)
    moon = (19 * golden + century - leap_centuries - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    leaps, after_leap = divmod(rest, 4)
    sunday = (32 + 2 * leap_rest + 2 * leaps - moon - after_leap) % 7
    shift = (golden + 11 * moon + 22 * sunday) // 451
    month, day = divmod(moon + sunday - 7 * shift + 114, 31)
    return date(year, month, day + 1)


@lru_cache(maxsize=64)
def _target2(year: int) -> frozenset[date]:
    sunday = easter(year)
    moving = (sunday - 2 * _DAY, sunday + _DAY)
    fixed = ((1, 1), (5, 1), (12, 25), (12, 26))
    return frozenset([*moving, *(date(year, month, day) for month, day in fixed)])


@lru_cache(maxsize=64)
def _federal_reserve(year: int) -> frozenset[date]:
    fixed = [(1, 1), (7, 4), (11, 11), (12, 25)]
    if year >= 2022:
        fixed.append((6, 19))
    kept = {_monday_after_sunday(date(year, month, day)) for month, day in fixed}
    return frozenset(
        kept
        | {
            _nth(year, 1, _MONDAY, 3),
            _nth(year, 2, _MONDAY, 3),
            _nth(year, 6, _MONDAY, 1) - 7 * _DAY,
            _nth(year, 9, _MONDAY, 1),
            _nth(year, 10, _MONDAY, 2),
            _nth(year, 11, _THURSDAY, 4),
        }
    )


def _monday_after_sunday(day: date) -> date:
    return day + _DAY if day.weekday() == _SUNDAY else day


def _nth(year: int, month: int, weekday: int, number: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (number - 1))


def _works(day: date) -> bool:
    return day.weekday() < _SATURDAY


CALENDARS: dict[str, Callable[[date], bool]] = {
    "TARGET2": lambda day: _works(day) and day not in _target2(day.year),
    "US": lambda day: _works(day) and day not in _federal_reserve(day.year),
    "WEEKDAYS": _works,
    "EVERY_DAY": lambda day: True,
}
"""By name, whether a day is a business day."""


def is_business_day(calendar: str, day: date) -> bool:
    """Say whether banks of the calendar work on a day. Raises KeyError for one that does not exist."""
    return CALENDARS[calendar](day)


def business_day_from(calendar: str, day: date) -> date:
    """Return the day itself if it is a business day, and else the next one."""
    while not is_business_day(calendar, day):
        day += _DAY
    return day


def next_business_day(calendar: str, day: date) -> date:
    """Return the first business day after a day."""
    return business_day_from(calendar, day + _DAY)


def previous_business_day(calendar: str, day: date) -> date:
    """Return the last business day before a day."""
    day -= _DAY
    while not is_business_day(calendar, day):
        day -= _DAY
    return day


def cut_off_at(schedule: WorkingDays, day: date) -> datetime:
    """Return the moment of the cut-off of a day, in UTC.

    Where clocks go back and show it twice, it is the first one. Where they go forward and skip it, it is as
    long after the change as it should have been after the time that was skipped from: 02:30 is then at 03:30.
    """
    return datetime.combine(day, schedule.cut_off, tzinfo=ZoneInfo(schedule.timezone)).astimezone(UTC)


def execute_on_for(schedule: WorkingDays, at: datetime) -> date:
    """Return the business day on which something that is asked for at a moment is sent.

    Before the cut-off of a business day it is that day. It never goes back while time goes on.
    """
    day = business_day_from(schedule.calendar, at.astimezone(ZoneInfo(schedule.timezone)).date())
    # More than once only where clocks that go back show yesterday again.
    while cut_off_at(schedule, day) <= at:
        day = next_business_day(schedule.calendar, day)
    return day


def last_closed_day(schedule: WorkingDays, at: datetime) -> date:
    """Return the last business day whose cut-off has come at a moment."""
    return previous_business_day(schedule.calendar, execute_on_for(schedule, at))
