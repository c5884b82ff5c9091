"""The process that cleans up when the launcher is killed without warning.

The kernel signals each child when the launcher dies, but a child may hang in its own shutdown, and its
children get no signal at all. The guardian reads from the launcher the processes it has started, and when
that pipe closes it waits for them to leave and kills what is left. It also holds the launcher's lock
until then, so that the next start waits for a clean field. Nothing stops it but the end of the pipe.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from ops.procfs import LAUNCH_MARK, PROC, Process, marked, process

KILL_ROUNDS = 50


class Guardian:
    """The launcher's end: start the guardian, tell it of each child, let it go."""

    def __init__(self, *, launch_id: str, lock_handle: int, cwd: Path) -> None:
        env = {name: value for name, value in os.environ.items() if name != LAUNCH_MARK}
        self._child = subprocess.Popen(
            [sys.executable, "-m", "ops.guardian", launch_id],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=cwd,
            env=env,
            start_new_session=True,
            pass_fds=(lock_handle,),
        )

    @property
    def pid(self) -> int:
        """The guardian's own process number."""
        return self._child.pid

    def watch(self, *, pid: int, stop_signal: int, grace: float) -> None:
        """Have this process ended, after `grace` seconds by force, when the launcher dies."""
        each = process(pid)
        line = json.dumps([each.pid, each.started, int(stop_signal), grace]) + "\n"
        assert self._child.stdin is not None
        try:
            self._child.stdin.write(line.encode())
            self._child.stdin.flush()
        except BrokenPipeError:
            # Somebody killed the guardian. The kernel's parent-death signal still holds.
            return

    def release(self) -> None:
        """Close the pipe and wait for the guardian's last look round."""
        assert self._child.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it was killed: nothing left to tell
            self._child.stdin.close()
        self._child.wait()


def clean_up(*, launch_id: str, watched: list[tuple[Process, int, float]]) -> None:
    """End the watched processes and everything that carries the launch id; returns when all are gone."""
    begun = time.monotonic()
    if not PROC.is_dir():  # no parent-death signal on this system either
        for each, stop_signal, _ in reversed(watched):
            _send(each, stop_signal)
    while time.monotonic() - begun < max([grace for _, _, grace in watched], default=0.0):
        waited = time.monotonic() - begun
        for each, _, grace in watched:
            if waited >= grace:
                _kill_group(each)
        if not any(each.alive() for each, _, _ in watched):
            break
        time.sleep(0.1)
    for each, _, _ in watched:
        _kill_group(each)
    for _ in range(KILL_ROUNDS):
        left = marked(launch_id)
        if not left:
            return
        for each in left:
            _send(each, signal.SIGKILL)
        time.sleep(0.1)


def _kill_group(each: Process) -> None:
    """Kill a watched process and its group, unless the number belongs to somebody else by now."""
    if each.alive():
        try:
            os.killpg(each.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            _send(each, signal.SIGKILL)


def _send(each: Process, number: int) -> None:
    if each.alive():
        try:
            os.kill(each.pid, number)
        except (ProcessLookupError, PermissionError):
            return


def main() -> None:
    """Read the launcher's list until it closes, then clean up."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    watched: list[tuple[Process, int, float]] = []
    for line in sys.stdin:
        pid, started, stop_signal, grace = json.loads(line)
        watched.append((Process(pid=pid, started=started), stop_signal, grace))
    clean_up(launch_id=sys.argv[1], watched=watched)


if __name__ == "__main__":
    main()
