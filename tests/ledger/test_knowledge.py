"""L12: what the books knew at a place of the fence stays; at a time on entries or at max(id) it does not."""

import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from core.ids import public_id
from ledger.errors import PlaceUnknown
from ledger.selectors import (
    balance_minor,
    current_place,
    place_at,
    trial_balance,
    trial_balance_report,
)
from ledger.services import advance_checkpoints, advance_fence, post_entries
from tests.ledger.books import DAY, Books, rows
from tests.ledger.test_fence import SlowWriter
from tests.racing import race
from tests.waiting import eventually

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
YEN, DINAR = "JPY", "KWD"


@pytest.fixture
def slow_writer(books: Books) -> Iterator[SlowWriter]:
    writer = SlowWriter(books)
    yield writer
    writer.connection.close()


def settle() -> int:
    """Let the fence pass everything that is committed; return its place."""
    ((last,),) = rows("SELECT coalesce(max(id), 0) FROM ledger_journalentry")
    eventually(lambda: advance_fence() >= last, what=f"the fence passes {last}")
    return current_place()


def seen(books: Books, until: date | None, place: int | None) -> dict[int, int]:
    found = trial_balance(merchant_id=books.merchant_id, effective_until=until, recorded_until=place)
    return {each.account_id: each.balance_minor for each in found}


@pytest.mark.parametrize("currency", [YEN, "USD", DINAR])
@pytest.mark.parametrize("folded", ["before", "between", "after", "never"])
def test_balances_by_date_and_place(transactional_db: None, currency: str, folded: str) -> None:
    """Whatever is folded already, and whichever way the sum must be adjusted, the number is the same."""
    books = Books(currency=currency)
    start = settle()
    books.post(books.sale(100, effective_date=DAY))
    if folded == "before":
        settle()
        advance_checkpoints()
    books.post(books.sale(20, effective_date=DAY + timedelta(days=1)))
    early = settle()
    if folded == "between":
        advance_checkpoints()
    books.post(books.sale(3, effective_date=DAY), books.sale(4000, effective_date=DAY + timedelta(days=2)))
    late = settle()
    if folded == "after":
        advance_checkpoints()
    expected = {
        (None, None): 4123,
        (None, start): 0,
        (None, early): 120,
        (None, late): 4123,
        (-1, None): 0,
        (0, None): 103,
        (0, early): 100,
        (0, late): 103,
        (1, start): 0,
        (1, early): 120,
        (1, late): 123,
        (2, early): 120,
        (2, None): 4123,
    }
    for (days, place), minor in expected.items():
        until = None if days is None else DAY + timedelta(days=days)
        shown = balance_minor(account_id=books.clearing, effective_until=until, recorded_until=place)
        assert shown == minor, (days, place)
        balances = seen(books, until, place)
        assert balances[books.clearing] == minor
        assert sum(balances.values()) == 0  # P6, at any date and place


def test_a_late_item_changes_the_present_and_no_past(books: Books) -> None:
    books.post(books.sale(100, effective_date=DAY))
    known = settle()
    books.post(books.sale(7, effective_date=DAY - timedelta(days=30)))
    settle()
    advance_checkpoints()
    assert balance_minor(account_id=books.clearing, effective_until=DAY, recorded_until=known) == 100
    assert balance_minor(account_id=books.clearing, effective_until=DAY) == 107


def test_a_slow_writer_does_not_slip_below_a_place_that_was_read(
    books: Books, slow_writer: SlowWriter
) -> None:
    books.post(books.sale(100))
    for _ in range(3):
        advance_fence()
    place = current_place()
    assert place < slow_writer.entry
    before = seen(books, None, place)
    slow_writer.connection.commit()
    settle()
    advance_checkpoints()
    assert seen(books, None, place) == before
    assert seen(books, None, current_place())[books.clearing] == 107


def test_control_the_highest_id_is_no_place(books: Books, slow_writer: SlowWriter) -> None:
    """The same writer, read up to max(id): the answer changes. So the selector refuses to give it."""
    books.post(books.sale(100))
    ((highest,),) = rows("SELECT max(id) FROM ledger_journalentry")
    by_max = "SELECT sum(amount_minor) FROM ledger_journalline WHERE account_id = %s AND entry_id <= %s"
    with pytest.raises(PlaceUnknown):
        balance_minor(account_id=books.clearing, recorded_until=highest)
    before = rows(by_max, [books.clearing, highest])
    slow_writer.connection.commit()
    assert (before, rows(by_max, [books.clearing, highest])) == ([(100,)], [(107,)])


