"""What the bills of Chinese providers share: times of one zone, and balances that run from row to row."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from reconciliation.formats.clock import Clock
from reconciliation.formats.contract import ReadOptions, Refused

__all__ = ["CURRENCY", "Period", "RunningBalance", "moment"]

CURRENCY = "CNY"
# All of China keeps one time; the providers' days are days of it, wherever a merchant is.
_CLOCK = Clock(ZoneInfo("Asia/Shanghai"))


def moment(text: str, line_no: int) -> tuple[datetime | None, date, str]:
    """Return a time of a bill in UTC, its day, and how the bill has it, with the zone.

    Old bills have full-width colons, and two blanks. Raises Refused with `time_invalid`.
    """
    at, day, offset = _CLOCK.read(text.replace("：", ":").replace("  ", " "), line_no)  # noqa: RUF001
    return at, day, f"{text} {offset}".rstrip()


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
