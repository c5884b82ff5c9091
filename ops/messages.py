"""What the launcher says: progress lines, and refusals that name their cure."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TAIL_LINES = 20


class Stop(Exception):
    """The launcher can't go on. Says what is wrong, what to do about it, and shows the evidence."""

    def __init__(self, problem: str, *, cure: str = "", evidence: str = "", code: int = 1) -> None:
        super().__init__(problem)
        self.problem = problem
        self.cure = cure
        self.evidence = evidence
        self.code = code

    def __str__(self) -> str:
        parts = [self.problem]
        if self.evidence:
            parts.append("\n".join(f"    | {line}" for line in self.evidence.splitlines()))
        if self.cure:
            parts.append(f"Cure: {self.cure}")
        return "\n".join(parts)


class Interrupted(Exception):
    """The user asked the launcher to stop (Ctrl-C, SIGTERM) while a step was under way."""


class Progress:
    """Prints one line a step, with the time since the start and the time the step took."""

    def __init__(self) -> None:
        self.started = time.monotonic()

    @property
    def elapsed(self) -> float:
        """Seconds since the launcher started."""
        return time.monotonic() - self.started

    def say(self, text: str) -> None:
        """Print one line with the elapsed time in front."""
        print(f"[{self.elapsed:6.1f}s] {text}", flush=True)

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Announce a step, then print how long it took."""
        begun = time.monotonic()
        print(f"[{self.elapsed:6.1f}s] {text} ...", end="", flush=True)
        try:
            yield
        except BaseException:
            print(" failed", flush=True)
            raise
        print(f" {time.monotonic() - begun:.1f} s", flush=True)

    def tick(self, seconds: float) -> None:
        """Show within a step that it is still going on."""
        print(f" {seconds:.0f}s", end="", flush=True)


def tail_of(path: Path, *, since: int = 0, lines: int = TAIL_LINES) -> str:
    """The last lines of a log file, from the byte `since` on; empty when there is no such file."""
    try:
        with path.open("rb") as log:
            log.seek(0, 2)
            log.seek(max(since, log.tell() - 16_384))
            text = log.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.splitlines()[-lines:])


def complain(stop: Stop) -> None:
    """Print a refusal to standard error."""
    print(f"\n{stop}\n", file=sys.stderr, flush=True)
