"""F-F4: a worker is killed (SIGKILL) at every place of a batch's way; resumed, each row is paid once."""

import random
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.failpoints import arm, disarm, fired
from core.ids import public_id
from payouts.models import Payout, PayoutBatch
from payouts.providers import contract
from tests.payouts.conftest import Payer
from tests.payouts.killed import FolderBank, Worker, lease_ends, worker_env
from tests.stateful.effort import rounds

ROUNDS = rounds(few=10, many=200)
pytestmark = [pytest.mark.chaos, pytest.mark.django_db(transaction=True), pytest.mark.processes]
PLACES = (
    "payouts.collected",
    "payout_batches.claimed",
    "payouts.row.2",
    "payouts.before_intent",
    "payouts.after_intent",
    "payouts.after_effect",
    "payouts.outcome_row.3",
    "payouts.before_commit",
    "payouts.after_commit",
)


@pytest.fixture
def bank(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, payer: Payer) -> FolderBank:
    """A bank that other processes pay to as well."""
    folder = tmp_path / "bank"
    folder.mkdir()
    bank = FolderBank(folder)
    monkeypatch.setitem(contract._PROVIDERS, bank.name, bank)
    return bank


@pytest.fixture
def worker(hooks: Path, bank: FolderBank) -> Iterator[Worker]:
    """A worker that may be killed again and again."""
    worker = Worker(worker_env(hooks), f"--folder={bank.folder}")
    yield worker
    worker.end()


def test_killed_anywhere_each_is_paid_once(payer: Payer, bank: FolderBank, worker: Worker) -> None:
    """F-F4, F-F5, I27: killed at each place in turn, and at two places drawn at random in every round."""
    payer.trust()
    dice = random.Random(4)
    ways: list[tuple[str, ...]] = [(place,) for place in PLACES]
    ways += [tuple(dice.sample(PLACES, 2)) for _ in range(max(1, ROUNDS - len(PLACES)))]
    for way in ways:
        wanted = [payer.ask(100 + number) for number in range(7)]
        for place in way:
            arm(place, "kill")
            ended = worker.run()
            # What died at the second place first may have nothing left to do at the first one.
            assert ended == -signal.SIGKILL if len(way) == 1 else ended in (0, -signal.SIGKILL), place
            assert len(fired(place)) == (ended != 0)
            lease_ends()
        for _ in range(3):
            assert worker.run() == 0
            lease_ends()
        disarm()
        assert {payer.look(each).status for each in wanted} == {"PAID"}, way
    paid = bank.paid()
    assert set(paid.values()) == {1}
    assert set(paid) == {public_id("po", key) for key in Payout.objects.values_list("pk", flat=True)}


def test_the_control_that_sends_again_under_another_name(
    payer: Payer, bank: FolderBank, worker: Worker, hooks: Any
) -> None:
    """The same death, resumed by putting the payout into a new batch: it is paid twice."""
    payer.trust()
    payout = payer.ask()
    arm("payouts.after_effect", "kill")
    assert worker.run() == -signal.SIGKILL
    batch = PayoutBatch.objects.get()
    [attempt] = batch.sendings.all()
    from channels.selectors import get_channel
    from payouts.engine.instruction import order_of
    from payouts.references import attempt_reference

    attempt.reference, batch.reference = attempt_reference(payout.id, 2), "another"
    bank.submit(get_channel(channel_id=batch.channel_id), order_of(batch, [attempt]))
    assert bank.paid() == {payout.public_id: 2}
    lease_ends()
    assert worker.run() == 0
