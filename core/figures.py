"""Figures of the console's first page: read at most once a minute, and remembered for comparison.

They are kept in the database, so that many people who look cost as much as one, with or without Redis, and
so that a figure has a past. A `Measure` is about now. A `Tally` counts what happened in an hour; an hour is
counted again for some days, because outcomes come late.
"""

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from core import clock
from core.models import Figure

__all__ = [
    "Measure",
    "Reading",
    "Tally",
    "current",
    "earlier",
    "keep_figures",
    "register_figures",
    "tallied",
]

Data = dict[str, Any]
FRESH = timedelta(seconds=60)
KEPT = timedelta(days=40)
HOUR = timedelta(hours=1)
# How far back hours are counted, and how long after its end an hour is counted again.
TALLIED = timedelta(days=15)
_AGAIN = (timedelta(0), HOUR, timedelta(hours=6), timedelta(days=1), timedelta(days=3))
_QUARTER = 15
_PRUNED_AT_ONCE = 5_000
_MEASURES: dict[str, "Measure"] = {}
_TALLIES: dict[str, "Tally"] = {}


@dataclass(frozen=True)
class Measure:
    """A figure as it is now; `read` returns plain JSON, with money as whole minor units."""

    name: str
    read: Callable[[], Data]


@dataclass(frozen=True)
class Tally:
    """What happened hour by hour; `read(first, until)` returns the hours from one moment to another."""

    name: str
    read: Callable[[datetime, datetime], Mapping[datetime, Data]]


@dataclass(frozen=True)
class Reading:
    """A figure and when it was read."""

    data: Data
    made_at: datetime


def register_figures(*figures: Measure | Tally) -> None:
    """Make figures known, to be read and kept; apps call it in `ready()`."""
    for figure in figures:
        known: dict[str, Any] = _MEASURES if isinstance(figure, Measure) else _TALLIES
        known[figure.name] = figure


def current(names: Collection[str]) -> dict[str, Reading]:
    """Return these measures as they were less than a minute ago, by name; what is older is read anew.

    What is being read at the same time by somebody else is read twice, and kept once.
    """
    now = clock.now()
    rows = Figure.objects.filter(name__in=list(names), slot=_quarter(now), made_at__gt=now - FRESH)
    found = {row.name: Reading(row.data, row.made_at) for row in rows if row.made_at <= now}
    made = {name: Reading(_MEASURES[name].read(), now) for name in names if name not in found}
    _store({(name, _quarter(now)): reading for name, reading in made.items()})
    return {**found, **made}


def earlier(names: Collection[str], *, ages: Collection[timedelta]) -> dict[tuple[str, timedelta], Reading]:
    """Return what these measures were that long ago, where it is known: within the hour before it."""
    now = clock.now()
    slots = {_quarter(now - age - back * timedelta(minutes=_QUARTER)) for age in ages for back in range(5)}
    rows = Figure.objects.filter(name__in=list(names), slot__in=sorted(slots)).order_by("slot")
    found: dict[tuple[str, timedelta], Reading] = {}
    for row in rows:
        for age in ages:
            if now - age - HOUR < row.made_at <= now - age:
                found[row.name, age] = Reading(row.data, row.made_at)
    return found


def tallied(name: str, *, since: datetime) -> dict[datetime, Data]:
    """Return the hours of a tally since a moment, by when they began; this one and the last are up to date.

    An hour that was not counted yet is absent.
    """
    now = clock.now()
    this = _hour(now)
    counted = Figure.objects.filter(name=name, slot__in=[this - HOUR, this], made_at__lte=now)
    at = dict(counted.values_list("slot", "made_at"))
    if now - at.get(this, this - HOUR) >= FRESH:
        is_last_whole = at.get(this - HOUR, this - HOUR) >= this
        _count(_TALLIES[name], this if is_last_whole else this - HOUR, now)
    rows = Figure.objects.filter(name=name, slot__gte=_hour(since), slot__lte=now)
    return dict(rows.values_list("slot", "data"))


def keep_figures(*, seconds: float = 5.0) -> None:
    """Read every measure for comparison, count hours that are due within the time, drop what is too old."""
    deadline = time.monotonic() + seconds
    current(list(_MEASURES))
    for tally in _TALLIES.values():
        for hour in _hours_due(tally.name):
            if time.monotonic() > deadline:
                return
            _count(tally, hour, min(hour + HOUR, clock.now()))
    with transaction.atomic():
        old = Figure.objects.filter(slot__lt=clock.now() - KEPT).order_by("slot")
        for name, slot in list(old.values_list("name", "slot")[:_PRUNED_AT_ONCE]):
            Figure.objects.filter(name=name, slot=slot).delete()


def _hours_due(name: str) -> list[datetime]:
    """Return the hours to be counted, the newest first."""
    now = clock.now()
    rows = Figure.objects.filter(name=name, slot__gte=now - TALLIED)
    counted = dict(rows.values_list("slot", "made_at"))
    hours = [_hour(now) - number * HOUR for number in range(TALLIED // HOUR)]
    return [hour for hour in hours if _is_due(hour, counted.get(hour), now)]


def _is_due(hour: datetime, counted_at: datetime | None, now: datetime) -> bool:
    if counted_at is None:
        return True
    return any(counted_at < hour + HOUR + age <= now for age in _AGAIN)


def _count(tally: Tally, first: datetime, until: datetime) -> None:
    found = tally.read(first, until)
    hours = [first + number * HOUR for number in range((until - first - timedelta.resolution) // HOUR + 1)]
    now = clock.now()
    _store({(tally.name, hour): Reading(dict(found.get(hour, {})), now) for hour in hours})


def _store(made: Mapping[tuple[str, datetime], Reading]) -> None:
    """Keep readings: of two for the same slot the later one stands. Sorted, as all locks of rows."""
    rows = [
        Figure(name=name, slot=slot, data=reading.data, made_at=reading.made_at)
        for (name, slot), reading in sorted(made.items(), key=lambda each: each[0])
    ]
    if not rows:
        return
    with transaction.atomic():
        Figure.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["name", "slot"],
            update_fields=["data", "made_at"],
        )


def _quarter(at: datetime) -> datetime:
    return at.replace(minute=at.minute - at.minute % _QUARTER, second=0, microsecond=0)


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)
