"""A merchant with sources of files: a provider's and a bank's, in the formats of `plain`."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, time
from io import BytesIO
from typing import Any
from uuid import UUID, uuid4

import pytest

from core import clock
from core.drain import get_drain
from core.models import Case, DeadLetter
from reconciliation.asking import ask_run
from reconciliation.drains import RunDrain
from reconciliation.formats import registry
from reconciliation.ingest.receive import DRAIN
from reconciliation.models import BankLine, BankStatement, SettlementFile, SettlementLine, SettlementSource
from reconciliation.posting import run as posting
from reconciliation.services import receive_file
from reconciliation.types import ReceivedFile
from tests.reconciliation.plain import PlainBank, PlainSettlement

__all__ = ["TODAY", "Desk"]

# Files of the tests are about days before this one.
TODAY = date(2026, 1, 10)


@dataclass
class Desk:
    """What a merchant has of sources, and what came over them."""

    merchant_id: UUID = field(default_factory=uuid4)

    def source(self, **columns: Any) -> SettlementSource:
        """A source; of a provider unless said otherwise."""
        kind = columns.get("kind", "psp")
        now = clock.now()
        given = {
            "merchant_id": self.merchant_id,
            "name": f"source-{uuid4().hex[:8]}",
            "kind": kind,
            "provider": "plain",
            "format": "plain.bank" if kind == "bank" else "plain.settlement",
            "encoding": "utf-8",
            "time_zone": "UTC",
            "fetcher": "upload",
            "calendar": "EVERY_DAY",
            "expected_by": time(6),
            "begins_on": date(2026, 1, 1),
            "created_at": now,
            "updated_at": now,
        }
        return SettlementSource.objects.create(**given | columns)

    def send(self, source: SettlementSource, body: bytes, **options: Any) -> ReceivedFile:
        """Hand a body in, and let it be worked on as far as it goes."""
        received = self.receive(source, body, **options)
        self.work()
        return received

    def receive(self, source: SettlementSource, body: bytes, **options: Any) -> ReceivedFile:
        """Hand a body in."""
        given: dict[str, Any] = {"name": "file.txt", "origin": "upload", "by": "user:mia"}
        return receive_file(source_id=source.id, body=BytesIO(body), **given | options)

    def work(self) -> None:
        """Do what is due."""
        get_drain(DRAIN).run()

    def file(self, received: ReceivedFile) -> SettlementFile:
        """The file as it is now."""
        return SettlementFile.objects.select_related("source").get(pk=received.file_id)

    def file_again(self, file: SettlementFile) -> SettlementFile:
        """A file that is known, as it is now."""
        file.refresh_from_db()
        return file

    def lines(self, received: ReceivedFile) -> list[SettlementLine]:
        """Its lines, whether they count or not."""
        return list(SettlementLine.objects.filter(file_id=received.file_id).order_by("pk"))

    def entries(self, received: ReceivedFile) -> list[BankLine]:
        """The same of a bank's file."""
        return list(BankLine.objects.filter(file_id=received.file_id).order_by("pk"))

    def statements(self, received: ReceivedFile) -> list[BankStatement]:
        """Its statements, in their order."""
        return list(BankStatement.objects.filter(file_id=received.file_id).order_by("position"))

    def refused(self, received: ReceivedFile) -> tuple[str, int | None]:
        """The code and the line that a file was refused with; nothing of it may be left."""
        file = self.file(received)
        assert file.status == "REFUSED", file.status
        assert (self.lines(received), self.entries(received), self.statements(received)) == ([], [], [])
        assert (file.due_at, file.staged_lines) == (None, 0)
        assert file.refusal is not None
        return file.refusal["code"], file.refusal["line"]

    def cases(self, kind: str) -> list[Case]:
        """The open cases of a kind."""
        return list(Case.objects.filter(kind=kind, merchant_id=self.merchant_id).exclude(status="CLOSED"))

    def letters(self) -> list[DeadLetter]:
        """What failed for good."""
        return list(DeadLetter.objects.filter(merchant_id=self.merchant_id, status="OPEN"))


@pytest.fixture(autouse=True)
def plain_formats(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The formats of the tests are known."""
    for each in (PlainSettlement(), PlainBank()):
        monkeypatch.setitem(registry.FORMATS, each.name, each)
    yield


@pytest.fixture(autouse=True)
def silent_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is asked about unknown lines: there is no provider behind most of these tests."""
    monkeypatch.setattr(RunDrain, "steps", tuple(step for step in RunDrain.steps if step is not ask_run))


@pytest.fixture(autouse=True)
def one_connection(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a test is rolled back, posting stays on its connection: on others it would commit."""
    marked = request.node.get_closest_marker("django_db")
    if marked is None or not marked.kwargs.get("transaction"):
        monkeypatch.setattr(posting, "ABREAST", 1)


@pytest.fixture
def desk(db: None, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A merchant with sources, on the tenth of January."""
    stand_still(monkeypatch)
    return Desk()


def stand_still(monkeypatch: pytest.MonkeyPatch, *, day: date = TODAY) -> None:
    """Let it be this day for reconciliation; the time goes on, because work is due by it."""
    from reconciliation.ingest import confirm, stage

    for module in (confirm, stage):
        monkeypatch.setattr(module, "today_of", lambda source: day)
