"""A made-up month: what rules post, and what they prepare for people, is what the answer key says."""

from collections import Counter
from typing import Any

import pytest

from reconciliation.models import Adjustment, Discrepancy, SettlementLine
from reconciliation.selectors import break_at_desk
from tests.months import month
from tests.reconciliation.resolving.conftest import found_wrong
from tests.reconciliation.seeded import Played, play

pytestmark = pytest.mark.django_db(transaction=True)
# What is posted with the line itself, or is about the bank.
ELSEWHERE = {"fee", "reserve", "unknown_bank_credit"}


def posted_for(row: Discrepancy) -> dict[str, int]:
    """What a rule posted for a break, or prepared, by role."""
    found: Counter[str] = Counter()
    made = Adjustment.objects.filter(discrepancy=row, status="POSTED").first()
    if made is not None:
        for line in made.instruction["lines"]:
            found[line["role"]] += line["amount_minor"]
    elif prepared := break_at_desk(discrepancy_id=row.id).prepared:
        for each in prepared.lines:
            found[each.role] += each.amount_minor
    return dict(found)


def breaks_by_name(played: Played) -> dict[tuple[str, str], list[Discrepancy]]:
    """Breaks by class, and by the provider's name of their line."""
    found: dict[tuple[str, str], list[Discrepancy]] = {}
    rows = Discrepancy.objects.filter(merchant_id=played.merchant_id)
    lines = SettlementLine.objects.in_bulk([row.line_id for row in rows if row.line_id])
    for row in rows:
        if row.line_id:
            found.setdefault((row.break_class, lines[row.line_id].reference), []).append(row)
    return found


def test_what_is_posted_is_what_the_answer_key_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """DESIGN 9.4 (A), R7: to the minor unit, each plant with a line; and every audit of adjustments is clean."""
    played = play(month(seed=7, size=4_000, month="2026-10"))
    played.take_all(monkeypatch)
    found = breaks_by_name(played)
    wrong: list[Any] = []
    checked: Counter[str] = Counter()
    for answer in played.month.answer_key():
        wanted = {code.rpartition(".")[2]: minor for code, minor in answer["postings"].items()}
        if not wanted or answer["kind"] in ELSEWHERE or answer["expected"] == "MISSING_EXTERNAL":
            continue
        rows = found.get((answer["expected"], answer["reference"]), [])
        said = [posted_for(row) for row in rows]
        checked[answer["kind"]] += 1
        if wanted not in said:
            wrong.append((answer["kind"], answer["reference"], wanted, said))
    assert not wrong
    assert {"missing_internal", "amount_one_unit", "amount", "duplicate"} <= set(checked), checked
    assert not Discrepancy.objects.filter(category="A", status="OPEN").exists()
    assert found_wrong() == {}
