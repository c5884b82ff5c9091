"""The proof: of whole months, at the provider and at the bank, everything planted is found, and nothing else.

Files are received, staged, matched, classified and posted by the services; the money is that of the
generator, which works it out from its own lines and bookings and without any of the product.
"""

import pytest

from core.audits import run_audits
from reconciliation.banking.audits import INVARIANTS as BANKING
from reconciliation.matching.audits import INVARIANTS as MATCHING
from reconciliation.models import Discrepancy
from reconciliation.resolving.audits import INVARIANTS as RESOLVING
from tests.months import KINDS, Month, month
from tests.reconciliation.proof.money import check_money
from tests.reconciliation.proof.proving import proven
from tests.reconciliation.proof.whole import open_whole

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
BREAKS = {name for name, kind in KINDS.items() if kind.expected != "none" and kind.on != "statement"}


def planted(made: Month) -> set[str]:
    """The kinds of breaks that a month has."""
    return {answer["kind"] for answer in made.answer_key() if answer["expected"] != "none"}


def test_ten_thousand_payments(monkeypatch: pytest.MonkeyPatch) -> None:
    """DESIGN 9.3 to 9.6, F-H11 to F-H15: every kind of plant, on both sides; what no rule knows is C."""
    made = month(seed=7, size=10_000, month="2026-10", bank_plants=True)
    assert planted(made) == BREAKS
    proven(monkeypatch, made)
    rows = Discrepancy.objects.all()
    assert {row.category for row in rows} == {"A", "B", "C"}
    unknown = rows.filter(break_class="UNKNOWN")
    assert set(unknown.values_list("category", "rule_name", "status")) == {("C", "", "OPEN")}
    asked = {each.name for each in (*MATCHING, *BANKING, *RESOLVING)}
    report = run_audits(names=sorted(asked), store=False)
    assert report.is_clean, [(each.name, each.sample) for each in (*report.violated, *report.failed)]


def test_a_hundred_thousand_payments(monkeypatch: pytest.MonkeyPatch) -> None:
    """F-H7, PSP E: the same of a larger month, with several plants of most kinds."""
    made = month(seed=5, size=100_000, month="2026-10", bank_plants=True)
    assert planted(made) == BREAKS
    proven(monkeypatch, made)


def test_a_clean_month_has_no_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    """DESIGN 9.4: nothing is reported where nothing is wrong, and nothing is open but what is not yet due."""
    made = month(seed=8, size=3_000, month="2026-10", plants=False)
    whole = open_whole(monkeypatch, made)
    whole.take_all(monkeypatch)
    assert not Discrepancy.objects.exists()
    check_money(whole)
