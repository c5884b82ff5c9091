"""Whether a seller is paid on a day by its own `payout_schedule`: rules without a database or a clock."""

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from core.errors import DomainError
from core.money import parse_amount

__all__ = ["SellerSchedule", "read_schedule"]

_WEEK = 7
_NEEDS = {
    "manual": (),
    "daily": (),
    "weekly": ("weekday",),
    "monthly": ("day",),
    "threshold": ("amount", "currency"),
}


@dataclass(frozen=True)
class SellerSchedule:
    """When one seller is paid: on an ISO weekday, on a day of the month, or when an amount is reached.

    `threshold_minor` in minor units of `currency`. What does not belong to the interval is zero or empty.
    """

    interval: str
    weekday: int = 0
    day: int = 0
    threshold_minor: int = 0
    currency: str = ""

    def is_due(self, *, after: date, through: date) -> bool:
        """Say whether a day on which the seller is to be paid lies after one date and not after another.

        Between the last run and the one of today this is both: a day that is no business day is made up for
        on the next one, and days that were missed are paid once.
        """
        if self.interval == "weekly":
            return _last_weekday(self.weekday, through) > after
        if self.interval == "monthly":
            return _last_monthday(self.day, through) > after
        return self.interval in ("daily", "threshold")

    def is_enough(self, *, currency: str, available_minor: int) -> bool:
        """Say whether so much is enough to be paid out.

        Only a threshold asks for more than nothing; it is of one currency, and others are not paid by it.
        """
        if self.interval != "threshold":
            return available_minor > 0
        return currency == self.currency and available_minor >= self.threshold_minor


def read_schedule(stored: Mapping[str, Any]) -> SellerSchedule:
    """Return a `payout_schedule` as the API takes it. Raises ValueError for anything else."""
    interval = stored.get("interval")
    needed = _NEEDS.get(str(interval))
    if needed is None or set(stored) != {"interval", *needed}:
        raise ValueError(f"no payout schedule: {dict(stored)!r}")
    if interval == "threshold":
        try:
            minor = parse_amount(stored["amount"], stored["currency"])
        except DomainError as error:
            raise ValueError(str(error)) from error
        return SellerSchedule(interval, threshold_minor=minor, currency=stored["currency"])
    weekday, day = stored.get("weekday", 0), stored.get("day", 0)
    if not (_is_within(weekday, "weekday" in needed, _WEEK) and _is_within(day, "day" in needed, 31)):
        raise ValueError(f"no payout schedule: {dict(stored)!r}")
    return SellerSchedule(str(interval), weekday=weekday, day=day)


def _is_within(number: object, is_needed: bool, most: int) -> bool:
    return type(number) is int and is_needed <= number <= most


def _last_weekday(weekday: int, through: date) -> date:
    return through - timedelta(days=(through.isoweekday() - weekday) % _WEEK)


def _last_monthday(day: int, through: date) -> date:
    """The last such day of a month; where a month has fewer, its last day."""
    this = _in_month(day, through)
    return this if this <= through else _in_month(day, through.replace(day=1) - timedelta(days=1))


def _in_month(day: int, month: date) -> date:
    return month.replace(day=min(day, monthrange(month.year, month.month)[1]))
