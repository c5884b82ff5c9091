"""A process that is killed while it brings a report: the file is there once, and its day is done once.

The process dies of SIGKILL, each time where the one before it did not come to; the sandbox's provider is a
process too, reached over HTTP.
"""

import signal
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from core import clock
from core.drain import get_drain
from core.failpoints import arm, disarm, fired
from core.models import JobRun
from reconciliation.ingest.receive import DRAIN
from reconciliation.models import SettlementFile, SettlementFilePart
from tests.payments.psp.sandbox_process import SandboxProcess
from tests.payouts.providers.connected import Platform
from tests.reconciliation.setup import files_of, runs, set_up
from tests.reconciliation.stager import Forks, stager_env

pytestmark = [pytest.mark.chaos, pytest.mark.processes, pytest.mark.django_db(transaction=True)]
# From the order to the receipt, the receipt, and from there to the mark that the day is done.
BRINGING = (
    "settlement_days.ordered",
    "settlement_days.fetched",
    "settlement_files.spooled",
    "settlement_days.received",
)
_DAY = 86_400


@pytest.fixture
def fetchers(hooks: Path, transactional_db: None) -> Iterator[Forks]:
    """Processes that look at the sources, one after the other."""
    forks = Forks(stager_env(hooks))
    yield forks
    disarm()
    forks.end()


def look(fetchers: Forks) -> int:
    """Let a process look; return how it ended. Nobody waits for the lease of a dead one."""
    JobRun.objects.filter(finished_at=None).update(leased_until=timezone.now() - timedelta(days=1))
    clock.move(seconds=400)
    return fetchers.run("fetch")


def test_killed_at_every_step_the_file_is_there_once(
    sandbox: SandboxProcess, fetchers: Forks, hooks: Path
) -> None:
    """F-H19, I34: one file with one body. What was ordered twice is the same report."""
    platform = Platform(sandbox)
    platform.top_up(5_000)
    ahead = sandbox.control("POST", "clock", {"seconds": _DAY})
    clock.move(seconds=round(float(ahead["now"]) - clock.now().timestamp()))
    source = set_up(
        platform.channel.merchant_id,
        channel_id=platform.channel.id,
        fetcher="stripe",
        begins_on=clock.today() - timedelta(days=1),
    )
    for place in BRINGING:
        arm(place, "kill")
        assert look(fetchers) == -signal.SIGKILL, place
        assert fired(place)
        disarm()
        assert len(files_of(source)) == (place == "settlement_days.received")
    assert look(fetchers) == 0
    get_drain(DRAIN).run()
    arm("settlement_days.before_done", "kill")
    assert look(fetchers) == -signal.SIGKILL
    disarm()
    [run] = runs(source).values()
    assert run.finished_at is None
    assert look(fetchers) == 0
    [run] = runs(source).values()
    [file] = files_of(source)
    assert (file.status, run.summary) == ("PUBLISHED", {"files": [file.public_id]})
    assert SettlementFilePart.objects.filter(file_id=file.id).count() == 1
    assert SettlementFile.objects.filter(merchant_id=source.merchant_id).count() == 1
