"""L13, closing days: by two people, for good; a posting is in the totals or refused, never after them."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import psycopg
import pytest
from django.db import IntegrityError, connection, transaction

from core import approvals, clock
from core.errors import TemporarilyUnavailable
from ledger.errors import PeriodClosed, PeriodNotOver
from ledger.period_audits import INVARIANTS
from ledger.selectors import balance_minor, closed_periods, closed_through, get_entry
from ledger.services import (
    advance_checkpoints,
    advance_fence,
    close_period,
    correct_entries,
    land_entries,
    post_entries,
    request_closing,
)
from ledger.types import EntryDraft, EntryRef, PeriodData
from tests.database import as_owner, owner_connection
from tests.ledger.books import DAY, Books, nothing_changes, rows
from tests.ledger.closing import CHECKER, MAKER, close, consent
from tests.ledger.test_fence import SlowWriter
from tests.racing import race
from tests.waiting import eventually

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
NEXT = DAY + timedelta(days=1)
CLOSED_DAYS_STAY = next(each.sql for each in INVARIANTS if each.name == "closed_days_stay")


def totals(books: Books) -> dict[tuple[int, date], tuple[int, int]]:
    found = rows(
        "SELECT account_id, effective_date, debit_minor, credit_minor FROM ledger_closedtotal"
        " WHERE merchant_id = %s",
        [books.merchant_id],
    )
    return {(account, day): (debit, credit) for account, day, debit, credit in found}


def land(*drafts: EntryDraft) -> list[EntryRef]:
    with transaction.atomic():
        return post_entries(drafts=land_entries(drafts=drafts))


def act(books: Books, through: date) -> PeriodData:
    """Close with a consent that was given."""

    @approvals.at_decision_edge
    def edge() -> PeriodData:
        return close_period(merchant_id=books.merchant_id, through=through, actor=MAKER)

    try:
        return edge()
    finally:
        connection.close()


# ------------------------------------------------------------------ what is closed


@pytest.mark.parametrize("currency", ["JPY", "USD", "KWD"])
@pytest.mark.parametrize("folded", [False, True])
def test_the_totals_are_those_of_every_day(transactional_db: None, currency: str, folded: bool) -> None:
    """From day totals and tail alike; what is dated later is not in them."""
    books = Books(currency=currency)
    books.post(books.sale(100, effective_date=DAY - timedelta(days=40)), books.sale(20))
    if folded:
        ((last,),) = rows("SELECT max(id) FROM ledger_journalentry")
        eventually(lambda: advance_fence() >= last)
        advance_checkpoints()
    back = books.draft(books.line(books.clearing, -5), books.line(books.commission, 5))
    books.post(back, books.sale(7, effective_date=NEXT))
    period = close(books.merchant_id, DAY)
    assert (period.first_day, period.last_day) == (DAY - timedelta(days=40), DAY)
    assert totals(books) == {
        (books.clearing, DAY - timedelta(days=40)): (100, 0),
        (books.commission, DAY - timedelta(days=40)): (0, 100),
        (books.clearing, DAY): (20, 5),
        (books.commission, DAY): (5, 20),
    }
    assert closed_periods(merchant_id=books.merchant_id) == [period]
    assert close(books.merchant_id, NEXT).first_day == NEXT
    assert totals(books)[books.clearing, NEXT] == (7, 0)
    assert rows(CLOSED_DAYS_STAY) == []


def test_an_empty_day_and_an_empty_book_are_closed_too(books: Books) -> None:
    assert closed_through(merchant_id=books.merchant_id) is None
    close(books.merchant_id, DAY)
    close(books.merchant_id, NEXT)
    assert closed_through(merchant_id=books.merchant_id) == NEXT
    assert totals(books) == {}


@pytest.mark.parametrize("days", [0, 1, 400])
def test_a_closed_day_takes_nothing_more(books: Books, days: int) -> None:
    """Nor does any day before it, one without entries included; the good entry goes with the bad."""
    books.post(books.sale())
    close(books.merchant_id, DAY)
    late = books.sale(effective_date=DAY - timedelta(days=days))
    with nothing_changes(), pytest.raises(PeriodClosed), transaction.atomic():
        post_entries(drafts=[books.sale(effective_date=NEXT), late])
    books.post(books.sale(effective_date=NEXT))


def test_the_owner_is_refused_too(books: Books) -> None:
    (sale,) = books.post(books.sale())
    close(books.merchant_id, DAY)
    with nothing_changes(), pytest.raises(psycopg.Error, match="is closed"):
        as_owner(
            "WITH head AS (INSERT INTO ledger_journalentry (id, merchant_id, kind, source, source_ref, leg,"
            " effective_date, recorded_at, line_count, digest)"
            " SELECT nextval('ledger_journalentry_seq'), merchant_id, kind, source, 'again', leg,"
            " effective_date, recorded_at, line_count, digest FROM ledger_journalentry WHERE id = %s"
            " RETURNING id) INSERT INTO ledger_journalline (id, merchant_id, line_no, amount_minor, currency,"
            " clearing_key, account_id, entry_id) SELECT head.id * 1024 + line_no, merchant_id,"
            " line_no, amount_minor, currency, clearing_key, account_id, head.id"
            " FROM ledger_journalline, head WHERE entry_id = %s",
            [sale.id, sale.id],
        )


@pytest.mark.parametrize("table", ["ledger_closedperiod", "ledger_closedtotal", "ledger_fencemark"])
@pytest.mark.parametrize("verb", ["UPDATE {0} SET {1} = {1}", "DELETE FROM {0}", "TRUNCATE {0}"])
def test_what_is_frozen_is_not_rewritten(books: Books, table: str, verb: str) -> None:
    """Not even by the owner: closing is not undone."""
    books.post(books.sale())
    close(books.merchant_id, DAY)
    column = "entry_id" if table == "ledger_fencemark" else "merchant_id"
    with nothing_changes(), pytest.raises(psycopg.errors.Error, match="append-only"):
        as_owner(verb.format(table, column))


def test_a_wallet_is_refused_the_same_way(books: Books) -> None:
    books.fund(100)
    close(books.merchant_id, DAY)
    with nothing_changes(), pytest.raises(PeriodClosed):
        books.fund(1)


def test_other_merchants_go_on(books: Books) -> None:
    close(books.merchant_id, DAY)
    other = Books()
    other.post(other.sale())


def test_what_is_in_the_books_is_posted_again_without_harm(books: Books) -> None:
    sale = books.sale()
    (first,) = books.post(sale)
    close(books.merchant_id, DAY)
    with nothing_changes():
        assert books.post(sale) == [EntryRef(first.id, is_new=False)]


# ------------------------------------------------------------------ two people


def test_closing_wants_a_second_person(books: Books) -> None:
    with nothing_changes(), pytest.raises(approvals.FourEyesRequired):
        act(books, DAY)


def test_the_yes_is_to_one_day(books: Books) -> None:
    consent(books.merchant_id, DAY)
    with nothing_changes(), pytest.raises(approvals.ApprovalVoid):
        act(books, NEXT)


def test_the_maker_does_not_say_yes(books: Books) -> None:
    with transaction.atomic():
        approval_id = request_closing(merchant_id=books.merchant_id, through=DAY, maker=MAKER, reason="done")
    instruction = {"merchant": str(books.merchant_id), "through": DAY.isoformat()}
    with pytest.raises(approvals.FourEyesRequired), transaction.atomic():
        approvals.approve(approval_id=approval_id, checker=MAKER, instruction_now=instruction)
    with pytest.raises(IntegrityError, match="four_eyes"), transaction.atomic():
        rows(
            "SELECT ledger_close_period(gen_random_uuid(), %s, %s, 'user:1', 'user:1', gen_random_uuid(),"
            " now())",
            [books.merchant_id, DAY],
        )


def test_who_closed_is_written_down(books: Books) -> None:
    period = close(books.merchant_id, DAY)
    assert (period.maker, period.checker) == (MAKER, CHECKER)
    found = rows("SELECT action, actor FROM core_auditrecord WHERE subject LIKE 'books:%%' ORDER BY seq")
    assert ("period.close", MAKER) in found and ("period.request_closing", MAKER) in found


def test_a_day_is_closed_once_and_when_it_is_over(books: Books) -> None:
    close(books.merchant_id, DAY)
    with nothing_changes(), pytest.raises(PeriodClosed):
        act(books, DAY)
    for ask, refusal in ((DAY, PeriodClosed), (clock.today(), PeriodNotOver)):
        with pytest.raises(refusal), transaction.atomic():
            request_closing(merchant_id=books.merchant_id, through=ask, maker=MAKER, reason="x")


def test_periods_follow_one_another(books: Books) -> None:
    """The owner leaves no gap and no overlap either."""
    close(books.merchant_id, DAY)
    for first in (DAY, DAY + timedelta(days=2)):
        with nothing_changes(), pytest.raises(psycopg.Error, match="the day after"):
            as_owner(
                "INSERT INTO ledger_closedperiod (id, merchant_id, first_day, last_day, maker, checker,"
                " approval_id, closed_at) VALUES (gen_random_uuid(), %s, %s, %s, 'a', 'b', gen_random_uuid(),"
                " now())",
                [books.merchant_id, first, DAY + timedelta(days=9)],
            )


# ------------------------------------------------------------------ late items


def test_a_late_item_lands_in_the_next_open_day_with_its_own_date(books: Books) -> None:
    close(books.merchant_id, DAY)
    early, ahead = DAY - timedelta(days=3), NEXT + timedelta(days=5)
    refs = land(books.sale(1, effective_date=early), books.sale(2, effective_date=ahead))
    found = [get_entry(merchant_id=books.merchant_id, entry_id=ref.id) for ref in refs]
    assert [(each.effective_date, each.original_date) for each in found] == [(NEXT, early), (ahead, None)]
    assert balance_minor(account_id=books.clearing, effective_until=DAY) == 0
    assert balance_minor(account_id=books.clearing, effective_until=NEXT) == 1


def test_the_same_event_told_before_and_after_the_closing_is_one_entry(books: Books) -> None:
    """L8: in either order, and again when the day on which it landed is closed as well."""
    sale, late = books.sale(1), books.sale(2, effective_date=DAY - timedelta(days=3))
    (first,) = books.post(sale)
    close(books.merchant_id, DAY)
    (second,) = land(late)
    for _ in range(2):
        with nothing_changes():
            assert land(sale, late) == [EntryRef(first.id, is_new=False), EntryRef(second.id, is_new=False)]
            assert books.post(late) == [EntryRef(second.id, is_new=False)]
        if closed_through(merchant_id=books.merchant_id) == DAY:
            close(books.merchant_id, NEXT)


def test_an_original_date_is_earlier_than_the_entry(books: Books) -> None:
    with nothing_changes(), pytest.raises(IntegrityError, match="original_is_earlier"), transaction.atomic():
        post_entries(drafts=[replace(books.sale(), original_date=DAY)])


def test_a_correction_of_a_closed_day_lands_too(books: Books) -> None:
    (sale,) = books.post(books.sale())
    close(books.merchant_id, DAY)
    with transaction.atomic():
        (ref,) = correct_entries(
            merchant_id=books.merchant_id, entry_ids=[sale.id], effective_date=DAY, reason="x", actor="user:1"
        )
    entry = get_entry(merchant_id=books.merchant_id, entry_id=ref.id)
    assert (entry.effective_date, entry.original_date) == (NEXT, DAY)
    assert totals(books)[books.clearing, DAY] == (100, 0)


def test_a_day_on_which_something_landed_stays_open_until_it_is_in(books: Books) -> None:
    """The landing holds the day: a closing waits, and has the late item in its totals."""
    close(books.merchant_id, DAY)
    consent(books.merchant_id, NEXT)
    landed, may_post = threading.Event(), threading.Event()

    def post_late() -> None:
        with transaction.atomic():
            drafts = land_entries(drafts=[books.sale(7)])
            landed.set()
            assert may_post.wait(10)
            post_entries(drafts=drafts)

    def close_next() -> None:
        assert landed.wait(10)
        act(books, NEXT)

    def let_go() -> None:
        assert landed.wait(10)
        eventually(closing_waits)
        may_post.set()

    assert race([post_late, close_next, let_go]) == [None, None, None]
    assert totals(books)[books.clearing, NEXT] == (7, 0)


# ------------------------------------------------------------------ slow writers


def closing_waits() -> bool:
    found = rows(
        "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ExclusiveLock' AND NOT granted"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    return bool(found)


def closed_before(books: Books) -> None:
    """Not the first closing, so that the locks of single days are met."""
    close(books.merchant_id, DAY - timedelta(days=1))


@pytest.mark.parametrize("prepare", [lambda books: None, closed_before], ids=["first", "later"])
def test_a_posting_under_way_is_inside_the_totals(books: Books, prepare: Callable[[Books], None]) -> None:
    prepare(books)
    consent(books.merchant_id, DAY)
    writer = SlowWriter(books)

    def let_go() -> None:
        eventually(closing_waits)
        assert closed_through(merchant_id=books.merchant_id) != DAY
        writer.connection.commit()

    _, answer = race([let_go, lambda: act(books, DAY)])
    writer.connection.close()
    assert isinstance(answer, PeriodData)
    assert totals(books)[books.clearing, DAY] == (7, 0)
    assert rows(CLOSED_DAYS_STAY) == []


def test_control_without_the_lock_a_posting_comes_after_the_totals(books: Books) -> None:
    """The same writer; the owner closes the day without waiting, in a transaction that is rolled back."""
    writer = SlowWriter(books)
    try:
        with owner_connection() as owner:
            found = owner.execute(
                "SELECT pg_get_functiondef(oid) FROM pg_proc WHERE proname = 'ledger_close_period'"
            ).fetchone()
            assert found
            unlocked = found[0].replace("PERFORM pg_advisory_xact_lock", "PERFORM hashint8")
            assert unlocked.count("hashint8") == 3
            owner.execute(unlocked.encode())
            owner.execute(
                "SELECT ledger_close_period(gen_random_uuid(), %s, %s, 'a', 'b', gen_random_uuid(), now())",
                [books.merchant_id, DAY],
            )
            assert owner.execute(CLOSED_DAYS_STAY.encode()).fetchall() == []
            writer.connection.commit()
            late = {account for account, _ in owner.execute(CLOSED_DAYS_STAY.encode()).fetchall()}
            owner.rollback()
    finally:
        writer.connection.close()
    assert late == {books.clearing, books.commission}


def test_a_posting_that_waited_for_a_closing_is_refused(books: Books) -> None:
    consent(books.merchant_id, DAY)
    posted = threading.Event()

    def poster() -> list[EntryRef]:
        assert posted.wait(10)
        return books.post(books.sale())

    @transaction.atomic
    def closer() -> None:
        close_period(merchant_id=books.merchant_id, through=DAY, actor=MAKER)
        posted.set()
        eventually(
            lambda: rows(
                "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ShareLock' AND NOT granted"
                " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            )
        )

    answer, _ = race([poster, closer])
    assert isinstance(answer, PeriodClosed)
    assert totals(books) == {}


def test_a_writer_that_does_not_end_makes_the_closing_give_up(books: Books) -> None:
    consent(books.merchant_id, DAY)
    writer = SlowWriter(books)
    try:

        @transaction.atomic
        def impatient() -> None:
            rows("SELECT set_config('lock_timeout', '50ms', true)")
            close_period(merchant_id=books.merchant_id, through=DAY, actor=MAKER)

        with pytest.raises(TemporarilyUnavailable):
            impatient()
    finally:
        writer.connection.close()
    assert closed_through(merchant_id=books.merchant_id) is None


def test_postings_into_other_days_go_on_while_a_closing_waits(books: Books) -> None:
    closed_before(books)
    consent(books.merchant_id, DAY)
    writer = SlowWriter(books)

    def other_days() -> list[EntryRef]:
        eventually(closing_waits)
        try:
            return books.post(books.sale(effective_date=NEXT))
        finally:
            writer.connection.commit()

    answers: list[Any] = race([other_days, lambda: act(books, DAY)])
    writer.connection.close()
    assert [type(each) for each in answers] == [list, PeriodData]


def test_many_writers_while_days_close(books: Books) -> None:
    """Each writer posts on every day until it is refused; all that was taken is in the frozen totals."""
    days = [DAY + timedelta(days=number) for number in range(4)]
    others = [Books(merchant_id=books.merchant_id) for _ in range(3)]
    taken = [dict.fromkeys(days, 0) for _ in others]
    started = threading.Barrier(len(others) + 1)

    def write(number: int) -> None:
        started.wait(10)
        for day in days:
            while True:
                try:
                    others[number].post(others[number].sale(1, effective_date=day))
                except PeriodClosed:
                    break
                taken[number][day] += 1

    def closer() -> None:
        started.wait(10)
        for day in days:
            eventually(lambda day=day: all(each[day] >= 2 for each in taken))
            close(books.merchant_id, day)

    assert race([*[lambda n=n: write(n) for n in range(len(others))], closer]) == [None] * 4
    frozen = totals(books)
    for day in days:
        assert frozen[books.clearing, day] == (sum(each[day] for each in taken), 0)


def test_two_closings_at_once_close_once(books: Books) -> None:
    books.post(books.sale())
    consent(books.merchant_id, DAY)
    answers = race([lambda: act(books, DAY) for _ in range(3)])
    assert sorted(type(each).__name__ for each in answers) == ["PeriodClosed"] * 2 + ["PeriodData"]
