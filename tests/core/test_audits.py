"""The runner of the invariants: clean, violated, not exercised; stored, printed, and an exit code."""

import json
from collections.abc import Iterator
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from core import audits
from core.audits import CLEAN, NOT_EXERCISED, VIOLATED, Invariant, run_audits
from core.models import AuditResult, AuditRun

pytestmark = pytest.mark.django_db


def invariant(name: str, *, sql: str, exercised: bool = True) -> Invariant:
    return Invariant(name=name, says=f"{name} holds", sql=sql, exercised_sql=f"SELECT {exercised}")


@pytest.fixture(autouse=True)
def _three(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(audits, "_REGISTRY", {})
    audits.register(
        [
            invariant("fine", sql="SELECT 1 WHERE false"),
            invariant("broken", sql="SELECT n, 'row' FROM generate_series(1, 25) AS n"),
            invariant("idle", sql="SELECT 1 WHERE false", exercised=False),
        ]
    )
    yield


def test_each_verdict_is_told_and_kept() -> None:
    report = run_audits()
    assert {finding.name: finding.verdict for finding in report.findings} == {
        "fine": CLEAN,
        "broken": VIOLATED,
        "idle": NOT_EXERCISED,
    }
    assert not report.is_clean
    (broken,) = report.violated
    assert (broken.violations, len(broken.sample), broken.sample[0]) == (25, 20, ["1", "row"])
    assert AuditRun.objects.get().is_clean is False
    assert AuditResult.objects.filter(run=AuditRun.objects.get()).count() == 3


def test_a_run_may_be_kept_to_itself() -> None:
    assert run_audits(names=["fine"], store=False).is_clean
    assert not AuditRun.objects.exists()


def test_two_rules_under_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="fine"):
        audits.register([invariant("fine", sql="SELECT 2")])


def test_the_command_fails_when_something_is_broken() -> None:
    out = StringIO()
    with pytest.raises(CommandError) as refused:
        call_command("audit", stdout=out)
    assert refused.value.returncode == 1
    assert "25 rows" in out.getvalue()
    assert "not_exercised" in out.getvalue()


def test_the_command_speaks_json() -> None:
    out = StringIO()
    call_command("audit", json=True, name=["fine"], stdout=out)
    assert json.loads(out.getvalue())["is_clean"] is True
