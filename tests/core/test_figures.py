"""Figures are read once a minute, whoever looks; hours are counted again while outcomes come late."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from core import clock, figures
from core.figures import FRESH, HOUR, Measure, Tally, current, earlier, keep_figures, tallied
from core.models import Figure

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


class World:
    """What is measured: a number, and the hours that were asked for."""

    def __init__(self) -> None:
        self.number, self.reads = 1, 0
        self.asked: list[tuple[datetime, datetime]] = []

    def measure(self) -> dict[str, Any]:
        self.reads += 1
        return {"number": self.number}

    def tally(self, first: datetime, until: datetime) -> Mapping[datetime, dict[str, Any]]:
        self.asked.append((first, until))
        return {first: {"number": self.number}}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    found = World()
    monkeypatch.setattr(figures, "_MEASURES", {"m": Measure("m", found.measure)})
    monkeypatch.setattr(figures, "_TALLIES", {"t": Tally("t", found.tally)})
    yield found


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[datetime]]:
    """The time, which a test sets."""
    moment = [clock.now().replace(hour=10, minute=20, second=0, microsecond=0)]
    monkeypatch.setattr(clock, "now", lambda: moment[0])
    yield moment


def test_a_figure_is_read_at_most_once_a_minute(world: World, at: list[datetime]) -> None:
    assert current(["m"])["m"].data == {"number": 1}
    world.number = 2
    at[0] += FRESH - timedelta(seconds=1)
    assert (current(["m"])["m"].data, world.reads) == ({"number": 1}, 1)
    at[0] += timedelta(seconds=1)
    reading = current(["m"])["m"]
    assert (reading.data, reading.made_at, world.reads) == ({"number": 2}, at[0], 2)
    assert Figure.objects.count() == 1, "one row for a quarter of an hour"


def test_a_figure_is_compared_with_the_same_time_of_earlier_days(world: World, at: list[datetime]) -> None:
    for number in range(9):
        world.number = number
        current(["m"])
        at[0] += DAY
    at[0] -= DAY
    past = earlier(["m"], ages=(DAY, 7 * DAY))
    assert [past["m", age].data["number"] for age in (DAY, 7 * DAY)] == [7, 1]
    at[0] += timedelta(minutes=59)
    assert earlier(["m"], ages=(DAY,))["m", DAY].data == {"number": 7}
    at[0] += timedelta(minutes=1)
    assert earlier(["m"], ages=(DAY,)) == {}, "what is older than an hour is no comparison"
    at[0] -= timedelta(hours=2)
    assert earlier(["m"], ages=(DAY,)) == {}, "nor is what was read later than that time of the day"


def test_an_hour_is_counted_again_while_outcomes_come_late(world: World, at: list[datetime]) -> None:
    first = at[0].replace(minute=0)
    keep_figures()
    assert len(world.asked) == figures.TALLIED // HOUR
    counted = []
    for hours in range(1, 4 * 24 + 2):
        at[0] = first + hours * HOUR
        before = len(world.asked)
        keep_figures()
        if first in {asked for asked, _until in world.asked[before:]}:
            counted.append(at[0] - first - HOUR)
    ages = [timedelta(0), HOUR, timedelta(hours=6), DAY, 3 * DAY]
    assert counted == ages


def test_this_hour_and_the_last_are_up_to_date_for_whoever_looks(world: World, at: list[datetime]) -> None:
    this = at[0].replace(minute=0)
    assert set(tallied("t", since=this - DAY)) == {this - HOUR, this}
    assert world.asked == [(this - HOUR, at[0])]
    tallied("t", since=this - DAY)
    assert len(world.asked) == 1
    at[0] += FRESH
    tallied("t", since=this - DAY)
    assert len(world.asked) == 2


def test_what_is_too_old_is_dropped(world: World, at: list[datetime]) -> None:
    current(["m"])
    at[0] += figures.KEPT + HOUR
    keep_figures()
    assert min(Figure.objects.values_list("slot", flat=True)) > at[0] - figures.KEPT
