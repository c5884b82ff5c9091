"""The small words of the kernel: ids, time, failpoints, retries, transactions, states."""

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import OperationalError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from core import clock, failpoints, ids
from core.fsm import ConcurrentTransition, TransitionNotAllowed
from core.history import move
from core.models import DeadLetter
from core.retry import Retry, Strategy
from core.transactions import at_edge, forbids_transaction, requires_transaction

pytestmark = pytest.mark.database

DECISION: dict[str, Any] = {"reason": "x", "decided_by": "user:1"}


@given(st.uuids(), st.sampled_from(sorted(ids.PREFIXES)))
def test_public_ids_round_trip(key: UUID, prefix: str) -> None:
    shown = ids.public_id(prefix, key)
    assert ids.parse_public_id(shown, prefix) == key
    assert ids.is_reserved(shown)
    assert ids.parse_public_id(shown, "other") is None


@pytest.mark.parametrize("text", ["", "pay", "pay_", "pay_" + "z" * 26, "pay_" + "u" * 26, "PAY_" + "0" * 26])
def test_what_is_no_public_id(text: str) -> None:
    assert ids.parse_public_id(text, "pay") is None


def test_uuid7_is_in_order_of_time_and_says_its_version() -> None:
    keys = [ids.uuid7() for _ in range(200)]
    assert {key.version for key in keys} == {7}
    stamps = [key.int >> 80 for key in keys]
    assert stamps == sorted(stamps)
    assert len(set(keys)) == 200


