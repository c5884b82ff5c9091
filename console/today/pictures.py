"""The charts of the first page: payments by the hour, acceptance, money by the day, ages of breaks."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

from django.urls import reverse
from django.utils.translation import gettext as _

from console.numbers import number_url
from console.today.charts import Chart, Series, bar_chart, line_chart
from console.today.figures import BUCKETS, Read
from console.today.measures import BREAKS, DAYS, IN_ROLES, MONEY, OUT_ROLES
from console.today.trends import share
from core import clock
from core.admin_display import digits
from core.figures import Data

__all__ = ["acceptance_chart", "breaks_chart", "currencies", "hours_chart", "money_chart"]

_HOURS = 24
_CATEGORIES = (("A", "a"), ("B", "b"), ("C", "c"))


def hours_chart(read: Read) -> Chart:
    """Payments begun in each hour (UTC) of today, against yesterday's."""
    now = clock.now()
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    hours = [midnight + timedelta(hours=number) for number in range(_HOURS)]
    today = [_begun(read.hours, hour) if hour <= now else None for hour in hours]
    yesterday = [_begun(read.hours, hour - timedelta(days=1)) for hour in hours]
    return bar_chart(
        name="hours",
        title=_("Payments begun, by the hour"),
        says=_("Today %(today)d so far; yesterday %(yesterday)d in the whole day. Hours are UTC.")
        % {"today": _total(today), "yesterday": _total(yesterday)},
        axis=_("Hour"),
        labels=[f"{hour:%H}" for hour in hours],
        bars=[_numbers(_("today"), "now", today)],
        lines=[_numbers(_("yesterday"), "then", yesterday)],
    )


def acceptance_chart(read: Read) -> Chart:
    """The share of decided payments that providers accepted, day by day."""
    ends: dict[date, list[int]] = {}
    for hour, data in read.hours.items():
        found = ends.setdefault(hour.date(), [0, 0])
        found[0] += data.get("accepted", 0)
        found[1] += data.get("accepted", 0) + data.get("declined", 0)
    days = _days(clock.today())
    rates = [ends[day][0] * 1000 // ends[day][1] if day in ends and ends[day][1] else None for day in days]
    words = [share(*ends[day]) if day in ends else "–" for day in days]
    known = [rate for rate in rates if rate is not None]
    # Small changes matter, so the axis does not begin at zero unless it has to; it says so itself.
    low = max(0, min(known) - 50) // 100 * 100 if known else 0
    return line_chart(
        name="acceptance",
        title=_("Accepted by providers, by the day"),
        says=_("Of the payments begun on each of 14 days that were decided; today so far %s.") % words[-1],
        axis=_("Day"),
        labels=[f"{day:%m-%d}" for day in days],
        lines=[Series(_("accepted"), "now", rates, words)],
        bounds=(low, 1000),
        up=[f"{(low + (1000 - low) * number // 4) // 10} %" for number in range(5)],
    )


def currencies(read: Read) -> list[str]:
    """Return the currencies that money moved in, that of most days first."""
    number: dict[str, int] = {}
    for row in read.now[MONEY].data["days"]:
        number[row[0]] = number.get(row[0], 0) + 1
    return sorted(number, key=lambda currency: (-number[currency], currency))


def money_chart(read: Read, currency: str) -> Chart:
    """What came in and went out on each day, in one currency; every bar leads to what it is made of."""
    data = read.now[MONEY].data
    days = _days(date.fromisoformat(data["day"]))
    found = {row[1]: row[2:] for row in data["days"] if row[0] == currency}
    series = []
    for name, look, place, roles, side in (
        (_("in"), "in", 0, IN_ROLES, "debit"),
        (_("out"), "out", 1, OUT_ROLES, "credit"),
    ):
        values = [found.get(day.isoformat(), (0, 0))[place] for day in days]
        urls = [
            number_url(
                mode=data["mode"],
                roles=roles,
                currency=currency,
                side=side,
                place=data["place"],
                day=day.isoformat(),
            )
            for day in days
        ]
        words = [digits(value, currency) for value in values]
        series.append(Series(name, look, values, words, urls))
    return bar_chart(
        name="money",
        title=_("Money in and out, by the day, %s") % currency,
        says=_("Captured from buyers, and sent to sellers or given back; by the date in the books."),
        axis=_("Day"),
        labels=[f"{day:%m-%d}" for day in days],
        bars=series,
        shown=lambda minor: _short(minor, currency),
    )


def breaks_chart(read: Read) -> Chart:
    """How many breaks are open, by how long they have been, and by who has to deal with them."""
    rows = read.now[BREAKS].data["rows"]
    series = []
    for (category, look), name, queue in zip(
        _CATEGORIES,
        (_("A, by rule"), _("B, by hand"), _("C, unexplained")),
        ("finance", "finance", "investigation"),
        strict=True,
    ):
        values = [sum(row[3] for row in rows if row[:2] == [category, bucket]) for bucket in BUCKETS]
        words = [
            f"{count} · {_worth(rows, category, bucket)}" if count else "0"
            for count, bucket in zip(values, BUCKETS, strict=True)
        ]
        base = f"{reverse('console:breaks')}?queue={queue}&age="
        urls = [base + bucket.replace(">", "%3E") for bucket in BUCKETS]
        series.append(Series(name, look, values, words, urls))
    return bar_chart(
        name="ages",
        title=_("Open breaks, by age in days"),
        says=_("%d are open. The older a break, the harder it is to explain.") % sum(row[3] for row in rows),
        axis=_("Days"),
        labels=list(BUCKETS),
        bars=series,
    )


def _worth(rows: Sequence[Sequence[object]], category: str, bucket: str) -> str:
    return ", ".join(
        f"{digits(int(str(row[4])), str(row[2]))} {row[2]}" for row in rows if row[:2] == [category, bucket]
    )


def _short(minor: int, currency: str) -> str:
    """Return an amount for an axis: round, without its decimals where it is large."""
    shown = digits(minor, currency)
    whole = shown.partition(".")[0].replace(",", "")
    for size, letter in ((9, "G"), (6, "M"), (3, "k")):
        if len(whole) > size + 1:
            return f"{int(whole[:-size]):,}{letter}"
    return shown.removesuffix(".00")


def _days(last: date) -> list[date]:
    return [last - timedelta(days=number) for number in range(DAYS - 1, -1, -1)]


def _begun(hours: Mapping[datetime, Data], hour: datetime) -> int | None:
    return sum(hours[hour].values()) if hour in hours else None


def _total(values: Sequence[int | None]) -> int:
    return sum(value or 0 for value in values)


def _numbers(name: str, look: str, values: Sequence[int | None]) -> Series:
    return Series(name, look, values, ["–" if value is None else f"{value:,}" for value in values])
