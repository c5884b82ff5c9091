"""Clients that die, or lose their session, anywhere; they come again with the same keys.

Whatever was in flight happened whole or not at all; whatever was answered is there; nothing is there twice.
"""

import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.conf import settings
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from core.failpoints import arm, disarm, fired
from tests.stateful.calls import Advance, Answer, Call, Entry, Line, Post, perform
from tests.stateful.cast import Account, Cast, plain
from tests.stateful.effort import IS_CHAOS, examples
from tests.stateful.evidence import audits_are_clean
from tests.stateful.history import Event, observed
from tests.stateful.judge import judge
from tests.stateful.model import Model
from tests.stateful.test_concurrent import opened, programs, together
from tests.stateful.written import read, written

pytestmark = [pytest.mark.chaos, pytest.mark.processes, pytest.mark.django_db(transaction=True)]
ROOT = Path(__file__).resolve().parents[2]


# When a call began and ended, by a clock that all processes share, and the answer.
Told = tuple[float, float, Answer | None]


class Clients:
    """Starts clients, one after the other, and reads what they were answered."""

    def __init__(self, hooks: Path) -> None:
        self._folder, self._numbers = hooks, count()
        url = urlsplit(settings.DATABASE_URL)
        database = urlunsplit(url._replace(path=f"/{connection.settings_dict['NAME']}"))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.stateful.client_process"],
            cwd=ROOT,
            env={**os.environ, "DATABASE_URL": database, "TEST_HOOKS": "True", "HOOKS_DIR": str(hooks)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )

    def await_ready(self) -> None:
        """Wait until it has imported everything."""
        assert self._say() == "ready"

    def run(self, cast: Cast, calls: list[Call], *, in_halves: bool = False) -> tuple[int, list[Told]]:
        """Let a client do the calls; how it ended, and what it told: begin, end and answer of each.

        A call that was cut off has no answer, and is told again with the next try.
        """
        program = self._folder / f"program-{next(self._numbers)}"
        program.write_text(written((cast, calls, in_halves)))
        assert self._process.stdin
        self._process.stdin.write(f"{program}\n")
        code = int(self._say())
        told = program.with_suffix(".answers").read_text().splitlines()
        return code, [tuple(read(line)) for line in told]

    def _say(self) -> str:
        assert self._process.stdout
        line = self._process.stdout.readline().strip()
        assert line, "the process that starts the clients has ended"
        return line

    def stop(self) -> None:
        """End it."""
        self._process.communicate(timeout=20)


@pytest.fixture
def clients(hooks: Path) -> Iterator[Clients]:
    started = Clients(hooks)
    try:
        started.await_ready()
        yield started
        audits_are_clean(everything=True)
    finally:
        started.stop()


def events_of(calls: list[Call], told: list[Told], *, client: int, since: float) -> list[Event]:
    """What a client did, in order; a call that was cut off, or never answered, may have happened."""
    events, todo = [], iter(calls)
    call = next(todo, None)
    for began, ended, answer in told:
        assert call is not None
        since = ended
        events.append(Event(client, call, answer, began, math.inf if answer is None else ended))
        if answer is not None:
            call = next(todo, None)
    if call is not None:
        events.append(Event(client, call, None, since))
    return events


def crash(
    clients: Clients,
    cast: Cast,
    start: Model,
    calls: list[Call],
    *,
    step: int,
    how: str,
    in_halves: bool = False,
) -> bool:
    """Break a client at the step, let another do the same again, judge; False if it never came there."""
    events, came_there = broken(clients, cast, calls, step=step, how=how, in_halves=in_halves)
    events += repeated(clients, cast, calls, in_halves=in_halves)
    judge(cast, start, events)
    return came_there


def broken(
    clients: Clients, cast: Cast, calls: list[Call], *, step: int, how: str, in_halves: bool = False
) -> tuple[list[Event], bool]:
    """Break a client at the step: what it did, and whether it came there."""
    arm(f"step.{step}", how)
    since = time.monotonic()
    code, told = clients.run(cast, calls, in_halves=in_halves)
    came_there = bool(fired(f"step.{step}"))
    disarm()
    assert code == (-signal.SIGKILL if came_there and how == "kill" else 0)
    return events_of(calls, told, client=0, since=since), came_there