def test_control_the_time_on_an_entry_is_no_knowledge(books: Books, slow_writer: SlowWriter) -> None:
    """It is taken before the commit: "recorded until now" still changes afterwards."""
    books.post(books.sale(100))
    by_time = (
        "SELECT sum(line.amount_minor) FROM ledger_journalline AS line"
        " JOIN ledger_journalentry AS entry ON entry.id = line.entry_id"
        " WHERE line.account_id = %s AND entry.recorded_at <= %s"
    )
    ((now,),) = rows("SELECT clock_timestamp()")
    before = rows(by_time, [books.clearing, now])
    slow_writer.connection.commit()
    assert (before, rows(by_time, [books.clearing, now])) == ([(100,)], [(107,)])


def test_a_time_is_the_place_where_the_fence_stood(books: Books) -> None:
    advance_fence()
    ((start,),) = rows("SELECT clock_timestamp()")
    books.post(books.sale(100))
    settle()
    ((noon,),) = rows("SELECT seen_at FROM ledger_fence")
    books.post(books.sale(1))
    settle()
    assert balance_minor(account_id=books.clearing, recorded_until=place_at(at=noon)) == 100
    assert balance_minor(account_id=books.clearing) == 101
    with pytest.raises(PlaceUnknown):
        place_at(at=start - timedelta(days=365))
    with pytest.raises(PlaceUnknown):
        place_at(at=datetime.now(UTC) + timedelta(hours=1))


def test_a_quiet_night_is_known_too(books: Books) -> None:
    """The fence is looked after although nothing moves it; every time that it has passed has its answer."""
    books.post(books.sale(100))
    place = settle()
    marks = rows("SELECT count(*) FROM ledger_fencemark")
    ((night,),) = rows("SELECT clock_timestamp()")
    with pytest.raises(PlaceUnknown):
        place_at(at=night)
    advance_fence()
    assert rows("SELECT count(*) FROM ledger_fencemark") == marks
    assert place_at(at=night) == place


def test_what_was_read_stays_while_writers_write(books: Books) -> None:
    """Readers remember each answer with its date and place, under four writers that pause; then ask again."""
    writers, rounds = 3, 10
    left, turn = [writers], threading.Semaphore(0)
    answers: list[tuple[date | None, int, dict[int, int]]] = []

    def write(number: int) -> None:
        try:
            for step in range(rounds):
                with transaction.atomic():
                    day = DAY + timedelta(days=(number + step) % 3)
                    post_entries(drafts=[books.sale(step + 1, effective_date=day)])
                    for _ in range((number + step) % 3):
                        assert turn.acquire(timeout=10)
        finally:
            left[0] -= 1

    def read() -> None:
        while left[0]:
            advance_fence()
            place = current_place()
            for until in (None, DAY, DAY + timedelta(days=1)):
                answers.append((until, place, seen(books, until, place)))
            advance_checkpoints()
            turn.release(writers)

    assert race([*[lambda n=n: write(n) for n in range(writers)], read]) == [None] * (writers + 1)
    settle()
    advance_checkpoints()
    assert len({place for _, place, _ in answers}) > 3
    for until, place, balances in answers:
        assert seen(books, until, place) == balances


def test_steps_of_the_fence_follow_one_another(books: Books) -> None:
    """Several at once: marks grow in place and time, and the fence never goes back."""

    def step() -> list[int]:
        return [advance_fence() for _ in range(10)]

    def write() -> None:
        for _ in range(20):
            books.post(books.sale(1))

    *places, _ = race([step, step, step, write])
    assert all(each == sorted(each) for each in places)
    settle()
    marks: list[Any] = rows("SELECT entry_id, marked_at FROM ledger_fencemark ORDER BY entry_id")
    assert marks == sorted(marks, key=lambda mark: mark[1])


def test_the_report_has_two_columns_that_agree(books: Books) -> None:
    books.post(books.sale(100), books.draft(books.line(books.commission, 30), books.line(books.tax, -30)))
    report = trial_balance_report(merchant_id=books.merchant_id)
    columns = {each.account_id: (each.debit_minor, each.credit_minor) for each in report.accounts}
    assert columns == {books.clearing: (100, 0), books.commission: (0, 70), books.tax: (0, 30)}
    assert report.totals == {"USD": (100, 100)}


def test_the_command_prints_the_books_of_a_day(books: Books, capsys: pytest.CaptureFixture[str]) -> None:
    books.post(books.sale(12345), books.sale(1, effective_date=DAY + timedelta(days=1)))
    settle()
    merchant = public_id("mer", books.merchant_id)
    call_command("trial_balance", merchant, "--effective-until", DAY.isoformat())
    assert "123.45" in capsys.readouterr().out
    ((now,),) = rows("SELECT seen_at FROM ledger_fence")
    call_command("trial_balance", merchant, "--known-at", now.isoformat())
    assert "123.46" in capsys.readouterr().out
    with pytest.raises(CommandError, match="offset"):
        call_command("trial_balance", merchant, "--known-at", "2026-04-01T12:00")
