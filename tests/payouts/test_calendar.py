"""Business days and cut-offs, against what the central banks publish and around each change of the clocks."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payouts.calendar import (
    CALENDARS,
    business_day_from,
    cut_off_at,
    easter,
    execute_on_for,
    is_business_day,
    last_closed_day,
    next_business_day,
    previous_business_day,
)

DAY = timedelta(days=1)
DAYS = st.dates(date(2002, 1, 1), date(2099, 12, 31))
ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "America/Sao_Paulo",
    "America/St_Johns",
)


@dataclass(frozen=True)
class Days:
    """A merchant's working days."""

    timezone: str = "Europe/Berlin"
    cut_off: time = time(15)
    calendar: str = "TARGET2"


SCHEDULES = st.builds(
    Days,
    timezone=st.sampled_from(ZONES),
    cut_off=st.times(),
    calendar=st.sampled_from(sorted(CALENDARS)),
)
SECONDS = st.integers(0, 35 * 365 * 86_400)
MOMENTS = SECONDS.map(lambda seconds: datetime(2005, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds))


def closed(calendar: str, year: int) -> list[str]:
    """The days of a year from Monday to Friday on which nobody works, as MM-DD."""
    days = (date(year, 1, 1) + n * DAY for n in range(366))
    return [
        f"{day:%m-%d}"
        for day in days
        if day.year == year and day.weekday() < 5 and not is_business_day(calendar, day)
    ]


def test_easter_of_published_years() -> None:
    """The earliest and the latest that can be, and some between (U.S. Census Bureau's table)."""
    dates = ["1818-03-22", "1943-04-25", "2000-04-23", "2019-04-21", "2024-03-31", "2025-04-20", "2038-04-25"]
    assert [easter(int(each[:4])).isoformat() for each in dates] == dates


def test_target2_is_closed_when_the_ecb_says_so() -> None:
    """The closing days that the ECB announced for three years, as far as they are no weekends."""
    assert closed("TARGET2", 2024) == ["01-01", "03-29", "04-01", "05-01", "12-25", "12-26"]
    assert closed("TARGET2", 2025) == ["01-01", "04-18", "04-21", "05-01", "12-25", "12-26"]
    assert closed("TARGET2", 2026) == ["01-01", "04-03", "04-06", "05-01", "12-25"]


def test_the_us_is_closed_when_the_federal_reserve_says_so() -> None:
    """Holidays on a Sunday move to Monday, those on a Saturday are not kept; Juneteenth is since 2022."""
    assert closed("US", 2021) == [
        "01-01", "01-18", "02-15", "05-31", "07-05", "09-06", "10-11", "11-11", "11-25",
    ]  # fmt: skip
    assert closed("US", 2022) == [
        "01-17", "02-21", "05-30", "06-20", "07-04", "09-05", "10-10", "11-11", "11-24", "12-26",
    ]  # fmt: skip
    assert closed("US", 2026) == [
        "01-01", "01-19", "02-16", "05-25", "06-19", "09-07", "10-12", "11-11", "11-26", "12-25",
    ]  # fmt: skip


@given(st.sampled_from(sorted(CALENDARS)), DAYS)
def test_neighbouring_business_days(calendar: str, day: date) -> None:
    """The next is a business day with none between, and the previous leads back."""
    after = next_business_day(calendar, day)
    assert is_business_day(calendar, after) and day < after <= day + 6 * DAY
    between = [day + n * DAY for n in range(1, (after - day).days)]
    assert not any(is_business_day(calendar, each) for each in between)
    assert previous_business_day(calendar, after) <= day
    assert business_day_from(calendar, day) == (day if is_business_day(calendar, day) else after)


@given(SCHEDULES, MOMENTS, st.timedeltas(timedelta(0), timedelta(days=40)))
def test_days_never_go_back_while_time_goes_on(schedule: Days, at: datetime, later: timedelta) -> None:
    """Whatever the clocks do: what is asked for later is never sent earlier."""
    assert execute_on_for(schedule, at) <= execute_on_for(schedule, at + later)
    assert last_closed_day(schedule, at) <= last_closed_day(schedule, at + later)


