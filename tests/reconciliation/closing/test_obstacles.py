"""What stands in the way of closing a day, each by itself; the page says the same as the service."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from core import clock
from core.audits import Finding
from core.models import AuditResult, AuditRun
from core.transactions import at_edge
from reconciliation import services
from reconciliation.closing import obstacles
from reconciliation.errors import DayBlocked, SourceUnknown
from reconciliation.internal.checks import internal_checks
from reconciliation.models import Discrepancy, ReconciliationRun, SettlementCover
from reconciliation.selectors import day_at_desk
from tests.reconciliation.closing.conftest import DAY, MAKER, NEXT, Closer
from tests.reconciliation.conftest import Desk
from tests.reconciliation.plain import settlement, statement

pytestmark = [pytest.mark.database, pytest.mark.django_db]


def missing(closer: Closer) -> None:
    closer.desk.source(name="paypal", begins_on=DAY)


def refused(closer: Closer) -> None:
    source = closer.desk.source(name="paypal", begins_on=DAY)
    closer.desk.send(source, settlement(("a", 1), declared=(2, 2)), asked_from=DAY, asked_to=DAY)


def unread(closer: Closer) -> None:
    closer.desk.receive(closer.psp, settlement(("b", 1), identity="more"), asked_from=DAY, asked_to=DAY)


def provisional(closer: Closer) -> None:
    source = closer.desk.source(name="paypal", begins_on=DAY)
    body = settlement(("a", 1), identity="p", day=str(DAY), complete="no")
    closer.desk.send(source, body)


def unfinished(closer: Closer) -> None:
    body = settlement(("b", 1), identity="more", day=str(DAY), currency="EUR")
    closer.desk.send(closer.psp, body)


def held(closer: Closer) -> None:
    closer.desk.send(closer.bank, statement("9", 77, 5, day=str(DAY)))
    # That the chain is broken is a break as well; somebody looks into it.
    for row in Discrepancy.objects.filter(merchant_id=closer.merchant_id, status="OPEN"):
        at_edge(services.assign_break)(discrepancy_id=row.pk, owner=MAKER, by=MAKER)


def bank_differs(closer: Closer) -> None:
    closer.put("bank", 1, provider=closer.bank.name)


def unassigned(closer: Closer) -> None:
    closer.found()


def violated(closer: Closer) -> None:
    verdict(closer, "books_balance", "violated")


def unknown_verdict(closer: Closer) -> None:
    verdict(closer, "hold_resolved_once", "failed")


def verdict(closer: Closer, name: str, said: str) -> None:
    now = clock.now()
    run = AuditRun.objects.create(started_at=now, finished_at=now, is_clean=False, is_full=True)
    found = Finding(name, "", said, 1, [], 1)
    AuditResult.objects.create(
        run=run, name=found.name, verdict=found.verdict, violations=1, sample=[], milliseconds=1
    )


WAYS: list[tuple[Callable[[Closer], None], str]] = [
    (missing, "file_missing"),
    (refused, "file_missing"),
    (unread, "file_unread"),
    (provisional, "file_provisional"),
    (unfinished, "run_unfinished"),
    (held, "statement_held"),
    (bank_differs, "bank_differs"),
    (unassigned, "break_unassigned"),
    (violated, "audit_violated"),
    (unknown_verdict, "audit_failed"),
]


@pytest.mark.parametrize(("spoil", "code"), WAYS, ids=[spoil.__name__ for spoil, _ in WAYS])
def test_each_obstacle_stops_the_day_by_itself(
    closer: Closer, spoil: Callable[[Closer], None], code: str
) -> None:
    """Without it the day can be prepared; with it alone, it cannot."""
    assert closer.obstacles() == []
    at_edge(services.reopen_day)(merchant_id=closer.merchant_id, day=DAY, by=MAKER, reason="not yet")
    spoil(closer)
    assert {each.code for each in closer.obstacles()} == {code}
    assert all(each.says.endswith((".", ")")) for each in closer.obstacles())


def test_what_comes_up_after_the_preparation_stops_the_signature(closer: Closer) -> None:
    closer.prepare()
    closer.found()
    with pytest.raises(DayBlocked) as refused_with:
        closer.sign()
    assert [each.code for each in refused_with.value.obstacles] == ["break_unassigned"]
    assert closer.row().status == "PREPARED"


def test_a_missing_file_is_excused_by_a_person_with_a_reason(closer: Closer) -> None:
    """The report says so, and who said it; the reason that was given first stays."""
    missing(closer)
    for reason in ("the provider was down all day", "another reason"):
        at_edge(services.excuse_file)(
            merchant_id=closer.merchant_id, source_name="paypal", day=DAY, by="user:mia", reason=reason
        )
    assert closer.obstacles() == []
    figures = closer.row().figures
    source = next(each for each in figures["books"]["sources"] if each["name"] == "paypal")
    assert source["excuse"] == {"reason": "the provider was down all day", "by": "user:mia"}
    assert figures["notices"][0]["code"] == "file_excused"
    with pytest.raises(SourceUnknown):
        at_edge(services.excuse_file)(
            merchant_id=closer.merchant_id, source_name="nope", day=DAY, by="user:mia", reason="x"
        )


def test_a_file_that_is_not_expected_is_not_missed(desk: Desk) -> None:
    """F-I3: a bank has no statement of a Sunday."""
    closer = Closer()
    closer.ready()
    sunday = DAY - timedelta(days=1)
    for source in (closer.psp, closer.bank):
        type(source).objects.filter(pk=source.pk).update(begins_on=sunday, calendar="TARGET2")
    codes = {each.code for each in day_at_desk(merchant_id=closer.merchant_id, day=sunday).obstacles}
    assert codes == set()


def test_a_bank_difference_that_somebody_deals_with_is_no_obstacle(closer: Closer) -> None:
    bank_differs(closer)
    closer.found(
        source_id=closer.bank.pk,
        break_class="BALANCE_MISMATCH",
        status="OPEN",
        owner="user:mia",
        category="B",
    )
    assert closer.obstacles() == []


def test_a_late_key_gets_its_break_and_is_no_obstacle(closer: Closer) -> None:
    """Preparing opens what is missing, so that everything late is explained; the report lists it."""
    closer.put("payout_returns", -70, DAY - timedelta(days=5), provider="sepa", key="ret-1")
    codes = [each.code for each in day_at_desk(merchant_id=closer.merchant_id, day=DAY).obstacles]
    assert codes == ["clearing_unexplained"]
    (late,) = closer.prepare().figures["noted"]["late"]
    assert late["key"] == "ret-1" and late["break"].startswith("dsc_")
    assert closer.row().figures["books"]["clearing"][0]["late_keys"] == 1


def test_a_failed_run_is_an_obstacle(closer: Closer) -> None:
    unfinished(closer)
    run = ReconciliationRun.objects.get(merchant_id=closer.merchant_id, status="QUEUED")
    from django.db import transaction

    from core.history import move

    with transaction.atomic():
        move(run, run.to_failed, why="test", error="no")
    assert [each.code for each in closer.obstacles()] == ["run_failed"]


def test_files_of_other_days_do_not_matter(closer: Closer) -> None:
    body = settlement(("b", 1), identity=str(NEXT), day=str(NEXT), currency="EUR")
    closer.desk.send(closer.psp, body)
    assert closer.obstacles() == []


def test_every_comparison_has_audits() -> None:
    """No comparison of the report is empty, and the worst verdict of its audits is what it says."""
    checks = {each.name: each for each in internal_checks()}
    assert len(checks) == 11 and all(each.audits for each in checks.values())
    assert set(obstacles.__all__) == {"notices_of", "obstacles_of"}


def test_a_quiet_day_has_the_file_that_covers_it(closer: Closer) -> None:
    """The same body without lines was sent for both days, and is stored once, as the first one's."""
    source = closer.desk.source(name="paypal", begins_on=DAY - timedelta(days=1))
    assert {each.code for each in closer.obstacles()} == {"file_missing"}
    earlier = DAY - timedelta(days=1)
    sent = closer.desk.send(source, settlement(identity="quiet", day=str(earlier), currency="EUR"))
    closer.finish_runs()
    SettlementCover.objects.create(
        file_id=sent.file_id, day=DAY, name="quiet", covered_by="system", covered_at=clock.now()
    )
    assert closer.obstacles() == []
