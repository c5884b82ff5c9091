"""Stripe's reports, fetched from the sandbox over real HTTP with the official SDK."""

import json
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from channels.services import set_base_url
from core import clock
from core.failpoints import FailpointRaised
from core.transactions import at_edge
from reconciliation.services import fetch_due
from reconciliation.sources.days import day_of, last_day_over
from reconciliation.types import SourceData
from tests.payments.psp.sandbox_process import SandboxProcess
from tests.payouts.providers.connected import Platform
from tests.reconciliation.setup import files_of, runs, set_up, stage

pytestmark = pytest.mark.django_db
_DAY = 86_400


@pytest.fixture
def platform(sandbox: SandboxProcess, hooks: Path) -> Platform:
    """An account with money that came in on a day that is over, on both sides' clocks."""
    platform = Platform(sandbox)
    platform.top_up(5_000)
    ahead = sandbox.control("POST", "clock", {"seconds": _DAY})
    clock.move(seconds=round(float(ahead["now"]) - clock.now().timestamp()))
    return platform


def source_of(platform: Platform, **changes: Any) -> SourceData:
    """Expected since yesterday."""
    return set_up(
        platform.channel.merchant_id,
        channel_id=platform.channel.id,
        fetcher="stripe",
        begins_on=clock.today() - timedelta(days=1),
        **changes,
    )


def test_a_day_is_fetched_once_it_is_over(platform: Platform) -> None:
    """What is in the report is what moved; the day is done when the file counts, and stays done."""
    source = source_of(platform)
    tally = fetch_due()
    assert (tally.received, tally.failed) == (1, 0)
    [file] = files_of(source)
    yesterday = last_day_over(source.settings, clock.now())
    assert (file.asked_from, file.asked_to, file.origin) == (yesterday, yesterday, "stripe")
    stage()
    file.refresh_from_db()
    assert file.status == "PUBLISHED", file.refusal
    assert file.totals["counted"]["USD"]["net"] == 5_000
    assert fetch_due().done == 1
    assert runs(source)[yesterday].summary == {"files": [file.public_id]}
    assert (fetch_due().received, len(files_of(source))) == (0, 1)


def test_the_day_is_not_over_at_the_provider(sandbox: SandboxProcess, hooks: Path) -> None:
    """It is not ordered before the provider says that it has all of the day, and no sooner asked again."""
    platform = Platform(sandbox)
    there = float(sandbox.control("GET", "clock")["now"])
    clock.move(seconds=round(there - clock.now().timestamp()) + _DAY)
    source = source_of(platform)
    assert fetch_due().failed == 0 and files_of(source) == []
    [run] = runs(source).values()
    assert run.summary["says"].startswith("Stripe has data until") and run.finished_at is None
    assert calls(platform) == ["report.type"]
    fetch_due()
    assert len(calls(platform)) == 1
    clock.move(seconds=400)
    fetch_due()
    assert calls(platform) == ["report.type"] * 2


def test_a_run_that_is_being_written_is_joined(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the next look; the provider is not asked for another one."""
    monkeypatch.setattr("reconciliation.fetchers.stripe._PATIENCE_SECONDS", 0.0)
    source = source_of(platform)
    fetch_due()
    assert files_of(source) == []
    monkeypatch.undo()
    fetch_due()
    assert len(files_of(source)) == 1
    assert calls(platform).count("report.order") == 1


def test_killed_after_the_order_the_same_run_is_joined(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key was kept before the call: asked again, the provider answers with the run that it has."""
    source = source_of(platform)
    run = "reconciliation.fetchers.stripe.StripeReports._wait"
    monkeypatch.setattr(run, lambda *_: (_ for _ in ()).throw(FailpointRaised("killed")))
    kept: list[dict[str, Any]] = []
    real = "reconciliation.sources.errands.DayErrand.keep"
    monkeypatch.setattr(real, lambda self, facts: kept.append(facts) or self._remember(facts))  # type: ignore[func-returns-value]
    fetch_due()
    ordered, known = kept
    assert known == {**ordered, "run": known["run"]}
    monkeypatch.undo()
    # What was kept last is lost with the process.
    row = next(iter(runs(source).values()))
    row.summary = {"fetcher": ordered}
    row.save(update_fields=["summary"])
    fetch_due()
    assert len(files_of(source)) == 1
    assert calls(platform).count("report.order") == 2 and len(ordered_at(platform)) == 1


def test_our_key_goes_to_the_provider_alone(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file's address at another host is not asked, whoever says that the file is there."""
    from reconciliation.fetchers.stripe import StripeReports

    source = source_of(platform)
    monkeypatch.setattr(
        StripeReports,
        "_wait",
        lambda *_: {"id": "frr_1", "status": "succeeded", "result": {"url": "http://127.0.0.1:9/v1/files/1"}},
    )
    assert fetch_due().failed == 1
    [run] = runs(source).values()
    assert "not at the provider's own host" in run.summary["says"] and run.summary["failures"] == 1
    assert files_of(source) == []


def test_a_line_that_is_down_is_a_failure_with_pauses(platform: Platform) -> None:
    """Each pause is longer than the one before it."""
    source = source_of(platform)
    at_edge(set_base_url)(channel_id=platform.channel.id, base_url="http://127.0.0.1:9", actor="user:test")
    pauses = []
    for _ in range(3):
        assert fetch_due().failed == 1
        assert fetch_due().failed == 0
        [run] = runs(source).values()
        pauses.append(datetime.fromisoformat(run.summary["again_at"]) - clock.now())
        clock.move(seconds=int(pauses[-1].total_seconds()) + 2)
    assert pauses[0] < pauses[1] < pauses[2]
    assert run.finished_at is None and files_of(source) == []


@pytest.mark.parametrize(("zone", "hours"), [("Europe/Berlin", 23), ("America/New_York", 25)])
def test_days_are_those_of_the_zone(zone: str, hours: int, platform: Platform) -> None:
    """From midnight to midnight there, also where clocks change."""
    days = {
        "Europe/Berlin": datetime(2026, 3, 29, tzinfo=UTC),
        "America/New_York": datetime(2026, 11, 1, tzinfo=UTC),
    }
    source = source_of(platform, time_zone=zone)
    day = day_of(source.settings, days[zone].date())
    before = day_of(source.settings, days[zone].date() - timedelta(days=1))
    assert day.over_at - before.over_at == timedelta(hours=hours)


def ordered_at(platform: Platform) -> list[Any]:
    """The report runs that the provider has."""
    request = urllib.request.Request(
        f"{platform.sandbox.url}/v1/reporting/report_runs",
        headers={"Authorization": f"Bearer {platform.key}"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        found: list[Any] = json.loads(answer.read())["data"]
    return found


def calls(platform: Platform) -> list[str]:
    """The kinds of what went over the line, as the evidence has it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT kind FROM channels_pspcall WHERE channel_id = %s", [platform.channel.id])
        return [kind for (kind,) in cursor.fetchall()]
