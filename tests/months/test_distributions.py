"""The month looks like one: shares and spreads, loosely."""

from collections import Counter
from datetime import date
from statistics import median
from zoneinfo import ZoneInfo

import pytest

from tests.months import Capture, Chargeback, Decline, Event, Refund, RefundFailure, month
from tests.months.days import Days, is_business, next_business
from tests.months.draws import zipf

SIZE = 12_000


@pytest.fixture(scope="module")
def events() -> list[Event]:
    return list(month(1, SIZE, "2026-10", plants=False).events())


def of_october(events: list[Event], kind: type) -> list:
    zone = ZoneInfo("Europe/Amsterdam")
    return [event for event in events if type(event) is kind and event.at.astimezone(zone).month == 10]


def test_the_month_has_exactly_its_size(events: list[Event]) -> None:
    assert len(of_october(events, Capture)) == SIZE
    assert len({event.order for event in of_october(events, Capture)}) == SIZE


def test_amounts(events: list[Event]) -> None:
    amounts = sorted(event.amount_minor for event in of_october(events, Capture))
    assert amounts[0] > 0 and amounts[-1] <= 500_000
    assert 5_000 < median(amounts) < 12_000
    common = Counter(amounts).most_common(40)
    assert 0.5 < sum(count for _, count in common) / SIZE < 0.7


def test_methods_currencies_and_declines(events: list[Event]) -> None:
    captures = of_october(events, Capture)
    methods = Counter(event.method for event in captures)
    assert 0.55 < methods["card"] / SIZE < 0.65 and 0.1 < methods["ideal"] / SIZE < 0.14
    foreign = [event for event in captures if event.currency == "USD"]
    assert 0.09 < len(foreign) / SIZE < 0.11
    assert all(len(event.rate.split(".")[1]) == 8 for event in foreign)
    declines = len(of_october(events, Decline))
    assert 0.11 < declines / (declines + SIZE) < 0.13


def test_refunds_and_chargebacks_come_late_and_of_earlier_months(events: list[Event]) -> None:
    captured = {event.reference: event.at for event in events if isinstance(event, Capture)}
    refunds, chargebacks = of_october(events, Refund), of_october(events, Chargeback)
    assert 0.02 < len(refunds) / SIZE < 0.04
    lags = [(event.at - captured[event.payment]).days for event in refunds]
    assert 7 < sum(lags) / len(lags) < 12 and max(lags) <= 121
    assert 0.6 < sum(event.is_full for event in refunds) / len(refunds) < 0.8
    assert 0.0005 < len(chargebacks) / SIZE < 0.002
    assert all((event.at - captured[event.payment]).days >= 19 for event in chargebacks if event.round == 1)
    assert sum(1 for event in events if isinstance(event, RefundFailure)) >= 1


def test_few_sellers_have_much(events: list[Event]) -> None:
    sellers = Counter(event.seller for event in of_october(events, Capture))
    assert sum(count for _, count in sellers.most_common(5)) / SIZE > 0.25
    bounds = zipf(20_000)
    assert 0.15 * 2**32 < bounds[4] < 0.6 * 2**32 and len(bounds) == 20_000


def test_settlement_waits_for_business_days() -> None:
    """T+2, over weekends, Easter (3 and 6 April 2026) and Christmas."""
    for day, batch in (
        ("2026-10-05", "2026-10-07"), ("2026-10-09", "2026-10-13"), ("2026-10-10", "2026-10-13"),
        ("2026-04-01", "2026-04-07"), ("2026-12-23", "2026-12-28"), ("2026-12-30", "2027-01-04"),
    ):  # fmt: skip
        assert str(date.fromordinal(next_business(date.fromisoformat(day).toordinal(), 2))) == batch
    assert not is_business(date(2026, 5, 1).toordinal())


@pytest.mark.parametrize(
    ("name", "seconds"), [("2026-10-25", 90_000), ("2026-03-29", 82_800), ("2026-07-01", 86_400)]
)
def test_a_day_is_as_long_as_the_zone_makes_it(name: str, seconds: int) -> None:
    """F-H15: the last payment of a day is still of that day, when the clocks change, too."""
    days, day = Days(name[:7], 1000, "Europe/Amsterdam"), date.fromisoformat(name).toordinal()
    assert days.midnight(day)[1] == seconds
    for share in (0, 99_999):
        assert str(days.moment(day, share, 100_000).astimezone(days.zone).date()) == name
