"""Days: of the provider's zone, and of the banks. A day is its ordinal (`date.toordinal`)."""

from bisect import bisect_right
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import accumulate
from zoneinfo import ZoneInfo

__all__ = ["Days", "is_business", "next_business", "previous_business"]

# How much is sold on a day of the week, Monday first, and in an hour of the day.
_WEEK = (100, 96, 95, 99, 110, 126, 118)
_HOURS = (22, 14, 9, 7, 7, 10, 18, 30, 44, 55, 62, 66, 68, 66, 64, 64, 66, 70, 78, 88, 92, 84, 62, 38)
_REACHED = [0, *accumulate(_HOURS)]


@lru_cache(maxsize=64)
def _holidays(year: int) -> frozenset[int]:
    """The holidays of TARGET: New Year, Good Friday, Easter Monday, 1 May, 25 and 26 December."""
    a, b, c = year % 19, *divmod(year, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    weekday = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 22 * weekday) // 451
    month, before = divmod(h + weekday - 7 * m + 114, 31)
    easter = date(year, month, before + 1).toordinal()
    fixed = (date(year, *day).toordinal() for day in ((1, 1), (5, 1), (12, 25), (12, 26)))
    return frozenset((easter - 2, easter + 1, *fixed))


@lru_cache(maxsize=4096)
def is_business(day: int) -> bool:
    """Say whether banks settle on a day."""
    return (day - 1) % 7 < 5 and day not in _holidays(date.fromordinal(day).year)


@lru_cache(maxsize=4096)
def next_business(day: int, count: int = 1) -> int:
    """Return the count-th business day after a day."""
    while count:
        day += 1
        count -= is_business(day)
    return day


@lru_cache(maxsize=4096)
def previous_business(day: int) -> int:
    """Return the last business day before a day."""
    day -= 1
    while not is_business(day):
        day -= 1
    return day


class Days:
    """The days of a month, and how many payments each has."""

    def __init__(self, month: str, size: int, zone: str) -> None:
        first = date.fromisoformat(f"{month}-01")
        self.first = first.toordinal()
        self.last = (first.replace(day=28) + timedelta(days=4)).replace(day=1).toordinal() - 1
        self.zone = ZoneInfo(zone)
        self.business = [day for day in range(self.first, self.last + 1) if is_business(day)]
        self._size = size
        self._weights = [0, *accumulate(self._weight(day) for day in range(self.first, self.last + 1))]
        self._known: dict[int, tuple[datetime, int]] = {}

    @staticmethod
    def _weight(day: int) -> int:
        return _WEEK[(day - 1) % 7]

    def volume(self, day: int) -> int:
        """Return how many payments are captured on a day; the month's add up to its size."""
        total = self._weights[-1]
        if self.first <= day <= self.last:
            place = day - self.first
            return self._size * self._weights[place + 1] // total - self._size * self._weights[place] // total
        return max(1, self._size * self._weight(day) // total)

    def midnight(self, day: int) -> tuple[datetime, int]:
        """Return when a day of the zone begins, in UTC, and how many seconds it has."""
        if day not in self._known:
            begins = [
                datetime.combine(date.fromordinal(each), datetime.min.time(), self.zone).astimezone(UTC)
                for each in (day, day + 1)
            ]
            self._known[day] = begins[0], int((begins[1] - begins[0]).total_seconds())
        return self._known[day]

    def moment(self, day: int, share: int, of: int) -> datetime:
        """Return the moment when `share` of `of` parts of a day's trade are done."""
        place = share * _REACHED[-1]
        hour = bisect_right(_REACHED, place // of) - 1
        second = hour * 3600 + (place - _REACHED[hour] * of) * 3600 // (of * _HOURS[hour])
        begin, length = self.midnight(day)
        return begin + timedelta(seconds=second * length // 86_400)

    def settles(self, day: int) -> int:
        """Return the business day whose batch has the payments of a day: T+2, by the day of the zone."""
        return next_business(day, 2)

    def settled_by(self, batch: int) -> list[int]:
        """Return the days whose payments are in the batch of a business day."""
        found, day = [], batch - 1
        while self.settles(day) >= batch:
            if self.settles(day) == batch:
                found.append(day)
            day -= 1
        return found[::-1]
