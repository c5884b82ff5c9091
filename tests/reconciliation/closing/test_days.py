"""The close of a day: prepared by one, signed by another; then it does not change (DESIGN 9.8, L13)."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from core import clock
from core.approvals import FourEyesRequired
from core.canonical import digest
from core.models import Approval, AuditRecord
from core.transactions import at_edge
from ledger.errors import PeriodClosed, PeriodNotOver
from ledger.selectors import closed_periods, closed_through
from ledger.services import land_entries
from reconciliation import services
from reconciliation.errors import DayChanged, DayNotPrepared, DayOutOfOrder
from reconciliation.models import DayClose
from reconciliation.selectors import days_at_desk, find_day, next_day
from tests.ledger.books import rows
from tests.reconciliation.closing.conftest import CHECKER, DAY, MAKER, NEXT, Closer
from tests.reconciliation.plain import settlement

pytestmark = [pytest.mark.database, pytest.mark.django_db]


def test_a_day_is_prepared_by_one_and_signed_by_another(closer: Closer) -> None:
    """I30: the period of the ledger is closed by the same two, and the figures are those that were signed."""
    prepared = closer.prepare()
    assert (prepared.status, prepared.prepared_by) == ("PREPARED", MAKER)
    assert prepared.digest == digest(prepared.figures).hex()
    assert closed_through(merchant_id=closer.merchant_id) is None
    signed = closer.sign(digest=prepared.digest)
    assert (signed.status, signed.closed_by, signed.digest) == ("CLOSED", CHECKER, prepared.digest)
    assert signed.figures == prepared.figures
    (period,) = closed_periods(merchant_id=closer.merchant_id)
    assert (period.last_day, period.maker, period.checker) == (DAY, MAKER, CHECKER)
    assert closer.row().period_id == period.id
    written = AuditRecord.objects.filter(merchant_id=closer.merchant_id, subject=f"day:{DAY}")
    assert [each.action for each in written.order_by("seq")] == ["day.prepare", "day.sign"]


def test_the_figures_are_those_of_the_books(closer: Closer) -> None:
    closer.put("psp_clearing", 1000, provider="stripe", key="chg-1")
    closer.put("psp_clearing", 9999, NEXT, provider="stripe", key="chg-2")
    books = closer.prepare().figures["books"]
    shown = {each["role"]: each for each in books["positions"]}
    assert shown["psp_clearing"]["closing_minor"] == "1000"
    assert shown["commission"]["closing_minor"] == "-1150"
    (total,) = books["totals"]
    assert (total["day_debit_minor"], total["day_credit_minor"]) == ("1150", "1150")
    (bank,) = next(each for each in books["sources"] if each["kind"] == "bank")["accounts"]
    assert (bank["opening_minor"], bank["activity_minor"], bank["closing_minor"]) == ("0", "150", "150")
    assert (bank["books_closing_minor"], bank["difference_minor"]) == ("150", "0")
    psp = next(each for each in books["sources"] if each["kind"] == "psp")
    assert [each["status"] for each in psp["files"]] == ["PUBLISHED"]
    assert psp["files"][0]["totals"] == [{"currency": "EUR", "gross": "100", "fee": "1", "net": "99"}]
    (clearing,) = books["clearing"]
    assert (clearing["keys"], clearing["balance_minor"], clearing["late_keys"]) == (1, "1000", 0)


@pytest.mark.parametrize("who", [MAKER, "key:abc", "system"])
def test_nobody_signs_what_he_prepared_and_no_machine_signs(closer: Closer, who: str) -> None:
    closer.prepare()
    with pytest.raises(FourEyesRequired):
        closer.sign(by=who)
    assert (closer.row().status, closed_through(merchant_id=closer.merchant_id)) == ("PREPARED", None)


def test_no_machine_prepares(closer: Closer) -> None:
    with pytest.raises(FourEyesRequired):
        closer.prepare(by="system")


def test_what_was_shown_is_what_is_signed(closer: Closer) -> None:
    """Another digest than the one on the page is refused."""
    first = closer.prepare().digest
    closer.put("bank_fee", 1)
    second = closer.prepare(by="user:other").digest
    with pytest.raises(DayChanged):
        closer.sign(digest=first)
    assert closer.sign(digest=second).status == "CLOSED"
    # The one that was asked for first cannot be used any more.
    states = Approval.objects.filter(merchant_id=closer.merchant_id).order_by("requested_at")
    assert [each.status for each in states] == ["VOID", "APPROVED"]
    assert closed_periods(merchant_id=closer.merchant_id)[0].maker == "user:other"


def test_an_entry_between_prepare_and_sign_refuses_the_signature(closer: Closer) -> None:
    """The day is prepared again; nothing of the refused signature is left."""
    closer.prepare()
    closer.put("bank_fee", 1)
    with pytest.raises(DayChanged):
        closer.sign()
    assert (closer.row().status, closed_through(merchant_id=closer.merchant_id)) == ("PREPARED", None)
    assert Approval.objects.filter(merchant_id=closer.merchant_id, status="APPROVED").count() == 0
    # An entry of another day does not matter.
    closer.prepare()
    closer.put("bank_fee", 1, NEXT)
    assert closer.sign().status == "CLOSED"


def test_a_corrected_file_between_prepare_and_sign_refuses_the_signature(closer: Closer) -> None:
    """F-H23: a new version of the day's file is not what was prepared."""
    closer.prepare()
    body = settlement(("ch_1", 101), identity=str(DAY), day=str(DAY), currency="EUR")
    closer.desk.send(closer.psp, body)
    closer.finish_runs()
    with pytest.raises(DayChanged):
        closer.sign()


