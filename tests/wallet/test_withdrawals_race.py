"""F-F1, W5: thirty withdrawals at once take exactly what there is, never more."""

from threading import Barrier
from uuid import uuid4

import pytest
from django.db import connection

from core.transactions import at_edge
from tests.database import as_owner
from tests.ledger.books import Books, rows, run
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
    answers = race([lambda: strict_books.hold(60)] * CLIENTS)
    assert len({answer.id for answer in answers}) == 1
    assert strict_books.wallet()["held"] == 60


def test_the_control_that_reads_decides_and_then_writes_takes_too_much() -> None:
    """The same race without the floor in the database, on a table of its own: all read 100 and take 100."""
    as_owner("CREATE TABLE scratch_wallet (balance bigint)")
    try:
        as_owner("INSERT INTO scratch_wallet VALUES (100)")
        as_owner("GRANT SELECT, UPDATE ON scratch_wallet TO quittance_app")
        everybody_has_read = Barrier(4, timeout=30)

        def careless() -> bool:
            ((balance,),) = rows("SELECT balance FROM scratch_wallet")
            everybody_has_read.wait()
            if balance < 100:
                return False
            run("UPDATE scratch_wallet SET balance = balance - 100")
            return True

        assert race([careless] * 4).count(True) > 1
        assert rows("SELECT balance FROM scratch_wallet")[0][0] < 0
    finally:
        connection.close()
        as_owner("DROP TABLE scratch_wallet")
