"""Times that are written without a zone, and the days that they belong to."""

from datetime import UTC, date, datetime, timedelta
from re import ASCII
from re import compile as pattern
from zoneinfo import ZoneInfo

from reconciliation.formats.contract import Refused

__all__ = ["Clock", "instant"]

_MINUTE = pattern(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d", ASCII).fullmatch
_SECONDS = {f":{second:02d}": timedelta(seconds=second) for second in range(60)} | {"": timedelta()}
# Minutes that are remembered: two months of them, so that a file's days are worked out once.
_REMEMBERED = 100_000


def instant(local: datetime, zone: ZoneInfo) -> datetime | None:
    """Return the moment of a local time in UTC; none where the clock shows it twice or never."""
    early, late = (local.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))
    if early is None or early != late:
        return None
    return (local - early).replace(tzinfo=UTC)


class Clock:
    """Reads times like 2026-11-30 23:59:59 (seconds may be missing) that are all written in one zone.

    `day_zone` is the zone whose days count, where it is another one.
    """

    __slots__ = ("_minutes", "day_zone", "zone")

    def __init__(self, zone: ZoneInfo, day_zone: ZoneInfo | None = None) -> None:
        self.zone, self.day_zone = zone, day_zone or zone
        self._minutes: dict[str, tuple[datetime | None, date]] = {}

    def read(self, text: str, line_no: int) -> tuple[datetime | None, date]:
        """Return the moment in UTC and the day. The moment is None in the hour that summer time repeats.

        Raises Refused with `time_invalid`.
        """
        minute = text[:16]
        known = self._minutes.get(minute) or self._work_out(minute, text, line_no)
        seconds = _SECONDS.get(text[16:])
        if seconds is None:
            raise Refused("time_invalid", f"{text[:40]!r} is no time", line_no)
        moment, day = known
        return (moment + seconds if moment else None), day

    def _work_out(self, minute: str, text: str, line_no: int) -> tuple[datetime | None, date]:
        try:
            local = datetime.fromisoformat(minute) if _MINUTE(minute) else None
        except ValueError:
            local = None
        if local is None:
            raise Refused("time_invalid", f"{text[:40]!r} is no time", line_no)
        moment = instant(local, self.zone)
        day = local.date()
        if moment and self.day_zone is not self.zone:
            day = moment.astimezone(self.day_zone).date()
        if len(self._minutes) >= _REMEMBERED:
            self._minutes.clear()
        self._minutes[minute] = known = (moment, day)
        return known
