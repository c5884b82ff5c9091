"""F-H19, R6: workers that die of SIGKILL while they match and post; whoever comes next goes on.

However often and wherever they died, a month ends in what it ends in when nobody is killed: the same breaks,
matches and journals, and the audits are clean.
"""

import random
import signal
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest
from django.db.models import F

from core.audits import run_audits
from core.failpoints import arm, disarm, fired
from reconciliation.banking.audits import INVARIANTS as BANKING
from reconciliation.matching.audits import INVARIANTS as MATCHING
from reconciliation.models import ReconciliationRun
from reconciliation.resolving.audits import INVARIANTS as RESOLVING
from tests.months import month
from tests.reconciliation.proof.story import story_of
from tests.reconciliation.proof.whole import Whole, open_whole
from tests.reconciliation.stager import Forks, stager_env
from tests.stateful.effort import IS_CHAOS

pytestmark = [pytest.mark.chaos, pytest.mark.processes, pytest.mark.django_db(transaction=True)]
STATEMENTS = 4
# Lines of a portion, so that a file has several.
LINES = 40
# In this order, because each lets the next worker come to the next one: of the report, then of statements.
PLACES = (
    "reconciliation_runs.claimed",
    "reconciliation_runs.before_matched",
    "reconciliation.told",
    "reconciliation.portion_posted",
    "reconciliation.portion_posted",
    "reconciliation.posted",
    "reconciliation.bank_portion_posted",
    "reconciliation_runs.before_matched",
    "reconciliation.bank_portion_posted",
)


@pytest.fixture
def forks(hooks: Path, transactional_db: None) -> Iterator[Forks]:
    """Processes that match and post what is due, one after the other."""
    opened = Forks(stager_env(hooks))
    yield opened
    disarm()
    opened.end()


def received(monkeypatch: pytest.MonkeyPatch) -> Whole:
    """A merchant whose report and first statements are staged; nothing of them is matched."""
    made = month(seed=313, size=1_000, month="2026-10", per="month", bank_plants=True)
    whole = open_whole(monkeypatch, made)
    whole.receive_all(monkeypatch, made.psp_files(), islice(made.bank_files(), STATEMENTS))
    return whole


def work(forks: Forks, *, until: int = 0) -> int:
    """Let a process do what is due; return how it ended. Nobody waits for the lease of a dead one."""
    due = ReconciliationRun.objects.filter(due_at__isnull=False)
    due.update(leased_until=None, due_at=F("created_at"))
    return forks.run("run", until, LINES)


def test_killed_at_many_steps_the_result_is_the_same(monkeypatch: pytest.MonkeyPatch, forks: Forks) -> None:
    """At each named place, and then before statements of the database that chance has chosen."""
    untouched = received(monkeypatch)
    assert work(forks) == 0
    at_places = received(monkeypatch)
    for place in PLACES:
        arm(place, "kill")
        assert work(forks) == -signal.SIGKILL, place
        assert fired(place)
        disarm()
    assert work(forks) == 0
    at_random = received(monkeypatch)
    rng, deaths = random.Random(), 0
    seed = rng.getrandbits(32)
    rng.seed(seed)
    # They live longer and longer, because the longest transaction must fit for anybody to come through.
    while (ended := work(forks, until=rng.randint(1, 40 + deaths * (1 if IS_CHAOS else 6)))) != 0:
        assert ended == -signal.SIGKILL
        deaths += 1
    print(f"{deaths} deaths with seed {seed}")
    assert deaths >= 8, seed
    stories = []
    for whole in (untouched, at_places, at_random):
        whole.finish(monkeypatch, max(file.day for file in whole.month.psp_files()))
        stories.append(story_of(whole))
    assert stories[0].breaks.total() > 15 and stories[0].matches.total() > 900
    assert stories[1] == stories[0], "killed at named places"
    assert stories[2] == stories[0], f"killed at random places, seed {seed}"
    asked = {each.name for each in (*MATCHING, *BANKING, *RESOLVING)}
    report = run_audits(names=sorted(asked), store=False)
    assert report.is_clean, [(each.name, each.sample) for each in (*report.violated, *report.failed)]
