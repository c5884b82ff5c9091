"""F-F1, W5: thirty withdrawals at once take exactly what there is, never more."""

from uuid import uuid4

import pytest
from django.db import connection, transaction

from core.transactions import at_edge
from tests.ledger.books import Books, rows
from tests.racing import race
from wallet.errors import InsufficientFunds
from wallet.services import try_hold
from wallet.types import HoldData

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
CLIENTS = 30


@pytest.mark.parametrize(("balance", "each"), [(1000, 70), (100, 100), (90, 100), (3000, 100)])
def test_exactly_as_many_succeed_as_there_is_money_for(strict_books: Books, balance: int, each: int) -> None:
    strict_books.fund(balance)
    wallet_id = rows("SELECT id FROM wallet_wallet WHERE owner_id = %s", [strict_books.seller])[0][0]

    @at_edge
    def withdraw() -> HoldData:
        return try_hold(
            merchant_id=strict_books.merchant_id,
            wallet_id=wallet_id,
            purpose="payout",
            subject=str(uuid4()),
            amount_minor=each,
        )

    outcomes = race([withdraw] * CLIENTS)
    taken = sum(isinstance(outcome, HoldData) for outcome in outcomes)
    refused = sum(isinstance(outcome, InsufficientFunds) for outcome in outcomes)
    assert (taken, refused) == (min(balance // each, CLIENTS), CLIENTS - min(balance // each, CLIENTS))
    left = strict_books.wallet()
    assert (left["available"], left["held"]) == (balance - taken * each, taken * each)


def test_the_same_withdrawal_thirty_times_is_one(strict_books: Books) -> None:
    strict_books.fund(100)
    answers = race([at_edge(lambda: strict_books.hold(60))] * 0 or [lambda: strict_books.hold(60)] * CLIENTS)
    assert len({answer.id for answer in answers}) == 1
    assert strict_books.wallet()["held"] == 60


def test_without_the_floor_in_the_database_they_overdraw(strict_books: Books) -> None:
    """The control: who reads the balance, decides and then writes takes more than there is."""
    strict_books.fund(100)
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    decided = race([lambda: strict_books.wallet()["available"] >= 100] * CLIENTS)
    assert decided.count(True) > 100 // 100
    with transaction.atomic():
        assert strict_books.wallet()["available"] == 100
