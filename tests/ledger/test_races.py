"""Several clients at once: no deadlock, no duplicate, no overdraft; each with its unguarded control."""

import threading
from collections.abc import Callable
from uuid import uuid4

import pytest
from django.db import OperationalError, connection, transaction

from core.transactions import sqlstate
from ledger.errors import EntryConflict
from ledger.services import open_account, post_entries
from ledger.types import EntryDraft, EntryRef
from tests.database import as_owner
from tests.ledger.books import Books, rows
from tests.racing import race
from wallet.errors import InsufficientFunds
from wallet.services import open_wallet, post

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
CLIENTS = 4


def test_the_same_keys_in_opposite_order(books: Books) -> None:
    """L8: four clients post the same forty entries, half of them backwards."""
    for attempt in range(5):
        drafts = [books.sale(ref=f"{attempt}-{number}") for number in range(40)]

        def client(backwards: bool, drafts: list[EntryDraft] = drafts) -> list[EntryRef]:
            with transaction.atomic():
                return post_entries(drafts=drafts[::-1] if backwards else drafts)

        answers = race([lambda odd=number % 2 == 1: client(odd) for number in range(CLIENTS)])
        assert [answer for answer in answers if isinstance(answer, BaseException)] == []
        refs = [ref for answer in answers for ref in answer]
        assert sum(ref.is_new for ref in refs) == 40
        assert len({ref.id for ref in refs}) == 40
    assert rows("SELECT count(*) FROM ledger_journalentry") == [(200,)]


def test_control_opposite_order_without_sorting_deadlocks(books: Books) -> None:
    """The same keys, one call each in the order of the client: PostgreSQL has to kill one of the two."""
    both_hold_one = threading.Barrier(2)
    first, second = books.sale(ref="a"), books.sale(ref="b")

    def client(drafts: tuple[EntryDraft, EntryDraft]) -> None:
        with transaction.atomic():
            post_entries(drafts=drafts[:1])
            both_hold_one.wait(10)
            post_entries(drafts=drafts[1:])

    answers = race([lambda: client((first, second)), lambda: client((second, first))])
    killed = [answer for answer in answers if answer is not None]
    assert [isinstance(error, OperationalError) and sqlstate(error) for error in killed] == ["40P01"]


def test_one_key_two_contents_one_wins(books: Books) -> None:
    def client(minor: int) -> Callable[[], list[EntryRef]]:
        return lambda: books.post(books.sale(minor, ref="r"))

    answers = race([client(minor) for minor in (1, 2, 3, 4)])
    assert sorted(type(answer) is EntryConflict for answer in answers) == [False, True, True, True]
    assert rows("SELECT count(*) FROM ledger_journalentry") == [(1,)]


def test_thirty_times_sixty_of_a_hundred(books: Books) -> None:
    """W5: exactly one succeeds; the balance never goes below zero."""
    books.fund(100)
    prepared = [books.move("seller_available", "seller_payout_hold", 60) for _ in range(30)]

    def client(number: int) -> list[EntryRef]:
        draft, moves = prepared[number]
        with transaction.atomic():
            return post(drafts=[draft], moves=moves)

    answers = race([lambda number=number: client(number) for number in range(30)])
    won = [answer for answer in answers if isinstance(answer, list)]
    assert len(won) == 1
    assert {type(answer) for answer in answers if not isinstance(answer, list)} == {InsufficientFunds}
    assert books.wallet() == {"pending": 0, "available": 40, "held": 60, "receivable": 0}
    assert rows("SELECT min(balance_after_minor) FROM wallet_walletoperation WHERE bucket = 'available'") == [
        (40,)
    ]


def test_control_read_then_write_overruns() -> None:
    """The same race without a lock, on a table of its own: everybody read 100 and everybody takes 60."""
    as_owner("CREATE TABLE scratch_purse (balance bigint)")
    try:
        as_owner("INSERT INTO scratch_purse VALUES (100)")
        as_owner("GRANT SELECT, UPDATE ON scratch_purse TO quittance_app")
        everybody_has_read = threading.Barrier(CLIENTS)

        def client() -> bool:
            with transaction.atomic():
                ((balance,),) = rows("SELECT balance FROM scratch_purse")
                everybody_has_read.wait(10)
                if balance < 60:
                    return False
                with connection.cursor() as cursor:
                    cursor.execute("UPDATE scratch_purse SET balance = balance - 60")
                return True

        assert race([client] * CLIENTS) == [True] * CLIENTS
        assert rows("SELECT balance FROM scratch_purse") == [(100 - 60 * CLIENTS,)]
    finally:
        connection.close()
        as_owner("DROP TABLE scratch_purse")


def test_two_sellers_pay_each_other_at_once(books: Books) -> None:
    """Wallets are locked by id, whatever the order of the lines: no deadlock, no unit lost."""
    ann, bob = uuid4(), uuid4()
    for seller in (ann, bob):
        books.fund(1000, seller=seller)

    def pay(payer: int, payee: int) -> None:
        for _ in range(10):
            draft = books.draft(books.line(payer, 1), books.line(payee, -1))
            moves = [
                type(template)(1, line, account, delta)
                for line, account, delta in ((1, payer, -1), (2, payee, 1))
            ]
            with transaction.atomic():
                post(drafts=[draft], moves=moves)

    template = books.move("clearing", "seller_available", 1)[1][0]
    accounts = [books.account("seller_available", seller=seller) for seller in (ann, bob)]
    clients = [lambda: pay(*accounts), lambda: pay(*accounts[::-1])] * 2
    assert race(clients) == [None] * CLIENTS
    assert [books.wallet(seller=seller)["available"] for seller in (ann, bob)] == [1000, 1000]


def test_a_wallet_and_an_account_are_opened_once(books: Books) -> None:
    seller = uuid4()

    def wallet() -> object:
        with transaction.atomic():
            return open_wallet(
                merchant_id=books.merchant_id, owner_type="seller", owner_id=seller, currency="USD"
            )

    def account() -> object:
        with transaction.atomic():
            return open_account(
                merchant_id=books.merchant_id, role="psp_clearing", provider="new", currency="USD"
            )

    for contender in (wallet, account):
        answers = race([contender] * 6)
        assert len(set(answers)) == 1, answers
        assert not isinstance(answers[0], BaseException)