def repeated(clients: Clients, cast: Cast, calls: list[Call], *, in_halves: bool = False) -> list[Event]:
    """Let another client do the same calls, to the end."""
    since = time.monotonic()
    code, told = clients.run(cast, calls, in_halves=in_halves)
    assert (code, len(told)) == (0, len(calls))
    return events_of(calls, told, client=0, since=since)


def everyday() -> list[Call]:
    """A sale with its release, a withdrawal, one too many, checkpoints, an old entry beside a new one."""
    clearing, commission = plain("psp_clearing", "KWD"), plain("commission", "KWD")
    pending, available, held = (
        Account("ann", role, "KWD") for role in ("seller_pending", "seller_available", "seller_payout_hold")
    )
    sale = Entry("sale", (Line(clearing, 100), Line(pending, -90), Line(commission, -10)))
    release = Entry("release", (Line(pending, 90), Line(available, -90)))
    payout = Entry("payout", (Line(available, 60), Line(held, -60)))
    too_much = Entry("too-much", (Line(available, 60), Line(held, -60)))
    fee = Entry("fee", (Line(commission, 1), Line(clearing, -1)))
    return [
        Post((sale, release)),
        Post((payout,)),
        Post((too_much,)),
        Advance(),
        Post((sale, fee)),
    ]


def every_step(try_step: Callable[[int], bool], *, stride: int = 1) -> int:
    """Try the steps from the first until one lies behind the end; how many there are, to the stride."""
    return next(step for step in count(1, stride) if not try_step(step)) - 1


@pytest.mark.parametrize(
    ("how", "stride"),
    [
        pytest.param("kill", 1, id="kill -9"),
        # Each break takes longer than a kill, so a short run leaves some out.
        pytest.param("raise", 1 if IS_CHAOS else 4, id="pg_terminate_backend"),
    ],
)
def test_a_break_at_every_step_of_the_everyday(clients: Clients, how: str, stride: int) -> None:
    """F-A: before, during and after every statement and every commit."""
    calls = everyday()
    steps = every_step(
        lambda step: crash(clients, *opened("KWD", 0, owners=("ann",)), calls, step=step, how=how),
        stride=stride,
    )
    # At least BEGIN, statement and COMMIT of each call, each sent and answered.
    assert steps + stride > 5 * len(calls)


def test_control_a_batch_in_two_transactions_is_found_out(clients: Clients) -> None:
    """The same breaks with a client that commits its batch by halves: some of them leave half of it."""
    calls, found_out = everyday()[:1], []

    def try_step(step: int) -> bool:
        try:
            return crash(
                clients, *opened("KWD", 0, owners=("ann",)), calls, step=step, how="kill", in_halves=True
            )
        except AssertionError as error:
            assert "no serial order explains" in str(error)
            found_out.append(step)
            return True

    steps = every_step(try_step)
    assert 0 < len(found_out) < steps


@examples(few=8, many=200)
@given(program=programs(), step=st.integers(1, 60), how=st.sampled_from(["kill", "raise"]))
def test_a_break_anywhere_in_anything(
    clients: Clients, program: tuple[str, int, list[list[Call]]], step: int, how: str
) -> None:
    """The programs of the races, one client after the other, broken at any step."""
    currency, funds, parts = program
    crash(clients, *opened(currency, funds), [call for part in parts for call in part], step=step, how=how)


@pytest.mark.usefixtures("many_connections")
@examples(few=5, many=200)
@given(program=programs(), step=st.integers(1, 30), how=st.sampled_from(["kill", "raise"]))
def test_a_break_while_others_work(
    clients: Clients, program: tuple[str, int, list[list[Call]]], step: int, how: str
) -> None:
    """One of the clients of a race is a process, and breaks; the others wait for nothing that is dead."""
    currency, funds, (mine, *others) = program
    cast, start = opened(currency, funds)

    def worker(calls: list[Call]) -> Callable[[int], list[Event]]:
        return lambda number: [observed(number, call, partial(perform, cast)) for call in calls]

    events = together(
        [lambda _: broken(clients, cast, mine, step=step, how=how)[0], *(worker(calls) for calls in others)]
    )
    judge(cast, start, events + repeated(clients, cast, mine))
