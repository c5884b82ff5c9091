"""Keeps the processes of a run alive, and ends them in order."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ops.guardian import Guardian
from ops.messages import Interrupted, Progress, Stop, tail_of
from ops.process import Identity, end, spawn
from ops.signals import Signals

QUICK_DEATH_SECONDS = 10.0
QUICK_DEATHS_ALLOWED = 5
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 15.0
LOG_TURNS_AT = 20_000_000


@dataclass(frozen=True)
class ChildSpec:
    """How to run one process.

    `ready` is given the process number and answers whether it can be used; it is asked again and again
    and must return quickly.
    `start_patience`: seconds during which a process that dies before it is ready is tried again (a
    server may find the lock file of a predecessor that was killed).
    `stop_signal` asks it to end, `death_signal` is what the kernel sends when the launcher is killed.
    """

    name: str
    argv: Sequence[str | Path]
    env: Mapping[str, str]
    cwd: Path
    ready: Callable[[int], bool] | None = None
    ready_seconds: float = 60.0
    start_patience: float = 0.0
    stop_signal: int = signal.SIGTERM
    stop_seconds: float = 10.0
    death_signal: int = signal.SIGTERM
    identity: Identity | None = None


class Child:
    """One supervised process and its history of deaths."""

    def __init__(self, *, spec: ChildSpec, log: Path) -> None:
        self.spec = spec
        self.log = log
        self.process: subprocess.Popen[bytes] | None = None
        self.started_at = 0.0
        self.log_offset = 0
        self.quick_deaths = 0
        self.restart_at: float | None = None

    def spawn(self, *, guardian: Guardian | None) -> None:
        """Start the process, its output appended to the log."""
        if self.log.exists() and self.log.stat().st_size > LOG_TURNS_AT:
            self.log.replace(self.log.with_name(self.log.name + ".1"))
        with self.log.open("ab") as output:
            self.log_offset = output.tell()
            self.process = spawn(
                self.spec.argv,
                env=self.spec.env,
                cwd=self.spec.cwd,
                output=output,
                death_signal=self.spec.death_signal,
                identity=self.spec.identity,
            )
        self.started_at = time.monotonic()
        self.restart_at = None
        if guardian:
            guardian.watch(
                pid=self.process.pid, stop_signal=self.spec.stop_signal, grace=self.spec.stop_seconds
            )

    @property
    def pid(self) -> int:
        """Process number, 0 while none runs."""
        return self.process.pid if self.process else 0

    def running(self) -> bool:
        """Whether the process is there."""
        return self.process is not None and self.process.poll() is None

    def tail(self) -> str:
        """What it said since it was last started."""
        return tail_of(self.log, since=self.log_offset)


class Supervisor:
    """Starts children in the given order, restarts those that die, stops all in reverse order."""

    def __init__(
        self,
        *,
        log_dir: Path,
        signals: Signals,
        progress: Progress,
        guardian: Guardian | None = None,
        first_pause: float = FIRST_PAUSE,
    ) -> None:
        self.first_pause = first_pause
        self.log_dir = log_dir
        self.signals = signals
        self.progress = progress
        self.guardian = guardian
        self.children: list[Child] = []

    def launch(self, spec: ChildSpec) -> Child:
        """Start a child without waiting for it to be ready."""
        child = Child(spec=spec, log=self.log_dir / f"{spec.name}.log")
        self.children.append(child)
        child.spawn(guardian=self.guardian)
        return child

    def start(self, spec: ChildSpec) -> Child:
        """Start a child and wait until it is ready. Raises Stop with its log when it does not get there."""
        child = self.launch(spec)
        self.await_ready(child)
        return child

    def await_ready(self, child: Child) -> None:
        """Wait until the child is ready, looking after the others meanwhile."""
        spec = child.spec
        begun = time.monotonic()
        while spec.ready is not None:
            if self.signals.stopping:
                raise Interrupted
            if child.running() and spec.ready(child.pid):
                return
            waited = time.monotonic() - begun
            if not child.running() and waited > spec.start_patience:
                raise Stop(
                    f"{spec.name} ended before it was ready.",
                    evidence=child.tail(),
                    cure=f"read {child.log}.",
                )
            if waited > spec.ready_seconds:
                raise Stop(
                    f"{spec.name} is not ready after {spec.ready_seconds:.0f} s.",
                    evidence=child.tail(),
                    cure=f"read {child.log}.",
                )
            if not child.running():
                self.signals.wait(0.5)
                child.spawn(guardian=self.guardian)
            self.tend(leave_out=child)
            self.signals.wait(0.05)

    def watch(self) -> None:
        """Look after the children until a stop is requested."""
        while not self.signals.stopping:
            self.tend()
            self.signals.wait(0.5)

    def tend(self, *, leave_out: Child | None = None) -> None:
        """Restart what has died, with growing pauses. Raises Stop when one keeps dying at once."""
        for child in self.children:
            if child is leave_out or child.running():
                continue
            if child.restart_at is None:
                self._note_death(child)
            elif time.monotonic() >= child.restart_at:
                child.spawn(guardian=self.guardian)

    def stop_all(self) -> dict[str, int]:
        """End every child, the last started first; a second Ctrl-C kills. Returns the exit codes."""
        codes: dict[str, int] = {}
        asked = self.signals.stop_requests
        for child in reversed(self.children):
            if child.process is None:
                continue
            grace = child.spec.stop_seconds if self.signals.stop_requests <= asked else 0.0
            end(child.process, grace=grace, signals=self.signals, number=child.spec.stop_signal)
            codes[child.spec.name] = child.process.wait()
        self.children.clear()
        return codes

    def _note_death(self, child: Child) -> None:
        assert child.process is not None
        code = child.process.returncode
        # What it left behind would hold its port or work on unseen.
        end(child.process, grace=0.0, signals=self.signals)
        quick = time.monotonic() - child.started_at < QUICK_DEATH_SECONDS
        child.quick_deaths = child.quick_deaths + 1 if quick else 0
        if child.quick_deaths >= QUICK_DEATHS_ALLOWED:
            raise Stop(
                f"{child.spec.name} died {child.quick_deaths} times in a row (last exit code {code}).",
                evidence=child.tail(),
                cure=f"read {child.log}.",
            )
        pause = min(self.first_pause * 2**child.quick_deaths, LONGEST_PAUSE) if quick else 0.0
        child.restart_at = time.monotonic() + pause
        self.progress.say(
            f"{child.spec.name} died (exit code {code}); started again in {pause:.1f} s, log: {child.log}"
        )
