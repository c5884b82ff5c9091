"""Thirty withdrawals at once from one wallet: as many succeed as there is money for, and none more.

One judge for the product and for its controls: without the floor in the database, and with a read before
an unlocked write, the same race is found out.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any

import pytest
from django.db import connection, transaction

from tests.database import as_owner, truncate_everything
from tests.racing import race
from tests.stateful.calls import Answer, Entry, Line, Post, perform
from tests.stateful.cast import CURRENCIES, Account, Cast, plain, rows
from tests.stateful.effort import rounds
from tests.stateful.evidence import audits_are_clean, begin
from wallet.errors import InsufficientFunds

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.database,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("many_connections"),
]
CLIENTS = 30


@dataclass(frozen=True)
class Race:
    """How it began and how it ended."""

    balance: int
    amount: int
    won: int
    left: int
    lowest: int
    seen: tuple[int, ...] = ()

    def complaints(self) -> list[str]:
        """What is wrong with it; nothing, if the wallet holds."""
        found = []
        if self.won != min(CLIENTS, self.balance // self.amount):
            found.append("as many won as there was money for")
        if self.left != self.balance - self.won * self.amount:
            found.append("the balance is what was left")
        if min(self.left, self.lowest, *self.seen) < 0:
            found.append("never below zero")
        if any(later > earlier for earlier, later in zip(self.seen, self.seen[1:], strict=False)):
            found.append("a withdrawal never gives money back")
        return found


def draw(number: int) -> tuple[str, int, int]:
    """Currency, balance and amount of a round: money for none, for some, for all and for more than all."""
    chance = Random(number)
    amount = chance.choice([1, 7, 60, 10**9])
    return chance.choice(CURRENCIES), amount * chance.randint(0, 34) + chance.randint(0, amount - 1), amount


def withdrawal(cast: Cast, currency: str, key: str, amount: int) -> Post:
    accounts = [Account("ann", role, currency) for role in ("seller_available", "seller_payout_hold")]
    return Post((Entry(key, (Line(accounts[0], amount), Line(accounts[1], -amount))),))


def funded(currency: str, balance: int) -> Cast:
    """A seller with so much available."""
    cast = begin()
    cast.open_plain("psp_clearing", currency)
    cast.open_wallet("ann", "seller", currency)
    if balance:
        lines = (
            Line(plain("psp_clearing", currency), balance),
            Line(Account("ann", "seller_available", currency), -balance),
        )
        assert perform(cast, Post((Entry("funds", lines),))).new == (True,)
    return cast


def wallet(cast: Cast, currency: str) -> tuple[int, int]:
    """Available and held, in one read."""
    ((available, held),) = rows(
        "SELECT available_minor, held_minor FROM wallet_wallet WHERE id = %s", [cast.wallets["ann", currency]]
    )
    return available, held


def run(cast: Cast, currency: str, balance: int, amount: int) -> Race:
    """Thirty clients withdraw, one looks on."""
    finished: list[int] = []

    def client(number: int) -> Answer:
        try:
            return perform(cast, withdrawal(cast, currency, f"w{number}", amount))
        finally:
            finished.append(number)

    def look_on() -> tuple[int, ...]:
        seen = []
        while len(finished) < CLIENTS:
            available, held = wallet(cast, currency)
            assert available + held == balance, "what leaves one bucket is in the other"
            seen.append(available)
        return tuple(seen)

    *answers, seen = finish(race([*(partial(client, n) for n in range(CLIENTS)), look_on], connected=True))
    assert {answer.refused for answer in answers} <= {"", InsufficientFunds.code}
    ((lowest,),) = rows(
        "SELECT coalesce(min(balance_after_minor), 0) FROM wallet_walletoperation"
        " WHERE wallet_id = %s AND bucket = 'available'",
        [cast.wallets["ann", currency]],
    )
    won = sum(not answer.refused for answer in answers)
    return Race(balance, amount, won, wallet(cast, currency)[0], int(str(lowest)), seen)


def finish(answers: list[Any]) -> list[Any]:
    """The answers; what went wrong in a thread goes wrong here."""
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
    return answers


def test_exactly_as_many_succeed_as_there_is_money_for() -> None:
    """W5, I07: thirty at once, round after round; asked again, nobody gets anything twice."""
    for number in range(rounds(few=10, many=200)):
        currency, balance, amount = draw(number)
        cast = funded(currency, balance)
        result = run(cast, currency, balance, amount)
        assert result.complaints() == [], (number, result)
        again = [perform(cast, withdrawal(cast, currency, f"w{n}", amount)) for n in range(CLIENTS)]
        assert not any(answer.new == (True,) for answer in again), number
        assert sum(not answer.refused for answer in again) == result.won, number
        assert wallet(cast, currency)[0] == result.left, number
    audits_are_clean(everything=True)


# ------------------------------------------------------------------ controls


@contextmanager
def no_floor() -> Iterator[None]:
    """The real tables and functions, without the constraints that hold the floor of the available bucket."""
    constraints = as_owner(
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE conname IN ('wallet_available_not_negative', 'wallet_operation_sane')"
    )
    assert len(constraints) == 2
    connection.close()
    for table, name, _ in constraints:
        as_owner(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    try:
        yield
    finally:
        truncate_everything()
        for table, name, definition in constraints:
            as_owner(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")


def test_control_without_the_floor_the_race_overdraws() -> None:
    with no_floor():
        result = run(funded("EUR", 100), "EUR", 100, 60)
    assert (result.won, result.left) == (CLIENTS, 100 - 60 * CLIENTS)
    assert result.complaints() == ["as many won as there was money for", "never below zero"]


@contextmanager
def purse(balance: int) -> Iterator[None]:
    """A balance of its own, with no guard at all."""
    as_owner("CREATE TABLE scratch_purse (balance bigint)")
    try:
        as_owner("INSERT INTO scratch_purse VALUES (%s)", [balance])
        as_owner("GRANT SELECT, UPDATE ON scratch_purse TO quittance_app")
        yield
    finally:
        connection.close()
        as_owner("DROP TABLE scratch_purse")


@pytest.mark.parametrize(
    ("write", "wrong"),
    [
        pytest.param(
            "UPDATE scratch_purse SET balance = balance - %(amount)s",
            ["as many won as there was money for", "never below zero"],
            id="subtracts",
        ),
        pytest.param(
            "UPDATE scratch_purse SET balance = %(read)s - %(amount)s",
            ["as many won as there was money for", "the balance is what was left"],
            id="writes what it worked out",
        ),
    ],
)
def test_control_read_then_write(write: str, wrong: list[str]) -> None:
    """Thirty clients that read, find enough, and write without a lock."""
    everybody_has_read = threading.Barrier(CLIENTS)

    def client() -> bool:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT balance FROM scratch_purse")
            read = cursor.fetchone()[0]
            everybody_has_read.wait(20)
            if read >= 60:
                cursor.execute(write, {"read": read, "amount": 60})
            return bool(read >= 60)

    with purse(100):
        won = sum(finish(race([client] * CLIENTS, connected=True)))
        left = int(str(rows("SELECT balance FROM scratch_purse", [])[0][0]))
    assert Race(100, 60, won, left, left).complaints() == wrong
