"""A worker of pay-out that is killed: one process that forks a child for each run, so that a death is cheap.

The provider is a folder: a batch arrives whole, as a file under its reference, or not at all. What lies there
is what was paid.
"""

import json
import os
import subprocess
import sys
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import django
from django.conf import settings
from django.db import connection

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()

from core.drain import get_drain
from payouts.engine import collecting
from payouts.models import PayoutBatch
from payouts.providers import contract
from payouts.providers.contract import BatchKind, BatchOrder, BatchOutcome, Message, News, NewsKind

__all__ = ["FolderBank", "Worker", "lease_ends", "worker_env"]

ROOT = Path(__file__).resolve().parents[2]


class FolderBank:
    """Takes each batch once."""

    name, rail, max_batch, proves_absence = "paper", "paper", 5, True
    kinds = frozenset(["iban"])
    currencies: frozenset[str] | None = None

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def message(self, channel: Any, order: BatchOrder) -> Message:
        """The references, line by line."""
        lines = "\n".join(f"{each.reference} {each.amount_minor}" for each in order.instructions)
        return Message(f"{order.reference}.txt", f"{order.created_at}\n{lines}".encode())

    def submit(self, channel: Any, order: BatchOrder) -> BatchOutcome:
        """Put the batch there, unless it is there."""
        place = self.folder / f"{order.reference}.json"
        content = {each.reference: each.payout_id for each in order.instructions}
        partial = place.with_suffix(f".{os.getpid()}")
        partial.write_text(json.dumps(content))
        try:
            os.link(partial, place)
        except FileExistsError:
            assert json.loads(place.read_text()) == content, "another batch under the same reference"
        partial.unlink()
        return self.ask(channel, order)

    def ask(self, channel: Any, order: BatchOrder) -> BatchOutcome:
        """Say what is there of it."""
        place = self.folder / f"{order.reference}.json"
        if not place.exists():
            return BatchOutcome(BatchKind.ABSENT)
        news = [News(reference, NewsKind.PAID) for reference in json.loads(place.read_text())]
        return BatchOutcome(BatchKind.TAKEN, tuple(news))

    def read(self, channel: Any, payload: Mapping[str, Any]) -> tuple[News, ...]:
        """It calls nobody."""
        return ()

    def paid(self) -> Counter[str]:
        """How often each payout was really paid."""
        return Counter(
            payout
            for place in self.folder.glob("*.json")
            for payout in json.loads(place.read_text()).values()
        )


class Worker:
    """The process that forks, seen from the test. `options` are the command line's, see `_main`."""

    def __init__(self, env: Mapping[str, str], *options: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.payouts.killed", *options],
            cwd=ROOT,
            env=dict(env),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(self) -> int:
        """Let a child work; return its process id."""
        assert self.process.stdin is not None
        self.process.stdin.write("run\n")
        self.process.stdin.flush()
        return self._told()

    def wait(self) -> int:
        """Wait until nothing is due for the child; return how it ended: minus the signal that killed it."""
        return self._told()

    def run(self) -> int:
        """Let a child work until nothing is due; return how it ended."""
        self.start()
        return self.wait()

    def end(self) -> None:
        """Stop it."""
        self.process.communicate(timeout=20)

    def _told(self) -> int:
        assert self.process.stdout is not None
        return int(self.process.stdout.readline())


def worker_env(hooks: Path) -> dict[str, str]:
    """The environment of a worker beside this test: its database, its hooks, no wait for a dead lease."""
    url = urlsplit(settings.DATABASE_URL)
    return {
        **os.environ,
        "DATABASE_URL": urlunsplit(url._replace(path=f"/{connection.settings_dict['NAME']}")),
        "TEST_HOOKS": "True",
        "HOOKS_DIR": str(hooks),
        "OPERATION_LEASE_SECONDS": "0",
    }


def lease_ends() -> None:
    """Nobody waits for a dead worker's lease."""
    PayoutBatch.objects.update(leased_until=None)
    PayoutBatch.objects.filter(due_at__isnull=False).update(due_at="2020-01-01T00:00:00Z")


class _Careless:
    """The control: a provider's adapter that gives everything a new reference for each try."""

    def __init__(self, right: Any) -> None:
        self._right = right

    def __getattr__(self, name: str) -> Any:
        return getattr(self._right, name)

    def submit(self, channel: Any, order: BatchOrder) -> BatchOutcome:
        return self._again(self._right.submit, channel, order)

    def ask(self, channel: Any, order: BatchOrder) -> BatchOutcome:
        return self._again(self._right.ask, channel, order)

    def _again(self, call: Any, channel: Any, order: BatchOrder) -> BatchOutcome:
        mark = f"x{os.getpid()}"
        items = [replace(each, reference=each.reference + mark) for each in order.instructions]
        outcome: BatchOutcome = call(
            channel, replace(order, reference=order.reference[:-7] + mark, instructions=items)
        )
        news = [replace(each, reference=each.reference.removesuffix(mark)) for each in outcome.news]
        return replace(outcome, news=tuple(news))


def _main() -> None:
    options = ArgumentParser()
    options.add_argument("--folder", type=Path, help="of a bank that is a folder")
    options.add_argument("--most", type=int, help="so many payouts in a batch")
    options.add_argument("--careless", help="the provider that is called under new references")
    given = options.parse_args()
    if given.folder:
        contract._PROVIDERS["paper"] = FolderBank(given.folder)
    if given.careless:
        contract._PROVIDERS[given.careless] = _Careless(contract._PROVIDERS[given.careless])  # type: ignore[assignment]
    if given.most:
        collecting.MOST = given.most
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            _work()
        print(child, flush=True)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _work() -> None:
    try:
        for name in ("payouts", "payout_batches"):
            get_drain(name).run()
    except BaseException:
        os._exit(1)
    os._exit(0)


if __name__ == "__main__":
    _main()
