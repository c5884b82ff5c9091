from collections.abc import Iterator

import pytest

from core import dead_letters
from core.errors import DomainError, NotFound
from core.ids import uuid7
from core.models import AuditRecord, DeadLetter
from core.transactions import at_edge
from tests.racing import race

pytestmark = pytest.mark.django_db(transaction=True)
DECISION = {"actor": "user:1", "reason": "the provider is back"}


@at_edge
def bury(queue: str = "deliveries", subject: str = "evt_1") -> DeadLetter:
    return dead_letters.bury(queue=queue, subject=subject, error="410 Gone", attempts=9, detail={"url": "x"})


@pytest.fixture
def replayed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    subjects: list[str] = []
    monkeypatch.setattr(dead_letters, "_REPLAYS", {})
    dead_letters.register_replay("deliveries", lambda letter: subjects.append(letter.subject))
    yield subjects


def test_replay_calls_the_queue_and_is_audited(replayed: list[str]) -> None:
    letter = bury()
    assert bury().pk == letter.pk
    at_edge(dead_letters.replay)(dead_letter_id=letter.pk, **DECISION)
    assert replayed == ["evt_1"]
    row = DeadLetter.objects.get()
    assert (row.status, row.decided_by, row.reason) == ("REPLAYED", "user:1", "the provider is back")
    assert AuditRecord.objects.get().action == "dead_letter.replay"
    assert bury().pk != letter.pk


def test_drop_does_not_call_the_queue(replayed: list[str]) -> None:
    at_edge(dead_letters.drop)(dead_letter_id=bury().pk, **DECISION)
    assert (replayed, DeadLetter.objects.get().status) == ([], "DROPPED")


def test_a_failing_replay_decides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dead_letters, "_REPLAYS", {"deliveries": lambda letter: 1 / 0})
    letter = bury()
    with pytest.raises(ZeroDivisionError):
        at_edge(dead_letters.replay)(dead_letter_id=letter.pk, **DECISION)
    assert DeadLetter.objects.get().status == "OPEN"
    assert not AuditRecord.objects.exists()


def test_refusals(replayed: list[str]) -> None:
    letter = bury()
    with pytest.raises(DomainError, match="reason_required"):
        at_edge(dead_letters.drop)(dead_letter_id=letter.pk, actor="user:1", reason="")
    with pytest.raises(dead_letters.DeadLetterNotReplayable):
        at_edge(dead_letters.replay)(dead_letter_id=bury("other").pk, **DECISION)
    with pytest.raises(NotFound):
        at_edge(dead_letters.drop)(dead_letter_id=uuid7(), **DECISION)
    at_edge(dead_letters.drop)(dead_letter_id=letter.pk, **DECISION)
    with pytest.raises(dead_letters.DeadLetterDecided):
        at_edge(dead_letters.replay)(dead_letter_id=letter.pk, **DECISION)
    with pytest.raises(ValueError, match="two callbacks"):
        dead_letters.register_replay("deliveries", lambda letter: None)


def test_replayed_by_many_runs_once(replayed: list[str]) -> None:
    letter = bury()
    results = race([lambda: at_edge(dead_letters.replay)(dead_letter_id=letter.pk, **DECISION)] * 8)
    assert replayed == ["evt_1"]
    assert sum(isinstance(each, dead_letters.DeadLetterDecided) for each in results) == 7
