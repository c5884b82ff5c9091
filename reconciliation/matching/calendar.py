"""When the movements of a day must be in a file, and until when they may be late."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from payouts.selectors import is_business_day, next_business_day
from reconciliation.matching.policy import CLEAR_WITHIN, LAG, setting_of
from reconciliation.models import SettlementSource

__all__ = ["Expectation", "due_after", "expectation_of"]

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Expectation:
    """What a source's calendar says: business days until a movement is reported, and until it is missed."""

    calendar: str
    lag: int
    grace: int

    def reported_on(self, day: date) -> date:
        """Return the day whose file has the movements of a day."""
        return self._after(day, self.lag)

    def clear_by(self, day: date) -> date:
        """Return the last day on which a movement of a day may be without a line."""
        return self._after(self.reported_on(day), self.grace)

    def covered(self, first: date, period_to: date) -> Iterator[date]:
        """Yield the days from `first` whose movements a file to this day must have."""
        day = first
        while day <= period_to and self.reported_on(day) <= period_to:
            yield day
            day += _DAY

    def _after(self, day: date, count: int) -> date:
        for _ in range(count):
            day = next_business_day(self.calendar, day)
        return day


def expectation_of(source: SettlementSource) -> Expectation:
    """Return what is expected of a source, as it is set now."""
    # A file about a day comes later than the day: what it has may be missed only after that.
    grace = int(setting_of(source, CLEAR_WITHIN)) + source.expected_after
    return Expectation(source.calendar, int(setting_of(source, LAG)), grace)


def due_after(source: SettlementSource | None, begin: datetime, *, hours: int) -> datetime:
    """Return when so many hours are over, of which only those of a source's business days count.

    Days begin and end in the zone of the source; what is of no source has no days off.
    """
    if source is None:
        return begin + timedelta(hours=hours)
    zone = ZoneInfo(source.time_zone)
    left, at = timedelta(hours=hours), begin.astimezone(zone)
    while True:
        midnight = datetime.combine(at.date() + _DAY, datetime.min.time(), zone)
        # In UTC, because a day of the zone may have 23 or 25 hours.
        rest = midnight.astimezone(begin.tzinfo) - at.astimezone(begin.tzinfo)
        if is_business_day(source.calendar, at.date()):
            if left <= rest:
                return at.astimezone(begin.tzinfo) + left
            left -= rest
        at = midnight
