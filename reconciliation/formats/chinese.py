"""What the bills of Chinese providers share: times of one zone, and balances that run from row to row."""

from datetime import UTC, date, datetime, timedelta, timezone
from re import ASCII
from re import compile as pattern

from reconciliation.formats.contract import ReadOptions, Refused

__all__ = ["CURRENCY", "Period", "RunningBalance", "is_damaged", "moment"]

CURRENCY = "CNY"
# All of China keeps one time, without summer time since 1992; both providers' days are days of it.
_ZONE = timezone(timedelta(hours=8))
_TIME = pattern(r"(\d{4}-\d\d-\d\d) {1,2}(\d\d:\d\d:\d\d)", ASCII).fullmatch
_DAMAGED = pattern(r"\d(\.\d+)?E\+\d+", ASCII).fullmatch


def moment(text: str, line_no: int) -> tuple[datetime, date, str]:
    """Return a time of a bill: in UTC, its day in China, and as it is written, with the zone.

    Old bills have full-width colons, and two blanks. Raises Refused with `time_invalid`.
    """
    found = _TIME(text.replace("：", ":"))  # noqa: RUF001 - as old bills have it
    try:
        if found is None:
            raise ValueError("not year-month-day hours:minutes:seconds")
        local = datetime.fromisoformat(f"{found[1]}T{found[2]}").replace(tzinfo=_ZONE)
    except ValueError as error:
        raise Refused("time_invalid", f"{text[:40]!r} is no time: {error}", line_no) from error
    return local.astimezone(UTC), local.date(), f"{text} +08:00"


def is_damaged(reference: str) -> bool:
    """Whether a spreadsheet wrote this number anew, in powers of ten: its digits are lost."""
    return _DAMAGED(reference) is not None


class Period:
    """The days that a file is about."""

    __slots__ = ("first", "last")

    def __init__(self, first: date, last: date) -> None:
        self.first, self.last = first, last

    def __str__(self) -> str:
        """The period as documents are called after it."""
        return str(self.first) if self.first == self.last else f"{self.first}..{self.last}"

    @classmethod
    def asked(cls, options: ReadOptions) -> "Period | None":
        """Return the days that the file was asked for, if somebody said."""
        first, last = options.asked_from, options.asked_to
        return cls(first, last) if first and last else None

    def check(self, day: date, line_no: int) -> None:
        """Raise Refused with `outside_period` for a day that is none of these."""
        if not self.first <= day <= self.last:
            raise Refused("outside_period", f"a line of {day} in a file of {self}", line_no)


class RunningBalance:
    """Checks that each row's balance is the one before it, and the row: in the order of time, or against it.

    Providers write both orders, and do not say which. A file whose rows fit neither, all of them, has a row
    too many, too few, or a wrong one.
    """

    __slots__ = ("_backward", "_forward", "_last")

    def __init__(self) -> None:
        self._forward = self._backward = True
        self._last: tuple[int, int] | None = None

    def add(self, amount_minor: int, balance_minor: int, line_no: int) -> None:
        """Take the next row. Raises Refused with `running_balance_broken`."""
        if self._last is not None:
            amount_before, balance_before = self._last
            self._forward &= balance_before + amount_minor == balance_minor
            self._backward &= balance_before - amount_before == balance_minor
            if not (self._forward or self._backward):
                raise Refused(
                    "running_balance_broken",
                    f"a balance of {balance_minor} minor units does not follow {balance_before}",
                    line_no,
                )
        self._last = (amount_minor, balance_minor)
