"""The same calls from several connections at once: some serial order explains every answer."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from core.transactions import at_edge
from tests.racing import race
from tests.stateful.calls import (
    Advance,
    Answer,
    Call,
    Close,
    Correct,
    Entry,
    Line,
    Post,
    ReadBooks,
    ReadWallet,
    perform,
    post_inside,
)
from tests.stateful.cast import CURRENCIES, Account, Cast, plain
from tests.stateful.effort import examples
from tests.stateful.evidence import audits_are_clean, begin
from tests.stateful.history import Event, observed
from tests.stateful.judge import judge
from tests.stateful.model import Model

pytestmark = [pytest.mark.chaos, pytest.mark.database, pytest.mark.django_db(transaction=True)]

AVAILABLE, HELD = "seller_available", "seller_payout_hold"


def entry(key: str, debit: Account, credit: Account, minor: int) -> Entry:
    return Entry(key, (Line(debit, minor), Line(credit, -minor)))


@st.composite
def programs(draw: st.DrawFn) -> tuple[str, int, list[list[Call]]]:
    """A currency, what both sellers have at first, and two to eight clients with up to three calls each.

    Keys and accounts are few, so that clients meet: the same entry, the same key for another, the same
    money, a day that one of them closes, an entry that several take back.
    """
    currency, funds = draw(st.sampled_from(CURRENCIES)), draw(st.integers(0, 150))
    palette = draw(st.lists(entries(currency), min_size=3, max_size=8))
    batches = st.lists(st.sampled_from(palette), min_size=1, max_size=3).map(tuple)
    posts = st.builds(Post, batches, land=st.booleans())
    others: list[Call] = [ReadBooks(), ReadBooks(until=0), Advance()]
    others += [ReadWallet(owner, currency) for owner in ("ann", "bob")]
    if funds:
        others += [Correct("funds-ann", 0, reason, "wallet") for reason in ("typed twice", "wrong seller")]
    calls = st.one_of(posts, posts, st.sampled_from(others))
    clients = draw(st.lists(st.lists(calls, min_size=1, max_size=3), min_size=2, max_size=8))
    if draw(st.booleans()):
        # One alone: two that ask for different closings at once void each other's request.
        clients[0].insert(draw(st.integers(0, len(clients[0]))), Close(draw(st.integers(0, 1))))
    return currency, funds, clients


def entries(currency: str) -> st.SearchStrategy[Entry]:
    """Moves between two of six accounts, under few keys, on two days."""
    ours = [plain("psp_clearing", currency), plain("commission", currency)]
    sellers = [Account(owner, role, currency) for owner in ("ann", "bob") for role in (AVAILABLE, HELD)]
    between = st.lists(st.sampled_from([*ours, *sellers]), min_size=2, max_size=2, unique=True)
    return st.builds(
        lambda key, pair, minor, day: replace(entry(key, *pair, minor), day=day),
        st.sampled_from("abcdef"),
        between,
        st.integers(1, 80),
        st.integers(0, 1),
    )


def opened(currency: str, funds: int, *, owners: tuple[str, ...] = ("ann", "bob")) -> tuple[Cast, Model]:
    """Sellers with so much available, and the model of that."""
    cast, model = begin(), Model()
    for role in ("psp_clearing", "commission"):
        cast.open_plain(role, currency)
    for owner in owners:
        cast.open_wallet(owner, "seller", currency)
        if funds:
            key, available = f"funds-{owner}", Account(owner, AVAILABLE, currency)
            money = Post((entry(key, plain("psp_clearing", currency), available, funds),))
            outcome, model = model.after(money)
            answer = perform(cast, money)
            assert outcome.allows(answer)
            cast.entries[key] = answer.ids[0]
    return cast, model


def together(clients: list[Callable[[int], list[Event]]]) -> list[Event]:
    """Run every client in a thread with a connection of its own; what they saw."""

    def client(number: int) -> list[Event]:
        return clients[number](number)

    answers = race([lambda number=number: client(number) for number in range(len(clients))], connected=True)
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
    return [event for answer in answers for event in answer]


@pytest.mark.usefixtures("many_connections")
@examples(few=15, many=500)
@given(program=programs())
def test_some_serial_order_explains_what_clients_saw(program: tuple[str, int, list[list[Call]]]) -> None:
    """L8, W5 and reads: two to eight connections, each call in its own transaction."""
    currency, funds, clients = program
    cast, start = opened(currency, funds)

    def client(calls: list[Call]) -> Callable[[int], list[Event]]:
        return lambda number: [observed(number, call, partial(perform, cast)) for call in calls]

    judge(cast, start, together([client(calls) for calls in clients]))
    audits_are_clean()


@pytest.mark.usefixtures("many_connections")
def test_a_deadlock_is_retried_at_the_edge() -> None:
    """Two clients take two keys in opposite order: PostgreSQL ends one, and it comes again by itself."""
    cast, start = opened("EUR", 100)
    accounts = plain("commission", "EUR"), plain("psp_clearing", "EUR")
    posts = [Post((entry(key, *accounts, 5),)) for key in "ab"]
    both_hold_one, attempts = threading.Barrier(2), []

    def client(order: list[Post]) -> Callable[[int], list[Event]]:
        @at_edge
        def both() -> list[Answer]:
            attempts.append(connection.connection)
            first = post_inside(cast, order[0])
            if len(attempts) <= 2:
                both_hold_one.wait(10)
            return [first, post_inside(cast, order[1])]

        def run(number: int) -> list[Event]:
            began = time.monotonic()
            answers = both()
            ended = time.monotonic()
            return [
                Event(number, call, answer, began, ended) for call, answer in zip(order, answers, strict=True)
            ]

        return run

    events = together([client(posts), client(posts[::-1])])
    assert len(attempts) == 3
    judge(cast, start, events)
    audits_are_clean()