@given(SCHEDULES, MOMENTS)
def test_the_day_it_is_sent_on_is_the_first_that_is_open(schedule: Days, at: datetime) -> None:
    """It is the business day after the last one that is closed, and its own cut-off is still to come."""
    day, last = execute_on_for(schedule, at), last_closed_day(schedule, at)
    assert at < cut_off_at(schedule, day)
    assert cut_off_at(schedule, last) <= at or schedule.timezone == "Pacific/Apia"
    assert next_business_day(schedule.calendar, last) == day


@pytest.mark.parametrize(
    ("local", "expected"),
    [
        ("2026-04-02T14:59:59", "2026-04-02"),
        ("2026-04-02T15:00:00", "2026-04-07"),  # Over Good Friday and Easter Monday.
        ("2026-04-05T09:00:00", "2026-04-07"),
        ("2026-12-31T15:00:00", "2027-01-04"),
    ],
)
def test_the_cut_off_is_to_the_second(local: str, expected: str) -> None:
    """At the cut-off itself the day is over."""
    at = datetime.fromisoformat(local).replace(tzinfo=ZoneInfo("Europe/Berlin"))
    assert execute_on_for(Days(), at).isoformat() == expected


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-01", 24)])
def test_days_of_23_and_25_hours_end_at_the_same_time_of_day(day: str, hours: int) -> None:
    """15:00 is 15:00, an hour sooner or later after midnight; from one midnight to the next is one day."""
    schedule = Days(calendar="EVERY_DAY")
    begins = cut_off_at(Days(cut_off=time(0)), date.fromisoformat(day))
    ends = cut_off_at(Days(cut_off=time(0)), date.fromisoformat(day) + DAY)
    assert ends - begins == timedelta(hours=hours)
    closes = cut_off_at(schedule, date.fromisoformat(day))
    assert closes - begins == timedelta(hours=15 + hours - 24)
    just_before = execute_on_for(schedule, closes - timedelta(seconds=1))
    assert (just_before, execute_on_for(schedule, closes) - just_before) == (date.fromisoformat(day), DAY)


def test_a_cut_off_that_is_skipped_comes_after_the_gap() -> None:
    """02:30 on the day on which 03:00 follows 02:00: half an hour after the change."""
    schedule = Days(cut_off=time(2, 30), calendar="EVERY_DAY")
    change = datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert cut_off_at(schedule, date(2026, 3, 29)) == change + timedelta(minutes=30)
    assert execute_on_for(schedule, change + timedelta(minutes=29)) == date(2026, 3, 29)
    assert execute_on_for(schedule, change + timedelta(minutes=30)) == date(2026, 3, 30)


def test_a_cut_off_that_comes_twice_is_the_first() -> None:
    """02:30 on the day on which 02:00 follows 03:00: a quarter past two for the second time is too late."""
    schedule = Days(cut_off=time(2, 30), calendar="EVERY_DAY")
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    second_quarter_past_two = datetime(2026, 10, 25, 1, 15, tzinfo=UTC)
    assert f"{second_quarter_past_two.astimezone(ZoneInfo('Europe/Berlin')):%H:%M}" == "02:15"
    assert cut_off_at(schedule, date(2026, 10, 25)) == first
    assert execute_on_for(schedule, first - timedelta(seconds=1)) == date(2026, 10, 25)
    assert execute_on_for(schedule, second_quarter_past_two) == date(2026, 10, 26)


def test_a_day_that_comes_back_is_over() -> None:
    """In St John's of 2010, 23:01 of a Saturday followed 00:01 of the Sunday: what was too late stays so."""
    schedule = Days("America/St_Johns", time(0, 0, 30), "EVERY_DAY")
    closes = cut_off_at(schedule, date(2010, 11, 7))
    again = closes + timedelta(minutes=20)
    assert f"{again.astimezone(ZoneInfo('America/St_Johns')):%d %H:%M}" == "06 23:20"
    assert execute_on_for(schedule, closes - timedelta(seconds=1)) == date(2010, 11, 7)
    assert execute_on_for(schedule, again) == date(2010, 11, 8)
