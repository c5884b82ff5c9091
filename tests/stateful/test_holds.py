"""Holds through random histories, from several connections at once, and by clients that die."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test

from tests.database import as_owner
from tests.stateful.calls import Answer, Call, ReadWallet, perform
from tests.stateful.cast import CURRENCIES, Cast
from tests.stateful.effort import IS_CHAOS, examples, rounds
from tests.stateful.evidence import audits_are_clean, begin
from tests.stateful.history import Event, observed
from tests.stateful.hold_machine import SUBJECTS, HoldMachine, purposes
from tests.stateful.hold_model import Cancel, Confirm, Expire, Fund, HoldCall, HoldModel, Owe, Release, Try
from tests.stateful.holds import explained, open_purse
from tests.stateful.test_concurrent import together
from tests.stateful.test_crashes import Clients, broken, clients, every_step, repeated

__all__ = ["clients"]

pytestmark = [pytest.mark.chaos, pytest.mark.database, pytest.mark.django_db(transaction=True)]


def test_histories() -> None:
    """W1 to W5, S3, P7 after every step, with cash, bonus and points in four units."""
    run_state_machine_as_test(HoldMachine, settings=examples(few=10, many=300, steps=40))


class Generous(HoldMachine):
    """The same machine before a product that lets a cancel give back what was confirmed."""

    def perform(self, call: HoldCall) -> Answer:
        if isinstance(call, Cancel):
            as_owner("ALTER TABLE wallet_hold DISABLE TRIGGER USER")
            as_owner(
                "UPDATE wallet_hold SET state = 'RELEASED', settled_minor = 0, released_minor = amount_minor"
            )
            as_owner("ALTER TABLE wallet_hold ENABLE TRIGGER USER")
        return super().perform(call)


def test_control_a_hold_that_ends_twice_is_found_out() -> None:
    machine = Generous()
    machine.open("ann", "EUR")
    machine.ask(Fund("ann", "EUR", "available", 100, "k"))
    machine.ask(Try("ann", "EUR", "payout", "a", 60))
    machine.ask(Confirm("EUR", "payout", "a", 50))
    with pytest.raises(AssertionError):
        machine.ask(Cancel("ann", "EUR", "payout", "a"))


def test_control_a_hold_changed_behind_the_door_is_found_out() -> None:
    machine = HoldMachine()
    machine.open("ann", "EUR")
    machine.ask(Fund("ann", "EUR", "available", 100, "k"))
    machine.ask(Try("ann", "EUR", "payout", "a", 60))
    machine.no_audit_finds_anything()
    as_owner("ALTER TABLE wallet_hold DISABLE TRIGGER USER")
    as_owner("UPDATE wallet_hold SET amount_minor = 61")
    as_owner("ALTER TABLE wallet_hold ENABLE TRIGGER USER")
    with pytest.raises(AssertionError, match="held_is"):
        machine.no_audit_finds_anything()


# ------------------------------------------------------------------ several at once


@st.composite
def programs(draw: st.DrawFn) -> tuple[str, int, list[list[HoldCall]]]:
    """A unit, what everybody has at first, and two to six clients with up to three calls each.

    Subjects and keys are few, so that clients meet: the same try, a cancel before its try, a confirm beside
    a cancel, more tries than there is money for, a release beside another one of the same name.
    """
    currency, funds = draw(st.sampled_from(CURRENCIES)), draw(st.integers(0, 150))
    palette = draw(st.lists(calls(currency), min_size=3, max_size=9))
    one = st.lists(st.sampled_from(palette), min_size=1, max_size=3)
    return currency, funds, draw(st.lists(one, min_size=2, max_size=6))


def calls(currency: str) -> st.SearchStrategy[HoldCall]:
    """What clients ask of one seller and one buyer."""
    minor = st.integers(1, 90)
    owners = ("ann", "eve" if currency == "PTS" else "dan")
    subjects = st.sampled_from(SUBJECTS[:2])
    held = st.sampled_from([(owner, purpose) for owner in owners for purpose in purposes(owner)[:1]])
    return st.one_of(
        st.builds(
            lambda who, s, m, due: Try(who[0], currency, who[1], s, m, due),
            held,
            subjects,
            minor,
            st.booleans(),
        ),
        st.builds(lambda who, s: Cancel(who[0], currency, who[1], s), held, subjects),
        st.builds(lambda who, s, m: Confirm(currency, who[1], s, m), held, subjects, minor),
        st.builds(lambda m, bps: Release("ann", currency, "r", m, bps), minor, st.sampled_from([0, 1000])),
        st.builds(lambda m: Fund("ann", currency, "available", m, f"more-{m}"), st.integers(1, 3)),
        st.sampled_from([ReadWallet(owner, currency) for owner in owners]),
    )


def opened(currency: str, funds: int) -> tuple[Cast, HoldModel]:
    """Everybody with so much available, as much pending, and a seller who owes a little."""
    cast, model = begin(), HoldModel()
    for owner in ("ann", "eve" if currency == "PTS" else "dan"):
        open_purse(cast, owner, currency)
        model.open(owner, currency)
    first: list[HoldCall] = []
    if funds:
        first += [Fund(owner, currency, "available", funds, f"first-{owner}") for owner, _ in model.wallets]
        first += [Fund("ann", currency, "pending", funds, "pending")]
    else:
        first += [Owe("ann", currency, 40, "debt")]
    for call in first:
        outcome, model = model.after(call)
        assert outcome.allows(perform(cast, call))  # type: ignore[arg-type]
    return cast, model


def client(cast: Cast, calls: list[Any]) -> Callable[[int], list[Event]]:
    return lambda number: [observed(number, call, partial(perform, cast)) for call in calls]


@pytest.mark.usefixtures("many_connections")
@examples(few=20, many=500)
@given(program=programs())
def test_some_serial_order_explains_what_clients_saw(program: tuple[str, int, list[list[HoldCall]]]) -> None:
    """W1, W2, W4, W5: two to six connections; whatever is over in the end comes back."""
    currency, funds, clients = program
    cast, start = opened(currency, funds)
    events = together([client(cast, calls) for calls in clients])
    explained(cast, start, events)
    events.append(observed(99, Expire(), partial(perform, cast)))  # type: ignore[arg-type]
    explained(cast, start, events)
    audits_are_clean(by_hand=False)


@pytest.mark.usefixtures("many_connections")
def test_a_hold_that_is_over_comes_back_once_whoever_gives_it_back() -> None:
    """W2, W3: two sweepers, two cancels and a confirm that is too late, round after round."""
    for number in range(rounds(few=10, many=200)):
        currency = CURRENCIES[number % len(CURRENCIES)]
        cast, model = opened(currency, 100)
        for subject in SUBJECTS:
            call = Try("ann", currency, "payout", subject, 30, due=True)
            outcome, model = model.after(call)
            assert outcome.allows(perform(cast, call))  # type: ignore[arg-type]
        late = [
            Confirm(currency, "payout", "a", 30),
            *(Cancel("ann", currency, "payout", s) for s in SUBJECTS[:2]),
        ]
        sweeps = [client(cast, [Expire()]) for _ in range(2)]
        events = together([*(client(cast, [call]) for call in late), *sweeps])
        perform(cast, Expire())  # type: ignore[arg-type]
        assert events[0].answer and events[0].answer.refused in ("hold_expired", "hold_canceled")
        assert perform(cast, ReadWallet("ann", currency)).value == (100, 100, 0, 0), number
        audits_are_clean(by_hand=False)


def test_control_money_that_comes_back_twice_is_found_out() -> None:
    """By the judge, though every answer is right: what is stored is not what any order leaves."""
    cast, model = opened("EUR", 100)
    tried = Try("ann", "EUR", "payout", "a", 60)
    outcome, model = model.after(tried)
    assert outcome.allows(perform(cast, tried))  # type: ignore[arg-type]
    cancel = Cancel("ann", "EUR", "payout", "a")
    event = observed(0, cancel, partial(perform, cast))  # type: ignore[arg-type]
    explained(cast, model, [event])
    perform(cast, Fund("ann", "EUR", "available", 60, "again"))  # type: ignore[arg-type]
    with pytest.raises(AssertionError, match="no serial order"):
        explained(cast, model, [event])


# ------------------------------------------------------------------ clients that die


def everyday() -> list[HoldCall]:
    """A release with its tranche, a payout in parts, a cancel before its try, and what is over."""
    return [
        Release("ann", "KWD", "r", 100, 1000, due=True),
        Try("ann", "KWD", "payout", "a", 60),
        Confirm("KWD", "payout", "a", 45),
        Cancel("ann", "KWD", "payout", "b"),
        Try("ann", "KWD", "payout", "b", 10),
        Try("ann", "KWD", "dispute", "c", 10, due=True),
        Expire(),
    ]


def crash(clients: Clients, calls: list[HoldCall], *, step: int, how: str, start: tuple[str, int]) -> bool:
    """Break a client at the step, let another do the same again, judge; False if it never came there."""
    cast, model = opened(*start)
    known: list[Call] = list(calls)  # type: ignore[arg-type]
    events, came_there = broken(clients, cast, known, step=step, how=how)
    explained(cast, model, [*events, *repeated(clients, cast, known)])
    audits_are_clean(by_hand=False)
    return came_there


@pytest.mark.processes
@pytest.mark.parametrize("how", ["kill", "raise"])
def test_a_break_at_every_step_of_the_everyday(clients: Clients, how: str) -> None:
    """F-A, W1 to W4: before, during and after every statement and every commit."""
    calls = everyday()
    stride = 1 if IS_CHAOS else 9 if how == "kill" else 19
    steps = every_step(
        lambda step: crash(clients, calls, step=step, how=how, start=("KWD", 150)), stride=stride
    )
    assert steps + stride > 5 * len(calls)


@pytest.mark.processes
@examples(few=8, many=200)
@given(program=programs(), step=st.integers(1, 80), how=st.sampled_from(["kill", "raise"]))
def test_a_break_anywhere_in_anything(
    clients: Clients, program: tuple[str, int, list[list[HoldCall]]], step: int, how: str
) -> None:
    """The programs of the races, one client after the other, broken at any step."""
    currency, funds, parts = program
    crash(clients, [call for part in parts for call in part], step=step, how=how, start=(currency, funds))
