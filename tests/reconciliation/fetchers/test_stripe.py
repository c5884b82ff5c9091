"""Stripe's reports, fetched from the sandbox over real HTTP with the official SDK."""

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
