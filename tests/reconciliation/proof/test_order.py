"""R6: what a month ends in depends neither on the order of rows and files nor on how many work on it.

Two merchants have the same month. What it left with one of them is held against what it left with the other:
breaks, matches and journals, each by the names that the provider, the bank and we use.
"""

from collections import Counter
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from django.db.models import F

from core.failpoints import arm, disarm, fired
from reconciliation.matching import resolving, turns
from reconciliation.matching.types import OpenLine
from reconciliation.models import ReconciliationRun
from tests.database import owner_connection
from tests.months import File, Month, Shape, month
from tests.reconciliation.proof.story import Story, story_of
from tests.reconciliation.proof.whole import Whole, open_whole
from tests.reconciliation.stager import stager_env, start, told

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
SIZE = 1_500
CLAIMED = "reconciliation_runs.claimed"
# In its first days the bank splits a credit, and another one is too low; in those of the other month it also
# pays two batches with one.
SEED, MERGED = 313, 166


def made(**options: Any) -> Month:
    """The month of these tests: all kinds of plants, in one report."""
    return month(
        **{"seed": SEED, "size": SIZE, "month": "2026-10", "per": "month", "bank_plants": True, **options}
    )


def some_statements(made: Month, count: int = 4) -> list[File]:
    """The first statements of its bank."""
    return list(islice(made.bank_files(), count))


def ended(monkeypatch: pytest.MonkeyPatch, made: Month) -> Story:
    """What a month leaves with a merchant whose report comes first."""
    whole = open_whole(monkeypatch, made)
    whole.receive_all(monkeypatch, made.psp_files(), some_statements(made))
    whole.work()
    return finished(monkeypatch, whole)


def finished(monkeypatch: pytest.MonkeyPatch, whole: Whole) -> Story:
    """What it left when all is over its time."""
    last = max(file.day for file in whole.month.psp_files())
    whole.finish(monkeypatch, last)
    return story_of(whole)


def differ(one: Story, other: Story) -> dict[str, Any]:
    """Where two stories are not the same, a little of each part."""
    found = {}
    for name, mine, theirs in zip(Story._fields, one, other, strict=True):
        if mine != theirs:
            found[name] = (list(mine - theirs)[:4], list(theirs - mine)[:4])
    return found


def test_the_order_of_the_rows_makes_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    """R6: the same rows in another order, a whole month of them in one file."""
    natural, shuffled = (
        ended(monkeypatch, made(shape=Shape(order=order))) for order in ("natural", "shuffled")
    )
    assert natural.breaks.total() > 15 and natural.matches.total() > SIZE * 0.9
    assert differ(natural, shuffled) == {}


def test_the_control_that_takes_the_first_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same when the first line of a name is taken for its movement, whatever its amount is."""

    def first_come(group: Any) -> None:
        for line in sorted(group._lines, key=lambda each: each.id)[: len(group._free)]:
            group._pair(line, group._free[0], resolving.How.EXACT, "reference")

    monkeypatch.setattr(resolving._Group, "_exact", first_come)
    monkeypatch.setattr(resolving, "_order", by_place)
    natural, backwards = (
        ended(monkeypatch, made(shape=Shape(order=order))) for order in ("natural", "reversed")
    )
    assert differ(natural, backwards).keys() == {"breaks", "journals"}


def by_place(line: OpenLine) -> int:
    """Lines in the order of their file."""
    return line.id


def test_the_control_of_the_comparison(monkeypatch: pytest.MonkeyPatch) -> None:
    """One row that is changed behind the back of the product is seen, whichever it is."""
    whole = open_whole(monkeypatch, made(size=1_000))
    whole.receive_all(monkeypatch, whole.month.psp_files(), some_statements(whole.month, 1))
    whole.work()
    before = finished(monkeypatch, whole)
    for table, change, part in (
        ("reconciliation_discrepancy", "amount_minor = amount_minor + 1", "breaks"),
        ("reconciliation_match", "rule = 'other'", "matches"),
        ("ledger_journalline", "amount_minor = amount_minor + 1", "journals"),
    ):
        with owner_connection() as owner:
            owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            one = f"(SELECT id FROM {table} WHERE merchant_id = %s ORDER BY id DESC LIMIT 1)"
            owner.execute(f"UPDATE {table} SET {change} WHERE id = {one}", [whole.merchant_id])
            owner.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        after = story_of(whole)
        assert differ(before, after).keys() == {part}
        before = after


def test_the_bank_may_be_faster_than_the_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a statement shows of batches that nobody has reported yet waits for them: it ends the same."""
    stories = []
    for is_faster in (False, True):
        several = made(per="day")
        whole = open_whole(monkeypatch, several)
        reports, statements = list(islice(several.psp_files(), 5)), some_statements(several, 7)
        for early in ([reports, []], [[], statements])[:: -1 if is_faster else 1]:
            whole.receive_all(monkeypatch, *early)
            whole.work()
        stories.append(finished(monkeypatch, whole))
    assert any(key[4] == "batch_early" for key in stories[1].matches)
    first, second = (without_haste(story) for story in stories)
    assert differ(first, second) == {}


