"""Two workers on one run, each sure that it is theirs: matched once and posted once; and what holds them."""

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Any
from uuid import uuid4

import pytest

from core.drain import Claim, get_drain
from reconciliation.matching import runs
from reconciliation.matching.runs import DRAIN
from reconciliation.models import ReconciliationRun, SettlementFile
from reconciliation.posting import run as posting
from reconciliation.posting.chunks import FileToPost
from tests.months import Month, month
from tests.racing import race
from tests.reconciliation.proof.story import story_of
from tests.reconciliation.proof.whole import Whole, open_whole
from tests.stateful.effort import rounds

pytestmark = [pytest.mark.chaos, pytest.mark.database, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def one_connection_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each worker posts on its own connection: the pool has eight."""
    monkeypatch.setattr(posting, "ABREAST", 1)


def staged(monkeypatch: pytest.MonkeyPatch) -> tuple[Whole, Claim]:
    """A report and the right to work on it."""
    made: Month = month(seed=3, size=1_000, month="2026-10", per="month")
    whole = open_whole(monkeypatch, made)
    whole.receive_all(monkeypatch, islice(made.psp_files(), 1), [])
    (claim,) = get_drain(DRAIN).claim(limit=1)
    return whole, claim


def handled_by_two(claim: Claim) -> list[Any]:
    """Let two take the run as far as it goes; return what each raised."""
    return race([partial(get_drain(DRAIN).handle, claim)] * 2, connected=True, seconds=240)


def test_two_workers_on_one_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """R6, I37: the result is that of one worker, and neither of them fails."""
    whole, claim = staged(monkeypatch)
    get_drain(DRAIN).handle(claim)
    alone = story_of(whole)
    assert alone.breaks.total() > 10 and alone.matches.total() > 900
    for _ in range(rounds(few=2, many=20)):
        whole, claim = staged(monkeypatch)
        assert handled_by_two(claim) == [None, None]
        assert ReconciliationRun.objects.get(pk=claim.id).status == "DONE"
        assert story_of(whole) == alone


def test_the_control_that_takes_no_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same when nobody asks whose turn it is: the file is matched twice, as far as the keys let it."""

    def any_turn(claim: Claim, *, after: Iterable[str]) -> tuple[ReconciliationRun, bool]:
        return ReconciliationRun.objects.select_related("source", "file").get(pk=claim.id), True

    monkeypatch.setattr(runs, "take_turn", any_turn)
    _, claim = staged(monkeypatch)
    assert any(isinstance(each, Exception) for each in handled_by_two(claim))


def test_the_control_whose_spans_have_no_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same when a span is called something else by everybody who posts it: it is posted twice."""
    really = posting.file_to_post

    def mine(row: SettlementFile) -> FileToPost:
        file = really(row)
        # The names begin with the file's.
        return replace(file, id=uuid4())

    whole, claim = staged(monkeypatch)
    monkeypatch.setattr(get_drain(DRAIN).__class__, "steps", (runs.match_run,))
    get_drain(DRAIN).handle(claim)
    monkeypatch.setattr(posting, "file_to_post", mine)
    post = partial(posting.post_file, run_id=claim.id, fence=claim.fence)
    assert race([post] * 2, connected=True, seconds=240) == [None, None]
    once = sum(day["net_minor"] for day in whole.month.days())
    # Not quite twice: reserves have names of their own.
    assert whole.balances()["psp_settlement_in_transit", "EUR"] > once * 3 // 2
