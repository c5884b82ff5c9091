"""The breaker: opens on a rate, probes with one call, closes on a good answer (F-A12)."""

import pytest

from channels.breaker import Breaker


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(failures=3, window=10.0, rest=5.0, clock=clock)


def test_it_opens_after_enough_failures(breaker: Breaker) -> None:
    for ok in (True, False, False):
        breaker.record(ok)
    assert not breaker.is_open and breaker.admit() is None
    breaker.record(False)
    assert breaker.is_open
    assert breaker.admit() == 5.0


def test_failures_among_many_good_calls_do_not_open_it(breaker: Breaker) -> None:
    for ok in [True] * 10 + [False] * 5:
        breaker.record(ok)
    assert not breaker.is_open


def test_failures_that_are_long_past_do_not_count(breaker: Breaker, clock: Clock) -> None:
    breaker.record(False)
    breaker.record(False)
    clock.now += 10.0
    breaker.record(False)
    assert not breaker.is_open


def test_after_the_rest_one_call_goes_out(breaker: Breaker, clock: Clock) -> None:
    for _ in range(3):
        breaker.record(False)
    clock.now += 5.0
    assert not breaker.is_open
    assert breaker.admit() is None
    assert breaker.admit() == 5.0, "one probe at a time"


def test_a_good_probe_closes_it(breaker: Breaker, clock: Clock) -> None:
    for _ in range(3):
        breaker.record(False)
    clock.now += 5.0
    assert breaker.admit() is None
    breaker.record(True)
    assert not breaker.is_open
    breaker.record(False)
    assert not breaker.is_open, "the past is forgotten"


def test_a_bad_probe_starts_the_rest_again(breaker: Breaker, clock: Clock) -> None:
    for _ in range(3):
        breaker.record(False)
    clock.now += 5.0
    assert breaker.admit() is None
    breaker.record(False)
    clock.now += 4.0
    assert breaker.admit() == 1.0


def test_a_probe_that_says_nothing_lets_the_next_one_try(breaker: Breaker, clock: Clock) -> None:
    for _ in range(3):
        breaker.record(False)
    clock.now += 5.0
    assert breaker.admit() is None
    breaker.record(None)
    assert breaker.admit() is None


def test_a_probe_that_never_ends_does_not_shut_the_line_for_ever(breaker: Breaker, clock: Clock) -> None:
    for _ in range(3):
        breaker.record(False)
    clock.now += 5.0
    assert breaker.admit() is None
    clock.now += 5.0
    assert breaker.admit() is None
