"""Two at once: the same body from many workers, and two workers on one file."""

import os
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError

from core.audits import run_audits
from core.drain import Claim, get_drain
from reconciliation.ingest import receive, work, writer
from reconciliation.ingest.receive import DRAIN
from reconciliation.models import SettlementFile, SettlementLine, SettlementSource
from reconciliation.types import ReceivedFile
from tests.racing import race
from tests.reconciliation.conftest import Desk
from tests.reconciliation.plain import settlement
from tests.stateful.effort import rounds

pytestmark = [pytest.mark.chaos, pytest.mark.database, pytest.mark.django_db(transaction=True)]
LINES = 40
# The main thread has one of the eight connections of the pool.
CLIENTS = 6
BODY = settlement(*[(f"ch_{n}", 100 + n) for n in range(LINES)])


@pytest.fixture
def racers(transactional_db: None) -> Iterator[Desk]:
    """A merchant; whatever raced, the audits are clean afterwards."""
    yield Desk()
    report = run_audits(store=False)
    assert report.is_clean, [(each.name, each.sample) for each in (*report.violated, *report.failed)]


def claimed(desk: Desk, source: SettlementSource) -> Claim:
    """A received file, and the right to work on it."""
    desk.receive(source, BODY)
    (claim,) = get_drain(DRAIN).claim(limit=1)
    return claim


def test_the_same_body_from_many_at_once(racers: Desk) -> None:
    """F-H2, I34: one is new, the others find it; nobody gets an error."""
    for _ in range(rounds(few=3, many=50)):
        source = racers.source()
        received = race([partial(racers.receive, source, BODY)] * CLIENTS, connected=True)
        assert all(isinstance(each, ReceivedFile) for each in received), received
        assert len({each.file_id for each in received}) == 1
        assert sum(each.is_new for each in received) == 1
    racers.work()


def test_the_control_whose_digests_are_made_anew(racers: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same when bodies are not told apart by their digest: every one of them is a file."""
    read = receive._spool

    def spool(*arguments: Any) -> Any:
        size, packing, _ = read(*arguments)
        return size, packing, {"sha256": os.urandom(32)}

    monkeypatch.setattr(receive, "_spool", spool)
    received = race([partial(racers.receive, racers.source(), BODY)] * CLIENTS, connected=True)
    assert sum(each.is_new for each in received) == CLIENTS


def test_two_workers_take_one_file_once(racers: Desk) -> None:
    """F-H2: one claims it, the other has nothing to do."""
    for _ in range(rounds(few=3, many=50)):
        received = racers.receive(racers.source(), BODY)
        race([racers.work, racers.work], connected=True)
        assert (racers.file(received).status, len(racers.lines(received))) == ("PUBLISHED", LINES)


def test_two_workers_that_believe_in_one_claim(racers: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """F-H19: each chunk asks how far the file has come, so that none is written twice."""
    monkeypatch.setattr(writer, "CHUNK_LINES", 3)
    for _ in range(rounds(few=3, many=50)):
        claim = claimed(racers, racers.source())
        outcomes = race([partial(work.take_further, claim=claim)] * 2, connected=True)
        assert [each for each in outcomes if each is not None] == []
        file = SettlementFile.objects.get(pk=claim.id)
        lines = SettlementLine.objects.filter(file_id=file.id)
        if file.status == "STAGING":  # Each overtook the other; whoever claims it next goes on.
            SettlementFile.objects.update(leased_until=None)
            racers.work()
            file.refresh_from_db()
        assert (file.status, lines.count()) == ("PUBLISHED", LINES)


def test_the_control_without_the_claim(racers: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same when chunks do not ask: lines are written twice, as far as their keys let them."""
    monkeypatch.setattr(writer, "CHUNK_LINES", 3)
    monkeypatch.setattr(writer, "keep_claim", lambda *_, **__: None)
    claim = claimed(racers, racers.source())
    outcomes = race([partial(work.take_further, claim=claim)] * 2, connected=True)
    assert any(isinstance(each, IntegrityError) for each in outcomes)
