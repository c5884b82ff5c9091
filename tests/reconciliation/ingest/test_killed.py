"""F-H19: a worker that dies of SIGKILL at any step of a file, and the next one that goes on.

Whatever happened in between, the result is that of a file that nobody was killed over, and nothing of it is
seen before it is published.
"""

import random
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.audits import run_audits
from core.failpoints import arm, disarm, fired
from reconciliation.models import SettlementFile, SettlementLine, SettlementSource
from reconciliation.selectors import find_lines
from tests.reconciliation.conftest import Desk
from tests.reconciliation.plain import settlement
from tests.reconciliation.stager import Forks, stager_env
from tests.stateful.effort import IS_CHAOS

pytestmark = [pytest.mark.chaos, pytest.mark.processes, pytest.mark.django_db(transaction=True)]
LINES = 41
PLACES = (
    "settlement_files.claimed",
    "settlement_files.before_chunk",
    "settlement_files.chunk",
    "settlement_files.after_chunk",
    "settlement_files.staged",
    "settlement_files.completed",
    "settlement_files.before_publish",
)


@pytest.fixture
def source(transactional_db: None) -> Iterator[SettlementSource]:
    """A source; whatever was killed, the audits are clean afterwards."""
    yield Desk().source()
    report = run_audits(store=False)
    assert report.is_clean, [(each.name, each.sample) for each in (*report.violated, *report.failed)]


class Workers:
    """Processes that do what is due, one after the other."""

    def __init__(self, hooks: Path) -> None:
        self.forks = Forks(stager_env(hooks))

    def work(self, *, chunk: int = 9) -> int:
        """Let one do what is due; return how it ended. Nobody waits for the lease of a dead one."""
        SettlementFile.objects.filter(due_at__isnull=False).update(leased_until=None)
        return self.forks.run("work", chunk)


@pytest.fixture
def workers(hooks: Path, transactional_db: None) -> Iterator[Workers]:
    """Workers that failpoints of this test may kill."""
    opened = Workers(hooks)
    yield opened
    disarm()
    opened.forks.end()


def staged(file_id: Any) -> list[tuple[Any, ...]]:
    """What there is of a file."""
    rows = SettlementLine.objects.filter(file_id=file_id).order_by("pk")
    return list(rows.values_list("line_no", "reference", "net_minor", "quarantine"))


def test_killed_at_every_step_the_result_is_the_same(source: SettlementSource, workers: Workers) -> None:
    """Each worker dies at the next step, at whatever line that is; the last one finishes."""
    desk = Desk(source.merchant_id)
    body = settlement(*[(f"ch_{n}", 100 + n) for n in range(LINES)])
    untouched = desk.receive(desk.source(), body)
    assert workers.work() == 0
    received = desk.receive(source, body)
    seen = 0
    rng = random.Random()
    places = [place for place in PLACES for _ in range(4 if IS_CHAOS and "chunk" in place else 1)]
    for place in places:
        disarm()
        arm(place, "kill")
        assert workers.work(chunk=rng.randint(1, 9)) == -signal.SIGKILL, place
        assert fired(place)
        assert find_lines(file_id=received.file_id) == []
        file = desk.file(received)
        assert len(staged(file.id)) == file.staged_lines >= seen
        seen = file.staged_lines
    disarm()
    assert workers.work() == 0
    assert desk.file(received).status == desk.file(untouched).status == "PUBLISHED"
    assert staged(received.file_id) == staged(untouched.file_id)
    assert desk.file(received).totals == desk.file(untouched).totals


def test_killed_while_a_refused_file_is_swept(source: SettlementSource, workers: Workers) -> None:
    """F-H4: it is refused at once, and its lines go with the next worker."""
    desk = Desk(source.merchant_id)
    received = desk.receive(source, settlement(*[(f"ch_{n}", 100) for n in range(LINES)], declared=(1, 1)))
    arm("settlement_files.refused", "kill")
    assert workers.work() == -signal.SIGKILL
    assert (desk.file(received).status, len(staged(received.file_id))) == ("REFUSED", LINES)
    assert workers.work() == 0
    assert desk.refused(received) == ("control_mismatch", LINES + 2)


def test_killed_between_the_body_and_its_storing(
    source: SettlementSource, workers: Workers, tmp_path: Path
) -> None:
    """F-H2: a half received body leaves nothing, and can be sent again."""
    desk = Desk(source.merchant_id)
    body = settlement(("a", 1))
    (tmp_path / "file.txt").write_bytes(body)
    arm("settlement_files.spooled", "kill")
    died = workers.forks.run("receive", source.id, tmp_path / "file.txt", "2026-01-05", "2026-01-05")
    assert died == -signal.SIGKILL
    assert not SettlementFile.objects.exists()
    assert desk.send(source, body).is_new