def test_a_prepared_day_can_be_taken_back(closer: Closer) -> None:
    closer.prepare()
    at_edge(services.reopen_day)(
        merchant_id=closer.merchant_id, day=DAY, by=CHECKER, reason="the fee is wrong"
    )
    assert closer.row().status == "OPEN"
    with pytest.raises(DayNotPrepared):
        closer.sign(digest="00")
    with pytest.raises(DayNotPrepared):
        at_edge(services.reopen_day)(merchant_id=closer.merchant_id, day=DAY, by=CHECKER, reason="again")
    closer.prepare()
    assert closer.sign().status == "CLOSED"


def test_days_are_closed_in_order(closer: Closer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first takes all days before it along; then none is left out and none is closed twice."""
    closer.put("bank_fee", 3, DAY - timedelta(days=9))
    assert next_day(merchant_id=closer.merchant_id) is None
    closer.prepare()
    closer.sign()
    assert next_day(merchant_id=closer.merchant_id) == NEXT
    for day in (DAY, DAY - timedelta(days=1), NEXT + timedelta(days=1)):
        with pytest.raises((DayOutOfOrder, PeriodClosed)):
            closer.prepare(day)
    closer.ready(NEXT, opening=150)
    closer.prepare(NEXT)
    first, second = closer.row(DAY).figures["books"], closer.sign(NEXT).figures["books"]
    ended = {(each["role"], each["provider"]): each["closing_minor"] for each in first["positions"]}
    for each in second["positions"]:
        assert each["opening_minor"] == ended[each["role"], each["provider"]]
    monkeypatch.setattr(clock, "today", lambda: NEXT + timedelta(days=2))
    listed = days_at_desk(merchant_id=closer.merchant_id)
    assert [(each.day, each.status) for each in listed] == [
        (NEXT + timedelta(days=1), "OPEN"), (NEXT, "CLOSED"), (DAY, "CLOSED"),
    ]  # fmt: skip


def test_a_day_that_is_not_over_is_not_closed(closer: Closer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "today", lambda: DAY)
    with pytest.raises(PeriodNotOver):
        closer.prepare()


def test_a_closed_day_does_not_change(closer: Closer) -> None:
    """Not through the ORM, not by SQL, and nothing is posted into it: a late item lands on the next day."""
    closer.prepare()
    closer.sign()
    for columns in ({"figures": {}}, {"digest": b"x"}, {"status": "OPEN"}, {"closed_by": "user:x"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            DayClose.objects.filter(merchant_id=closer.merchant_id).update(**columns)
    with pytest.raises(PeriodClosed):
        closer.put("bank_fee", 1)
    books = closer.books
    late = books.sale(5, effective_date=DAY)
    with transaction.atomic():
        (landed,) = land_entries(drafts=[late])
    (entry,) = books.post(landed)
    dated = "SELECT effective_date, original_date FROM ledger_journalentry WHERE id = %s"
    assert rows(dated, [entry.id]) == [(NEXT, DAY)]


def test_figures_cannot_be_swapped_while_signing(closer: Closer) -> None:
    """The database refuses a signature under other figures than those that were prepared."""
    closer.prepare()
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE reconciliation_dayclose SET status = 'CLOSED', figures = '{}', closed_by = 'user:x',"
            " closed_at = now(), period_id = gen_random_uuid() WHERE merchant_id = %s",
            [closer.merchant_id],
        )


def test_the_page_of_an_open_day_shows_what_it_would_be(closer: Closer) -> None:
    from reconciliation.selectors import day_at_desk

    shown = day_at_desk(merchant_id=closer.merchant_id, day=DAY)
    assert (shown.close.status, shown.is_next, shown.obstacles) == ("OPEN", True, ())
    assert shown.figures["books"]["totals"]
    assert find_day(merchant_id=closer.merchant_id, day=DAY) is None
    closer.prepare()
    closer.put("bank_fee", 1)
    # What was prepared stays on the page until it is prepared again.
    prepared: Any = day_at_desk(merchant_id=closer.merchant_id, day=DAY)
    assert prepared.figures == closer.row().figures
