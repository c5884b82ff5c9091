"""Test runs side by side: each has its own servers, so that none sees what another one writes."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ops.messages import Interrupted, Stop
from ops.process import end, spawn
from ops.session import Session
from ops.venv import VirtualEnvironment

__all__ = ["CLEAN_UP_SECONDS", "Lane", "run_lanes", "slug"]

CLEAN_UP_SECONDS = 60.0


def slug(name: str) -> str:
    """Return a lane's name as a part of a file's name."""
    return name.replace(" ", "-").lower()


@dataclass(frozen=True)
class Lane:
    """One run of pytest. `prepare` starts its servers and returns the environment for it."""

    name: str
    args: tuple[str, ...]
    prepare: Callable[[], dict[str, str]]


@dataclass
class _Running:
    lane: Lane
    child: subprocess.Popen[bytes]
    log: Path | None


def run_lanes(
    session: Session, *, venv: VirtualEnvironment, lanes: Sequence[Lane], at_once: int
) -> list[int]:
    """Run the lanes, `at_once` of them side by side, the first ones first; return their exit codes in order.

    The first lane has the terminal, so that a debugger can read the keyboard and Ctrl-C reaches it directly.
    What the others print is shown when they end. Raises Interrupted, and Stop when a run was killed.
    """
    waiting = deque(enumerate(lanes))
    running: dict[int, _Running] = {}
    codes: dict[int, int] = {}
    try:
        while waiting or running:
            while waiting and len(running) < at_once:
                number, lane = waiting.popleft()
                running[number] = _start(session, venv=venv, lane=lane, is_first=number == 0)
            for number, each in list(running.items()):
                if each.child.poll() is not None:
                    del running[number]
                    codes[number] = _ended(session, each)
            if session.signals.stopping:
                raise Interrupted
            session.supervisor.tend()
            session.signals.wait(0.5)
    finally:
        for each in running.values():
            own_group = each.log is not None
            end(
                each.child,
                grace=CLEAN_UP_SECONDS,
                signals=session.signals,
                number=signal.SIGINT,
                group=own_group,
            )
    return [codes[number] for number in range(len(lanes))]


def _start(session: Session, *, venv: VirtualEnvironment, lane: Lane, is_first: bool) -> _Running:
    env = lane.prepare()
    argv: list[str | Path] = [venv.python, "-m", "pytest", *lane.args]
    if is_first:
        child, log = spawn(argv, env=env, cwd=session.layout.root, new_session=False), None
    else:
        log = session.layout.log_dir / f"tests-{slug(lane.name)}.log"
        session.progress.say(f"the tests of {lane.name} run beside; what they print is shown at their end")
        with log.open("wb") as output:
            child = spawn(argv, env=env, cwd=session.layout.root, output=output)
    session.guardian.watch(pid=child.pid, stop_signal=signal.SIGINT, grace=5.0)
    return _Running(lane, child, log)


def _ended(session: Session, run: _Running) -> int:
    if run.log is not None:
        session.progress.say(f"the tests of {run.lane.name} have ended:")
        sys.stdout.flush()
        with run.log.open("rb") as printed:
            sys.stdout.write(printed.read().decode("utf-8", "replace"))
        sys.stdout.flush()
    if run.child.returncode < 0:
        raise Stop(f"pytest ({run.lane.name}) was killed by signal {-run.child.returncode}.")
    return run.child.returncode
