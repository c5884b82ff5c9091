"""Staging in chunks: how it goes on after it stopped, and how a worker notices that it was overtaken."""

from concurrent.futures import Executor, Future
from typing import Any

import pytest
from django.db import connection

from core.drain import get_drain
from reconciliation.formats.contract import Item, Line
from reconciliation.ingest import stage, work, writer
from reconciliation.ingest.receive import DRAIN
from reconciliation.models import SettlementFile
from tests.reconciliation.conftest import Desk
from tests.reconciliation.plain import PlainSettlement, settlement, statement

pytestmark = pytest.mark.django_db
LINES = 11
BODY = settlement(*[(f"ch_{n}", 100 + n) for n in range(LINES)])


class AtOnce(Executor):
    """Does what it is given when it is given it, on the connection of the test."""

    def submit(self, work: Any, /, *arguments: Any, **options: Any) -> "Future[Any]":
        done: Future[Any] = Future()
        try:
            done.set_result(work(*arguments, **options))
        except Exception as error:
            done.set_exception(error)
        return done


@pytest.fixture(autouse=True)
def chunks_of_three(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a small file has several, all written in the transaction of the test."""
    for module in (writer, stage):
        monkeypatch.setattr(module, "CHUNK_LINES", 3)
    monkeypatch.setattr(writer, "make_executor", AtOnce)
    monkeypatch.setattr(connection, "close", lambda: None)


def stop_after(monkeypatch: pytest.MonkeyPatch, chunks: int) -> None:
    """Let the writing of chunks break after so many."""
    write, written = writer.write_chunk, []

    def broken(*arguments: Any, **options: Any) -> None:
        if len(written) == chunks:
            raise ConnectionError("the network is away")
        written.append(1)
        write(*arguments, **options)

    monkeypatch.setattr(writer, "write_chunk", broken)


def try_again(desk: Desk) -> None:
    """Let the next try come."""
    SettlementFile.objects.filter(due_at__isnull=False).update(due_at="2026-01-01T00:00:00Z")
    desk.work()


@pytest.mark.parametrize("chunks", [0, 1, 3])
def test_it_goes_on_where_it_stopped(desk: Desk, monkeypatch: pytest.MonkeyPatch, chunks: int) -> None:
    """F-H19: what is staged stays, and is not written again."""
    with monkeypatch.context() as patch:
        stop_after(patch, chunks)
        received = desk.send(desk.source(), BODY)
    assert (desk.file(received).status, desk.file(received).staged_lines) == ("STAGING", chunks * 3)
    (before,) = {tuple(each.pk for each in desk.lines(received))}
    removed: list[Any] = []
    monkeypatch.setattr(stage, "remove_lines", lambda *given: removed.append(given))
    try_again(desk)
    assert desk.file(received).status == "PUBLISHED"
    assert [each.reference for each in desk.lines(received)] == [f"ch_{n}" for n in range(LINES)]
    assert tuple(each.pk for each in desk.lines(received))[: len(before)] == before
    assert removed == []


@pytest.mark.parametrize("how", ["another line", "a line is gone"])
def test_it_begins_anew_when_the_staged_lines_are_others(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """Say that a newer version of the reader reads the body in another way."""
    with monkeypatch.context() as patch:
        stop_after(patch, 2)
        if how == "another line":
            read = PlainSettlement._item
            patch.setattr(PlainSettlement, "_item", lambda *given: other(read(*given)))
        received = desk.send(desk.source(), BODY)
    if how == "a line is gone":
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM reconciliation_settlementline WHERE line_no = 2")
    assert desk.file(received).staged_lines == 6
    try_again(desk)
    assert desk.file(received).status == "PUBLISHED"
    assert [each.reference for each in desk.lines(received)] == [f"ch_{n}" for n in range(LINES)]


def other(item: Item) -> Item:
    """What another reader makes of it."""
    return item._replace(reference="x") if isinstance(item, Line) else item


def test_a_worker_that_was_overtaken_stops(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """F-H19: its next chunk finds a newer claim, nothing of it is written, and nobody is told."""
    received = desk.receive(desk.source(), BODY)
    (claim,) = get_drain(DRAIN).claim(limit=1)
    write = writer.write_chunk

    def overtaken(*arguments: Any, **options: Any) -> None:
        write(*arguments, **options)
        SettlementFile.objects.filter(pk=received.file_id).update(fence=claim.fence + 1)

    with monkeypatch.context() as patch:
        patch.setattr(writer, "write_chunk", overtaken)
        work.take_further(claim=claim)
    assert (desk.file(received).staged_lines, len(desk.lines(received))) == (3, 3)
    SettlementFile.objects.update(leased_until=None)
    desk.work()
    assert (desk.file(received).status, len(desk.lines(received))) == ("PUBLISHED", LINES)


def test_a_worker_with_an_old_claim_does_nothing(desk: Desk) -> None:
    """F-H19: the newer one has the file."""
    received = desk.receive(desk.source(), BODY)
    (old,) = get_drain(DRAIN).claim(limit=1)
    SettlementFile.objects.update(leased_until=None)
    (_new,) = get_drain(DRAIN).claim(limit=1)
    work.take_further(claim=old)
    assert desk.file(received).status == "RECEIVED"


def test_a_refusal_in_the_last_line_takes_the_others_away(desk: Desk) -> None:
    """F-H1: what was staged before it was seen by nobody, and is gone."""
    received = desk.send(desk.source(), BODY[:-1])
    assert desk.refused(received) == ("truncated", LINES + 2)


def test_statements_in_many_chunks(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """F-H19: a bank's file goes on as well, with the statement that each line is of."""
    body = statement("1", 100, *range(1, 6), day="2026-01-05") + statement(
        "2", 115, *range(6), references="s"
    )
    with monkeypatch.context() as patch:
        stop_after(patch, 2)
        received = desk.send(desk.source(kind="bank"), body)
    assert desk.statements(received) == []
    try_again(desk)
    first, second = desk.statements(received)
    assert (first.status, first.lines_count, second.lines_count) == ("LIVE", 5, 6)
    assert {each.statement_id for each in desk.entries(received)[:5]} == {first.id}
