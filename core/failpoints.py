"""Named places where a test may kill, stop, delay or break a running process.

Inert unless TEST_HOOKS is on. Arming writes files into the hooks folder; a process that reaches the
failpoint claims one file by deleting it, so that a failpoint armed once fires once, in one process.
"""

import json
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

from django.db import connection

from core.hooks import hooks_dir

__all__ = ["FailpointRaised", "arm", "disarm", "failpoint", "fired"]


class FailpointRaised(Exception):
    """Raised by the action `raise`; nothing in the product catches it by name."""


def failpoint(name: str) -> None:
    """Do what a test armed for this place; nothing otherwise."""
    folder = hooks_dir()
    if folder is not None:
        _fire(folder, name)


def _fire(folder: Path, name: str) -> None:
    for armed in sorted(folder.glob(f"fp@{name}@*")):
        try:
            action = json.loads(armed.read_text())
            armed.unlink()
        except FileNotFoundError:
            continue  # Another process claimed it first.
        (folder / f"fired@{name}@{os.getpid()}@{time.monotonic_ns()}").touch()
        _ACTIONS[action["do"]](action)
        return


def _raise(action: dict[str, str]) -> None:
    raise FailpointRaised(action.get("why", "armed"))


def _cut_database(_: dict[str, str]) -> None:
    if connection.connection is not None:
        connection.connection.close()


_ACTIONS: dict[str, Callable[[dict[str, str]], None]] = {
    "kill": lambda _: os.kill(os.getpid(), signal.SIGKILL),
    # To this thread: a signal to the process may first wake another thread, and this one would run on.
    "stop": lambda _: signal.pthread_kill(threading.get_ident(), signal.SIGSTOP),
    "delay": lambda action: time.sleep(int(action["milliseconds"]) / 1000),
    "raise": _raise,
    "cut": _cut_database,
}


def arm(name: str, do: str, *, times: int = 1, **options: str) -> None:
    """Make the failpoint act `times` times: do is kill, stop, delay (milliseconds=…), raise or cut."""
    folder = hooks_dir()
    if folder is None or do not in _ACTIONS:
        raise RuntimeError(f"cannot arm {name}: hooks are off or {do} is no action")
    for index in range(times):
        partial = folder / f"new@{name}@{index:04d}"
        partial.write_text(json.dumps({"do": do, **options}))
        partial.replace(folder / f"fp@{name}@{index:04d}")


def fired(name: str) -> list[int]:
    """Return the process ids that passed the armed failpoint, in order."""
    folder = hooks_dir()
    marks = [] if folder is None else [path.name.split("@") for path in folder.glob(f"fired@{name}@*")]
    return [int(pid) for _, _, pid, _ in sorted(marks, key=lambda parts: int(parts[3]))]


def disarm() -> None:
    """Remove every armed failpoint and every mark of a fired one."""
    folder = hooks_dir()
    if folder is not None:
        for pattern in ("fp@*", "fired@*", "new@*"):
            for path in folder.glob(pattern):
                path.unlink(missing_ok=True)
