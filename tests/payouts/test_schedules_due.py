"""On which days sellers are paid: weekdays, days of the month, and days that are none."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from merchants.api.serializers import PayoutScheduleInput
from payouts.calendar import CALENDARS, business_day_from, is_business_day, previous_business_day
from payouts.schedules.due import SellerSchedule, read_schedule

DAY = timedelta(days=1)
DATES = st.dates(date(2020, 1, 1), date(2040, 12, 31))
NAMES = st.sampled_from(sorted(CALENDARS))
WEEKLY = st.builds(SellerSchedule, interval=st.just("weekly"), weekday=st.integers(1, 7))
MONTHLY = st.builds(SellerSchedule, interval=st.just("monthly"), day=st.integers(1, 31))


def nominal(schedule: SellerSchedule, day: date) -> bool:
    """Whether a day is one that the seller named, by the plain meaning of the words."""
    if schedule.interval == "weekly":
        return day.isoweekday() == schedule.weekday
    is_last = (day + DAY).day == 1
    return day.day == schedule.day or (is_last and schedule.day > day.day)


@given(st.one_of(WEEKLY, MONTHLY), DATES, st.integers(0, 70))
def test_due_is_a_day_that_was_named_since(schedule: SellerSchedule, after: date, days: int) -> None:
    """Against looking at each day."""
    through = after + days * DAY
    named = any(nominal(schedule, after + n * DAY) for n in range(1, days + 1))
    assert schedule.is_due(after=after, through=through) == named


@given(st.one_of(WEEKLY, MONTHLY), NAMES, DATES)
def test_a_day_that_is_no_business_day_is_the_next_one(
    schedule: SellerSchedule, calendar: str, start: date
) -> None:
    """With a run on each business day the seller is paid on exactly the days named, moved on where closed."""
    days = [start + n * DAY for n in range(60)]
    business = [day for day in days if is_business_day(calendar, day)]
    paid = {
        day for day in business if schedule.is_due(after=previous_business_day(calendar, day), through=day)
    }
    named = {business_day_from(calendar, day) for day in days[10:] if nominal(schedule, day)}
    assert {day for day in paid if day >= days[10]} >= {day for day in named if day <= days[-1]}
    assert all(any(nominal(schedule, day - n * DAY) for n in range(10)) for day in paid)


def test_daily_and_threshold_are_every_day_and_manual_none() -> None:
    """The amount decides with a threshold, to the minor unit, in its own currency only."""
    today = date(2026, 3, 2)
    for stored, due in [
        ({"interval": "manual"}, False),
        ({"interval": "daily"}, True),
        ({"interval": "threshold", "amount": "100.00", "currency": "USD"}, True),
    ]:
        assert read_schedule(stored).is_due(after=today - DAY, through=today) == due
    held = read_schedule({"interval": "threshold", "amount": "1.5", "currency": "KWD"})
    assert [held.is_enough(currency="KWD", available_minor=minor) for minor in (1499, 1500)] == [False, True]
    assert not held.is_enough(currency="USD", available_minor=10**9)
    assert not read_schedule({"interval": "daily"}).is_enough(currency="USD", available_minor=0)


@pytest.mark.parametrize(
    "stored",
    [
        {"interval": "daily"},
        {"interval": "weekly", "weekday": 7},
        {"interval": "monthly", "day": 31},
        {"interval": "threshold", "amount": "0.01", "currency": "EUR"},
    ],
)
def test_what_the_api_takes_is_what_is_read(stored: dict[str, Any]) -> None:
    """The body of PATCH /v1/sellers, as it is stored."""
    body = PayoutScheduleInput(data=stored)
    assert body.is_valid(raise_exception=True)
    assert read_schedule(body.validated_data).interval == stored["interval"]


@pytest.mark.parametrize(
    "stored",
    [
        {},
        {"interval": "hourly"},
        {"interval": "weekly"},
        {"interval": "weekly", "weekday": 0},
        {"interval": "weekly", "weekday": True},
        {"interval": "weekly", "weekday": "5"},
        {"interval": "monthly", "day": 32},
        {"interval": "daily", "day": 3},
        {"interval": "threshold", "amount": "1.001", "currency": "EUR"},
        {"interval": "threshold", "amount": "1", "currency": "???"},
        {"interval": ["daily"]},
    ],
)
def test_what_it_never_takes_is_no_schedule(stored: dict[str, Any]) -> None:
    """Whoever wrote it: it pays nobody by accident."""
    with pytest.raises(ValueError, match=r"no payout schedule|currency|amount"):
        read_schedule(stored)
