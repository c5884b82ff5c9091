"""A made-up month against its answer key: every planted break is found, and nothing else is reported."""

from collections import Counter

import pytest

from core.audits import run_audits
from reconciliation.matching.audits import INVARIANTS
from reconciliation.models import ReconciliationRun
from tests.months import Decline, Payout, Shape, month
from tests.reconciliation.seeded import Played, play

pytestmark = pytest.mark.django_db(transaction=True)
# What only the bank's statement shows.
ON_THE_BANK = {"batch_total", "credit_split", "credit_merged", "unknown_bank_credit"}


def judge(played: Played) -> tuple[Counter[str], Counter[str]]:
    """Return what was missed and what was reported wrongly, by class and kind of plant."""
    found: dict[str, set[str]] = {}
    for it_is, reference, _ in played.breaks():
        found.setdefault(reference, set()).add(it_is)
    missed: Counter[str] = Counter()
    allowed: dict[str, set[str]] = {}
    for answer in played.month.answer_key():
        if answer["kind"] in ON_THE_BANK:
            continue
        names = {answer["reference"], answer["transaction"]} | damaged(played, answer)
        # A line whose reference is no reference is found under none.
        is_damaged = answer["kind"] == "damaged_reference"
        reported = set().union(*(found.get(name, set()) for name in names if name or is_damaged))
        classes = {answer["expected"], *answer["also"]} - {"none"}
        if answer["expected"] == "LATE":
            classes.add("MISSING_EXTERNAL")  # Until its line came.
        if answer["expected"] != "none" and answer["expected"] not in reported:
            missed[f"{answer['kind']}: {answer['expected']}, not {sorted(reported)}"] += 1
        for name in names:
            allowed.setdefault(name, set()).update(classes)
    for name in after_the_month(played):
        allowed.setdefault(name, set()).add("MISSING_EXTERNAL")
    wrong = Counter(
        f"{it_is} of {reference}"
        for reference, classes in found.items()
        for it_is in classes
        if it_is not in allowed.get(reference, set())
    )
    return missed, wrong


def after_the_month(played: Played) -> set[str]:
    """Payments of the last batch: those that the provider books a day late are in no file of the month."""
    last = max(file.day for file in played.month.psp_files())
    found = (each for each in played.month.events() if not isinstance(each, Decline | Payout))
    return {each.reference for each in found if each.expected_on == last}


def damaged(played: Played, answer: dict) -> set[str]:
    """The name that a line of a damaged reference has in its file."""
    from reconciliation.models import SettlementLine

    if answer["kind"] != "damaged_reference":
        return set()
    files = {name: key for key, name in played.files.items()}
    return {
        SettlementLine.objects.get(file_id=files[where["file"]], line_no=where["line"]).reference
        for where in answer["where"]
    }


def test_every_planted_break_is_found_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """DESIGN 9.4, F-H11 to F-H15, F-F11, F-E10: recall and precision of ten thousand rows."""
    played = play(month(seed=7, size=10_000, month="2026-10"))
    played.take_all(monkeypatch)
    assert set(ReconciliationRun.objects.values_list("status", flat=True)) == {"MATCHED"}
    missed, wrong = judge(played)
    found = len(played.breaks())
    print(f"breaks found: {found}; missed: {dict(missed)}; wrong: {dict(wrong)}")
    assert not missed
    assert not wrong
    watch = {each.name for each in INVARIANTS}
    report = run_audits(store=False)
    assert not [(each.name, each.sample) for each in report.violated if each.name in watch]


def test_a_clean_month_has_no_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    """DESIGN 9.4: nothing is reported where nothing is wrong."""
    played = play(month(seed=8, size=3_000, month="2026-10", plants=False))
    played.take_all(monkeypatch)
    assert played.breaks() == []


def test_the_order_of_the_rows_makes_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    """R6: the same rows in another order end in the same matches and the same breaks."""
    ends = []
    for order in ("natural", "shuffled"):
        played = play(month(seed=9, size=2_000, month="2026-10", shape=Shape(order=order)))
        played.take_all(monkeypatch)
        ends.append((sorted(played.breaks()), played.matches()))
    (breaks, matches), (other_breaks, other_matches) = ends
    assert len(breaks) > 15 and len(matches) > 1_900
    assert breaks == other_breaks
    assert matches == other_matches
