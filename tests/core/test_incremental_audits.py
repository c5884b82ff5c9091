"""Runs that examine what is new: nothing is skipped, what is broken is asked again until it is clean."""

from collections.abc import Iterator
from datetime import UTC, datetime
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from core import audits
from core.audits import CLEAN, FAILED, NOT_EXERCISED, VIOLATED, Finding, Invariant, Scale, run_audits, swept
from core.models import AuditResult, AuditRun, JobRun
from core.tasks import audit, audit_full
from tests.database import as_owner

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _rules(monkeypatch: pytest.MonkeyPatch, transactional_db: None) -> Iterator[None]:
    """Members of a scratch table must not be bad; it also has a safe number."""
    connection.close()
    as_owner("CREATE TABLE scratch_member (id bigint PRIMARY KEY, bad boolean NOT NULL DEFAULT false)")
    as_owner("CREATE TABLE scratch_safe (id bigint)")
    as_owner("INSERT INTO scratch_safe VALUES (0)")
    scale = Scale(name="members", safe_sql="SELECT id FROM scratch_safe", portion=10)
    monkeypatch.setattr(audits, "_REGISTRY", {})
    audits.register(
        [
            swept(
                name="member_is_good",
                says="No member is bad.",
                sql="SELECT id FROM scratch_member WHERE bad AND id > {after} AND id <= {through}",
                exercised_sql="SELECT EXISTS (SELECT 1 FROM scratch_member)",
                scale=scale,
            ),
            Invariant(
                name="whole_table",
                says="No member is bad, asked of all at once.",
                sql="SELECT id FROM scratch_member WHERE bad",
                exercised_sql="SELECT EXISTS (SELECT 1 FROM scratch_member)",
                nightly=True,
            ),
        ]
    )
    yield
    connection.close()
    as_owner("DROP TABLE scratch_member, scratch_safe")


def members(first: int, last: int, *, safe: int | None = None) -> None:
    as_owner(f"INSERT INTO scratch_member SELECT generate_series({first}, {last})")
    as_owner(f"UPDATE scratch_safe SET id = {last if safe is None else safe}")


def mark(number: int, *, bad: bool) -> None:
    as_owner(f"UPDATE scratch_member SET bad = {bad} WHERE id = {number}")


def quick() -> Finding:
    return next(each for each in run_audits(full=False).findings if each.name == "member_is_good")


def span(finding: Finding) -> tuple[object, ...]:
    return finding.verdict, finding.examined_after, finding.examined_through, finding.clean_through


def test_a_run_begins_where_the_last_one_ended() -> None:
    assert span(quick()) == (NOT_EXERCISED, 0, 0, 0)
    members(1, 25)
    assert span(quick()) == (CLEAN, 0, 25, 25)
    members(26, 30)
    assert span(quick()) == (CLEAN, 25, 30, 30)
    assert span(quick()) == (NOT_EXERCISED, 30, 30, 30)
    stored = AuditResult.objects.filter(name="member_is_good").order_by("id").last()
    assert stored is not None
    assert (stored.examined_after, stored.examined_through, stored.clean_through) == (30, 30, 30)


def test_what_is_above_the_safe_number_waits_for_the_next_run() -> None:
    members(1, 20, safe=10)
    mark(15, bad=True)
    assert span(quick()) == (CLEAN, 0, 10, 10)
    as_owner("UPDATE scratch_safe SET id = 20")
    assert span(quick()) == (VIOLATED, 10, 20, 10)


def test_a_broken_portion_is_asked_again_until_it_is_clean() -> None:
    members(1, 50)
    mark(25, bad=True)
    assert span(quick()) == (VIOLATED, 0, 50, 20)
    members(51, 60)
    assert span(quick()) == (VIOLATED, 20, 60, 20)
    mark(25, bad=False)
    assert span(quick()) == (CLEAN, 20, 60, 60)


def test_a_full_run_finds_what_changed_behind_and_the_next_one_remembers() -> None:
    members(1, 50)
    assert span(quick()) == (CLEAN, 0, 50, 50)
    mark(5, bad=True)
    assert span(quick()) == (NOT_EXERCISED, 50, 50, 50)
    report = run_audits()
    assert [each.verdict for each in report.findings] == [VIOLATED, VIOLATED]
    assert span(report.findings[0]) == (VIOLATED, 0, 50, 0)
    assert span(quick()) == (VIOLATED, 0, 50, 0)
    mark(5, bad=False)
    assert span(quick()) == (CLEAN, 0, 50, 50)


def test_a_full_run_also_examines_what_is_not_safe_yet() -> None:
    members(1, 20, safe=10)
    mark(15, bad=True)
    assert span(run_audits().findings[0]) == (VIOLATED, 0, 10, 10)
    # Broken, so the next run looks there again, although the safe number did not move.
    assert span(quick()) == (VIOLATED, 10, 10, 10)


def test_a_restored_database_is_examined_from_the_beginning() -> None:
    members(1, 50)
    assert span(quick()) == (CLEAN, 0, 50, 50)
    as_owner("DELETE FROM scratch_member WHERE id > 30")
    as_owner("UPDATE scratch_safe SET id = 30")
    assert span(quick()) == (CLEAN, 0, 30, 30)


def test_a_heavy_rule_is_left_for_a_full_run_while_it_holds() -> None:
    members(1, 5)
    assert run_audits(full=False).left_out == []  # never asked before
    assert run_audits(full=False).left_out == ["whole_table"]
    mark(3, bad=True)
    run_audits()
    report = run_audits(full=False)
    assert (report.left_out, [each.verdict for each in report.findings]) == ([], [VIOLATED, VIOLATED])
    mark(3, bad=False)
    assert [each.verdict for each in run_audits(full=False).findings] == [CLEAN, CLEAN]
    assert run_audits(full=False).left_out == ["whole_table"]


def test_a_query_that_breaks_off_is_no_verdict() -> None:
    members(1, 5)
    audits.register(
        [Invariant(name="of_nothing", says="?", sql="SELECT 1 FROM no_such_table", exercised_sql="SELECT true")]
    )
    report = run_audits()
    verdicts = {each.name: each.verdict for each in report.findings}
    assert verdicts == {"member_is_good": CLEAN, "whole_table": CLEAN, "of_nothing": FAILED}
    assert (report.is_clean, report.exit_code) == (False, 2)
    out = StringIO()
    with pytest.raises(CommandError) as refused:
        call_command("audit", full=True, stdout=out)
    assert refused.value.returncode == 2
    assert "no_such_table" in out.getvalue()
    mark(1, bad=True)
    assert run_audits().exit_code == 1


def test_half_a_scale_is_refused() -> None:
    with pytest.raises(ValueError, match="only one of"):
        audits.register(
            [Invariant(name="half", says="?", sql="", exercised_sql="", incremental_sql="SELECT 1")]
        )


def test_a_name_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="mistyped"):
        run_audits(names=["mistyped"])


def test_the_full_audit_runs_once_a_day_and_the_quick_one_always() -> None:
    members(1, 5)
    audit_full()
    audit_full()
    audit()
    audit()
    assert [run.is_full for run in AuditRun.objects.order_by("id")] == [True, False, False]
    run = JobRun.objects.get(job="core.audit_full")
    assert run.business_date == datetime.now(UTC).date()
    assert run.summary == {"is_clean": True, "violated": [], "failed": []}
