"""The proof: of whole months, at the provider and at the bank, everything planted is found, and nothing else.

Files are received, staged, matched, classified and posted by the services; the money is that of the
generator, which works it out from its own lines and bookings and without any of the product.
"""

import resource
import time

import pytest

from core.audits import run_audits
from reconciliation.banking.audits import INVARIANTS as BANKING
from reconciliation.matching.audits import INVARIANTS as MATCHING
from reconciliation.models import Discrepancy
from reconciliation.resolving.audits import INVARIANTS as RESOLVING
from tests.months import KINDS, Month, month
from tests.reconciliation.proof.judge import judge
from tests.reconciliation.proof.money import check_money
from tests.reconciliation.proof.whole import Whole, open_whole

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
BREAKS = {name for name, kind in KINDS.items() if kind.expected != "none" and kind.on != "statement"}


def proven(monkeypatch: pytest.MonkeyPatch, made: Month) -> Whole:
    """Take a month in, hold it against its answers, and its books against the generator's."""
    began, cpu = time.perf_counter(), time.process_time()
    whole = open_whole(monkeypatch, made)
    opened = time.perf_counter() - began
    whole.take_all(monkeypatch)
    taken = time.perf_counter() - began
    verdict = judge(whole)
    check_money(whole)
    judged, cpu = time.perf_counter() - began, time.process_time() - cpu
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"\n{made.options.size:,} payments: {verdict}")
    print(
        f"opened in {opened:.1f} s, taken in {taken:.1f} s, judged in {judged:.1f} s;"
        f" CPU of this process {cpu:.1f} s; {memory} MiB"
    )
    assert (verdict.missed, verdict.wrong) == ({}, {})
    assert (verdict.recall, verdict.precision) == (1.0, 1.0)
    return whole


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
