"""Ids are not the order of commits: checkpoints wait for slow writers, and max(id) would not have."""

import threading
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from ledger.audits import INVARIANTS
from ledger.selectors import balance_minor, trial_balance
from ledger.services import advance_checkpoints, advance_fence
from ledger.wire import ENTRY_PLACEHOLDERS
from tests.database import owner_connection
from tests.ledger.books import Books, rows
from tests.racing import race
from tests.waiting import eventually

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
CHECKPOINT_IS_THE_SUM = next(each.sql for each in INVARIANTS if each.name == "checkpoint_is_the_sum")

# What ledger_advance_checkpoints does, with the highest id in the place of the fence.
ADVANCE_BY_MAX = """
    INSERT INTO ledger_accountcheckpoint AS mark (account_id, entry_id, balance_minor)
    SELECT account_id, (SELECT max(id) FROM ledger_journalentry), sum(amount_minor) FROM ledger_journalline
    WHERE entry_id > (SELECT coalesce(max(entry_id), 0) FROM ledger_accountcheckpoint) GROUP BY account_id
    ON CONFLICT (account_id) DO UPDATE
        SET balance_minor = mark.balance_minor + excluded.balance_minor, entry_id = excluded.entry_id
"""


@pytest.fixture
def slow_writer(books: Books) -> Iterator["SlowWriter"]:
    writer = SlowWriter(books)
    yield writer
    writer.connection.close()


class SlowWriter:
    """Has posted 7 and not committed yet."""

    def __init__(self, books: Books) -> None:
        login = connection.settings_dict
        self.connection: psycopg.Connection[Any] = psycopg.connect(
            dbname=login["NAME"],
            user=login["USER"],
            password=login["PASSWORD"],
            host=login["HOST"],
            port=login["PORT"],
        )
        found = self.connection.execute(
            f"SELECT id FROM ledger_post({ENTRY_PLACEHOLDERS})", books.arrays(books.sale(7))
        ).fetchone()
        assert found
        self.entry: int = found[0]


def wrong_accounts() -> list[tuple[Any, ...]]:
    return rows(CHECKPOINT_IS_THE_SUM)


def past(entry: int) -> None:
    """Let the fence pass an entry; other transactions of the server may hold it up for a moment."""
    eventually(lambda: advance_fence() >= entry, what=f"the fence passes {entry}")


def test_checkpoints_wait_for_a_writer_with_a_smaller_id(books: Books, slow_writer: SlowWriter) -> None:
    (fast,) = books.post(books.sale(100))
    assert slow_writer.entry < fast.id
    for _ in range(5):
        assert advance_fence() < slow_writer.entry
        advance_checkpoints()
    assert balance_minor(account_id=books.clearing) == 100  # what is committed counts at once
    slow_writer.connection.commit()
    past(fast.id)
    advance_checkpoints()
    assert wrong_accounts() == []
    assert balance_minor(account_id=books.clearing) == 107
    marks = rows("SELECT balance_minor FROM ledger_accountcheckpoint WHERE account_id = %s", [books.clearing])
    assert marks == [(107,)]


def test_control_the_highest_id_misses_the_slow_writer(books: Books, slow_writer: SlowWriter) -> None:
    """The same interleaving; in one transaction of the owner that is rolled back."""
    books.post(books.sale(100))
    with owner_connection() as owner:
        owner.execute(ADVANCE_BY_MAX)
        slow_writer.connection.commit()
        books.post(books.sale(1))
        owner.execute(ADVANCE_BY_MAX)
        owner.execute("UPDATE ledger_fence SET safe_entry = (SELECT max(id) FROM ledger_journalentry)")
        wrong = {account for account, *_ in owner.execute(CHECKPOINT_IS_THE_SUM).fetchall()}
        owner.rollback()
    assert wrong == {books.clearing, books.commission}


def test_a_writer_that_gives_up_holds_nothing_up(books: Books, slow_writer: SlowWriter) -> None:
    (fast,) = books.post(books.sale(100))
    slow_writer.connection.rollback()
    past(fast.id)
    advance_checkpoints()
    assert wrong_accounts() == []


def test_writers_that_pause_while_checkpoints_advance(books: Books) -> None:
    """Each writer commits only after a number of advances that is its own; none is ever missed."""
    advances = threading.Semaphore(0)
    writers, rounds = 4, 12
    left = [writers]

    def write(number: int) -> None:
        try:
            for turn in range(rounds):
                with transaction.atomic():
                    books_of[number].post(books_of[number].sale(turn + 1))
                    for _ in range((number + turn) % 3):
                        assert advances.acquire(timeout=10)
        finally:
            left[0] -= 1

    def advance() -> int:
        done = 0
        while left[0]:
            advance_fence()
            advance_checkpoints()
            advances.release(writers)
            done += 1
        return done

    books_of = [Books(merchant_id=books.merchant_id) for _ in range(writers)]
    answers = race([lambda number=number: write(number) for number in range(writers)] + [advance])
    assert answers[:-1] == [None] * writers
    assert answers[-1] > rounds
    last = rows("SELECT max(id) FROM ledger_journalentry")[0][0]
    past(last)
    advance_checkpoints()
    assert wrong_accounts() == []
    total = writers * sum(range(1, rounds + 1))
    assert balance_minor(account_id=books.clearing) == total
    assert {each.balance_minor for each in trial_balance(merchant_id=books.merchant_id)} == {total, -total, 0}


def test_two_that_advance_at_once_count_nothing_twice(books: Books) -> None:
    for _ in range(5):
        books.post(*[books.sale(1) for _ in range(20)])

        def advance() -> None:
            for _ in range(5):
                advance_fence()
                advance_checkpoints()

        assert race([advance] * 3) == [None] * 3
    assert wrong_accounts() == []
    assert balance_minor(account_id=books.clearing) == 100


def test_the_step_wants_a_transaction_of_its_own(books: Books) -> None:
    with pytest.raises(DatabaseError, match="transaction of its own"), transaction.atomic():
        rows("SELECT pg_current_xact_id()")
        rows("SELECT ledger_fence_step()")
    for advance in (advance_fence, advance_checkpoints):
        with pytest.raises(RuntimeError), transaction.atomic():
            advance()