def test_uuid7_is_in_order_of_creation_within_a_millisecond(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one request creates is told in that order by key; a clock that is put right is believed."""
    at = time.time_ns() + 500_000_000
    monkeypatch.setattr(ids.time, "time_ns", lambda: at)
    keys = [ids.uuid7() for _ in range(5000)]
    assert keys == sorted(keys) and len(set(keys)) == 5000
    assert {key.int >> 80 for key in keys} <= {at // 1_000_000, at // 1_000_000 + 1, at // 1_000_000 + 2}
    assert len({key.int & (2**62 - 1) for key in keys}) == 5000
    at -= 10_000_000
    assert ids.uuid7() > keys[-1]
    at -= 5_000_000_000
    assert ids.uuid7().int >> 80 == at // 1_000_000


def test_the_clock_moves_for_every_process(hooks: Path) -> None:
    before = clock.now()
    clock.move(seconds=3600)
    assert timedelta(minutes=59) < clock.now() - before < timedelta(minutes=61)
    said = subprocess.run(
        [sys.executable, "manage.py", "shell", "-v", "0", "-c", "from core import clock; print(clock.now())"],
        env=os.environ | {"HOOKS_DIR": str(hooks), "TEST_HOOKS": "True"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.strip()[:13] == str(clock.now())[:13]
    clock.reset()
    assert clock.now() - before < timedelta(minutes=5)


def test_the_clock_stands_without_hooks(settings: Any) -> None:
    settings.TEST_HOOKS = False
    with pytest.raises(RuntimeError):
        clock.move(seconds=1)


def test_failpoints_are_inert_unless_hooks_are_on(hooks: Path, settings: Any) -> None:
    failpoints.arm("here", "raise")
    settings.TEST_HOOKS = False
    failpoints.failpoint("here")
    settings.TEST_HOOKS = True
    with pytest.raises(failpoints.FailpointRaised):
        failpoints.failpoint("here")
    failpoints.failpoint("here")  # Armed once, fired once.
    assert failpoints.fired("here") == [os.getpid()]


def test_a_failpoint_kills_one_process(hooks: Path) -> None:
    failpoints.arm("there", "kill")
    script = "from core.failpoints import failpoint; failpoint('there'); print('alive')"
    command = [sys.executable, "manage.py", "shell", "-v", "0", "-c", script]
    env = os.environ | {"HOOKS_DIR": str(hooks), "TEST_HOOKS": "True"}
    ended = [subprocess.run(command, env=env, capture_output=True, check=False) for _ in range(2)]
    assert [each.returncode for each in ended] == [-signal.SIGKILL, 0]


@given(st.sampled_from(list(Strategy)), st.integers(1, 50), st.integers(0, 600))
def test_a_retry_waits_within_its_bounds(strategy: Strategy, attempts: int, retry_after: int) -> None:
    rule = Retry(strategy, base=1, cap=60, limit=20)
    pause = rule.pause(attempts, retry_after=retry_after)
    if strategy is Strategy.CANCEL or attempts >= 20:
        assert pause is None
    else:
        assert pause is not None
        assert timedelta(seconds=retry_after) <= pause <= timedelta(seconds=max(60, retry_after))


@pytest.mark.django_db(transaction=True)
class TestTransactions:
    """Three words: the edge opens one, services require one, network code forbids one."""

    def test_a_service_refuses_to_run_without(self) -> None:
        service = requires_transaction(lambda: 1)
        with pytest.raises(RuntimeError):
            service()
        assert at_edge(service)() == 1

    def test_network_code_refuses_to_run_within(self) -> None:
        network = forbids_transaction(lambda: 1)
        assert network() == 1
        with pytest.raises(RuntimeError), transaction.atomic():
            network()

    def test_the_edge_is_the_outermost(self) -> None:
        with pytest.raises(RuntimeError), transaction.atomic():
            at_edge(lambda: 1)()

    @pytest.mark.parametrize(("state", "runs"), [("40001", 3), ("40P01", 3), ("55P03", 1)])
    def test_only_a_rolled_back_transaction_is_run_again(self, state: str, runs: int) -> None:
        """F-E4, F-E5: deadlock and serialization failure, three times at most; nothing else."""
        count = 0

        def work() -> None:
            nonlocal count
            count += 1
            with connection.cursor() as cursor:
                cursor.execute(f"DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '{state}'; END $$")

        with pytest.raises(OperationalError):
            at_edge(work)()
        assert count == runs

    def test_a_real_deadlock_ends_well_for_both(self) -> None:
        """F-E4: two transactions in opposite order; the client of neither sees it."""
        first, second = (_letter(name) for name in ("a", "b"))
        barrier, met = threading.Barrier(2, timeout=10), []

        def lock(one: UUID, other: UUID) -> None:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM core_deadletter WHERE id = %s FOR UPDATE", [one])
                if len(met) < 2:
                    met.append(1)
                    barrier.wait()
                cursor.execute("SELECT 1 FROM core_deadletter WHERE id = %s FOR UPDATE", [other])

        failures: list[BaseException] = []

        def client(one: UUID, other: UUID) -> None:
            try:
                at_edge(lock)(one, other)
            except BaseException as error:
                failures.append(error)
            finally:
                connection.close()

        pairs = [(first.pk, second.pk), (second.pk, first.pk)]
        threads = [threading.Thread(target=client, args=pair) for pair in pairs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []


@pytest.mark.django_db(transaction=True)
class TestStates:
    """A state changes by a transition, on the row as it is, once."""

    def test_assigning_is_refused(self) -> None:
        row = _letter("a")
        with pytest.raises(AttributeError):
            row.status = "DROPPED"

    def test_refreshing_a_protected_row_keeps_the_protection(self) -> None:
        row = _letter("a")
        _drop(DeadLetter.objects.get(pk=row.pk))
        row.refresh_from_db()
        assert row.status == "DROPPED"
        with pytest.raises(AttributeError):
            row.status = "OPEN"
        with pytest.raises(TransitionNotAllowed):
            row.to_replayed(**DECISION, decided_at=clock.now())

    def test_a_stale_row_is_refused(self) -> None:
        """F-E17: two copies, one change."""
        one, other = (DeadLetter.objects.get(pk=key) for key in [_letter("a").pk] * 2)
        _drop(one)
        with pytest.raises(ConcurrentTransition):
            _drop(other)


def _letter(subject: str) -> DeadLetter:
    return DeadLetter.objects.create(
        queue="q", subject=subject, error="boom", attempts=1, died_at=clock.now()
    )


@at_edge
def _drop(row: DeadLetter) -> None:
    move(row, row.to_dropped, why="x", by="user:1", **DECISION, decided_at=clock.now())
