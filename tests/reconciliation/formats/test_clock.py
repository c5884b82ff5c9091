"""Times without a zone, and the days and periods that files are about (F-H15)."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciliation.formats import clock as clock_module
from reconciliation.formats.clock import Clock
from reconciliation.formats.contract import ReadOptions, Refused
from reconciliation.formats.periods import asked_document

BERLIN, SHANGHAI = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Shanghai")
ZONES = [ZoneInfo("UTC"), BERLIN, SHANGHAI, ZoneInfo("America/New_York"), ZoneInfo("Asia/Kolkata")]

SPAN = (datetime(1971, 1, 1), datetime(2999, 12, 30))  # noqa: DTZ001 - clocks without a zone


@given(st.datetimes(*SPAN), st.sampled_from(ZONES), st.booleans())
def test_a_local_time_means_the_moment_that_shows_it(at: datetime, zone: ZoneInfo, is_day: bool) -> None:
    """Against the other way round: what the moment shows on a clock in that zone."""
    moment = at.replace(microsecond=0, tzinfo=UTC)
    shown = moment.astimezone(zone)
    found, day, offset = Clock(zone, BERLIN if is_day else None).read(f"{shown:%Y-%m-%d %H:%M:%S}", 1)
    if found is None:  # shown twice
        assert shown.replace(fold=0).utcoffset() != shown.replace(fold=1).utcoffset()
        assert (day, offset) == (shown.date(), "")
    else:
        assert found == moment
        assert day == (moment.astimezone(BERLIN) if is_day else shown).date()
        assert datetime.fromisoformat(f"{shown:%Y-%m-%dT%H:%M:%S}{offset}") == moment


def test_the_hour_that_comes_twice_and_the_one_that_never_comes_have_a_day_and_no_moment() -> None:
    clock = Clock(BERLIN)
    assert clock.read("2026-10-25 02:30:00", 1) == (None, date(2026, 10, 25), "")
    assert clock.read("2026-03-29 02:30:00", 1) == (None, date(2026, 3, 29), "")
    assert clock.read("2026-10-25 03:00:00", 1)[0] == datetime(2026, 10, 25, 2, tzinfo=UTC)


def test_the_last_second_of_a_day_belongs_to_it() -> None:
    """F-H15: 23:59:59+08:00 is the provider's day, although it is the same day in UTC by chance only."""
    clock = Clock(ZoneInfo("UTC"), SHANGHAI)
    assert clock.read("2026-11-30 15:59:59", 1)[1] == date(2026, 11, 30)
    assert clock.read("2026-11-30 16:00:00", 1)[1] == date(2026, 12, 1)
    # Zones whose days change within an hour.
    clock = Clock(ZoneInfo("UTC"), ZoneInfo("Asia/Kolkata"))
    assert clock.read("2026-11-30 18:29:59", 1)[1] == date(2026, 11, 30)
    assert clock.read("2026-11-30 18:30:00", 1)[1] == date(2026, 12, 1)


@pytest.mark.parametrize(
    "text",
    [
        "", "2026-11-30", "2026-11-30 9:00:00", "2026-11-30 24:00:00", "2026-11-30 23:59:60",
        "2026-02-30 10:00:00", "30/11/2026 10:00:00", "2026-W48-1 10:00:00", "20261130 10:00:00",
        "2026-11-30 10:00:00Z", "2026-11-30 10:00:00.5", "0001-01-01 00:00:00", "9999-12-31 23:59:59",
        "٢٠٢٦-11-30 10:00:00", " 2026-11-30 10:00:00", "2026-11-30\t10:00:00", "2026-11-30 10:00:٠٠",
    ],
)  # fmt: skip
def test_what_is_no_time_is_refused(text: str) -> None:
    for zone in ZONES:
        with pytest.raises(Refused) as caught:
            Clock(zone, SHANGHAI).read(text, 7)
        assert (caught.value.code, caught.value.line_no) == ("time_invalid", 7)


def test_it_remembers_no_more_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock_module, "_REMEMBERED", 100)
    clock, start = Clock(ZoneInfo("UTC")), datetime(2020, 1, 1, tzinfo=UTC)
    for minute in range(1_000):
        clock.read(f"{start + timedelta(minutes=minute):%Y-%m-%d %H:%M}", 1)
    assert len(clock._minutes) <= 100


@pytest.mark.parametrize(
    ("name", "identity"),
    [
        ("2026-11-30.csv", "2026-11-30..2026-11-30"),
        ("Itemized_payout_reconciliation-USD-2026-11-01-to-2026-11-30.csv", "2026-11-01..2026-11-30"),
        ("payouts_20261101_20261130.csv", "2026-11-01..2026-11-30"),
        ("STL-20261130.01.009.CSV", "2026-11-30..2026-11-30"),
    ],
)
def test_a_name_says_the_days_where_nobody_else_does(name: str, identity: str) -> None:
    options = ReadOptions(name=name, encoding="utf-8", time_zone="UTC", account="acct_1")
    document = asked_document(options)
    assert (document.identity, document.account) == (identity, "acct_1")


@pytest.mark.parametrize(
    "name",
    ["", "report.csv", "2026-13-01.csv", "1234567890123.csv", "2026-11-01_2026-11-02_2026-11-03.csv",
     "2026-11-30_to_2026-11-01.csv"],
)  # fmt: skip
def test_a_period_that_nobody_says_is_not_guessed(name: str) -> None:
    with pytest.raises(Refused) as caught:
        asked_document(ReadOptions(name=name, encoding="utf-8", time_zone="UTC"))
    assert caught.value.code == "period_unknown"


def test_what_was_asked_for_goes_before_the_name() -> None:
    asked = {"asked_from": date(2026, 11, 1), "asked_to": date(2026, 11, 2)}
    options = ReadOptions(name="2020-01-01.csv", encoding="utf-8", time_zone="UTC", **asked)  # type: ignore[arg-type]
    assert asked_document(options).identity == "2026-11-01..2026-11-02"