def without_haste(story: Story) -> Story:
    """What is left of it, whether a batch was reported when the bank showed it or not.

    The rule says so, and until the report came a break may have asked for it.
    """
    matches: Counter[tuple[Any, ...]] = Counter()
    for key, count in story.matches.items():
        rule = "batch" if key[4].startswith("batch") else key[4]
        matches[(*key[:4], rule, *key[5:])] += count
    breaks = {key: count for key, count in story.breaks.items() if key[4] != "RESOLVED" or key[0] != "bank"}
    return story._replace(matches=matches, breaks=Counter(breaks))


def statements_first(monkeypatch: pytest.MonkeyPatch) -> Story:
    """What a month leaves whose statements came last, and are the first that a worker gets hold of."""
    several = made(per="day", seed=MERGED)
    whole = open_whole(monkeypatch, several)
    whole.receive_all(monkeypatch, islice(several.psp_files(), 6), some_statements(several, 7))
    runs = ReconciliationRun.objects.filter(merchant_id=whole.merchant_id, source=whole.bank)
    runs.update(due_at=F("created_at") - timedelta(days=1))
    whole.work()
    whole.work_off()
    return finished(monkeypatch, whole)


def test_a_statement_waits_for_the_reports_that_were_there_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """R6: one credit for two batches is held against both, whichever of the files a worker takes first."""
    early = [key for key in statements_first(monkeypatch).matches if key[4] == "batch_early"]
    # Only that of the batch whose report has not come.
    assert len(early) <= 1


def test_the_control_of_a_statement_that_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same when nobody asks for reports: both batches have a break, though nothing is wrong."""
    in_turn = statements_first(monkeypatch)
    monkeypatch.setattr(turns, "_awaits_reports", lambda run: False)
    assert "breaks" in differ(in_turn, statements_first(monkeypatch))


def test_two_processes_end_where_one_does(monkeypatch: pytest.MonkeyPatch, hooks: Path) -> None:
    """R6: two workers take whatever is due, of the provider and of the bank; the result is that of one."""
    stories = []
    for workers in (1, 2):
        several = made(per="day", seed=MERGED)
        whole = open_whole(monkeypatch, several)
        whole.receive_all(monkeypatch, islice(several.psp_files(), 6), some_statements(several, 7))
        # Nobody is so fast that nothing is left for the other.
        arm(CLAIMED, "delay", times=100, milliseconds="100")
        processes = [start(stager_env(hooks), "run") for _ in range(workers)]
        for process in processes:
            told(process)
        took_part = Counter(fired(CLAIMED))
        assert len(took_part) == workers and min(took_part.values()) > 2, took_part
        disarm()
        whole.work_off()
        stories.append(finished(monkeypatch, whole))
    assert differ(*stories) == {}
