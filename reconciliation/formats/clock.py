"""Times that are written without a zone, and the days that they belong to."""

from datetime import UTC, date, datetime, timedelta, tzinfo
from re import ASCII
from re import compile as pattern

from reconciliation.formats.contract import Refused

__all__ = ["Clock", "Reading", "instant"]

_MINUTE = pattern(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d", ASCII).fullmatch
_SECONDS = {f":{second:02d}": timedelta(seconds=second) for second in range(60)} | {"": timedelta()}
_YEARS = range(1970, 3000)  # no clock of a provider shows another, and none of these overflows
# Minutes that are remembered: two months of them, so that those of a file are worked out once.
_REMEMBERED = 100_000


# A moment in UTC, its day, and its zone as +01:00; of a time that comes twice only the day is known.
Reading = tuple[datetime | None, date, str]


def instant(local: datetime, zone: tzinfo) -> datetime | None:
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

    def __init__(self, zone: tzinfo, day_zone: tzinfo | None = None) -> None:
        self.zone, self.day_zone = zone, day_zone or zone
        self._minutes: dict[str, Reading] = {}

    def read(self, text: str, line_no: int) -> Reading:
        """Return what a time means. Raises Refused with `time_invalid`."""
        minute, seconds = text[:16], _SECONDS.get(text[16:])
        if seconds is None:
            raise _no_time(text, line_no)
        known = self._minutes.get(minute)
        if known is None:
            known = self._remember(minute, line_no)
        moment, day, offset = known
        return known if moment is None else (moment + seconds, day, offset)

    def _remember(self, minute: str, line_no: int) -> Reading:
        try:
            found = self._work_out(minute)
        except (ValueError, OverflowError) as error:
            raise _no_time(minute, line_no) from error
        if len(self._minutes) >= _REMEMBERED:
            self._minutes.clear()
        self._minutes[minute] = found
        return found

    def _work_out(self, minute: str) -> Reading:
        local = datetime.fromisoformat(minute)
        if not _MINUTE(minute) or local.year not in _YEARS:
            raise ValueError(minute)
        moment = instant(local, self.zone)
        if moment is None:
            return None, local.date(), ""
        offset = f"{moment.astimezone(self.zone):%z}"
        return moment, moment.astimezone(self.day_zone).date(), f"{offset[:3]}:{offset[3:5]}"


def _no_time(text: str, line_no: int) -> Refused:
    return Refused("time_invalid", f"{text[:40]!r} is no time", line_no)
