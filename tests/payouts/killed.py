"""A worker of pay-out that is killed: one process that forks a child for each run, so that a death is cheap.

The provider is a folder: a batch arrives whole, as a file under its reference, or not at all. What lies there
is what was paid.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from payouts.providers.contract import BatchKind, BatchOrder, BatchOutcome, Message, News, NewsKind

__all__ = ["FolderBank", "Worker"]

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
    """The process that forks, seen from the test."""

    def __init__(self, env: Mapping[str, str], folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.payouts.killed", str(folder)],
            cwd=ROOT,
            env=dict(env),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self) -> int:
        """Let a child work until nothing is due; return how it ended: minus the signal that killed it."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write("run\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def end(self) -> None:
        """Stop it."""
        self.process.communicate(timeout=20)


def _main(folder: Path) -> None:
    import django

    django.setup()
    from payouts.providers import contract

    contract._PROVIDERS["paper"] = FolderBank(folder)
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            _work()
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _work() -> None:
    from core.drain import get_drain

    try:
        for name in ("payouts", "payout_batches"):
            get_drain(name).run()
    except BaseException:
        os._exit(1)
    os._exit(0)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    _main(Path(sys.argv[1]))
