"""Starting one process so that it can't outlive the launcher."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ops.messages import Interrupted, Progress
from ops.signals import Signals

PR_SET_PDEATHSIG = 1
TICK_SECONDS = 5.0
# Loaded before any fork: the child must not import anything.
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform.startswith("linux") else None


@dataclass(frozen=True)
class Identity:
    """An unprivileged user that root starts a process as."""

    uid: int
    gid: int


def spawn(
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    cwd: Path,
    output: IO[bytes] | int | None = None,
    death_signal: int = signal.SIGTERM,
    identity: Identity | None = None,
    new_session: bool = True,
) -> subprocess.Popen[bytes]:
    """Start a process that the kernel signals with `death_signal` when the launcher dies.

    `new_session` keeps the terminal's Ctrl-C away from it, so that the launcher decides the order
    in which things stop.
    """
    return subprocess.Popen(
        [str(part) for part in argv],
        env=dict(env),
        cwd=cwd,
        stdin=subprocess.DEVNULL if new_session else None,
        stdout=output,
        stderr=subprocess.STDOUT if output is not None else None,
        start_new_session=new_session,
        preexec_fn=_before_exec(death_signal),
        user=identity.uid if identity else None,
        group=identity.gid if identity else None,
        extra_groups=[] if identity else None,
    )


def _before_exec(death_signal: int) -> Callable[[], None]:
    parent = os.getpid()

    def prepare() -> None:
        # A shell that starts us in the background sets SIGINT to "ignored", and children inherit that.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        if _LIBC is None:
            return
        # Popen changes the user before it calls us; changing it afterwards would clear this setting.
        _LIBC.prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        if os.getppid() != parent:  # the launcher died between fork and prctl
            os._exit(1)

    return prepare


def die_with_parent() -> None:
    """Let SIGTERM reach this process when its own parent (make) dies without saying so."""
    if _LIBC is not None:
        _LIBC.prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)


def wait_for(child: subprocess.Popen[bytes], *, signals: Signals, progress: Progress | None = None) -> int:
    """Wait until a step's process ends and return its exit code; a request to stop ends it.

    Raises Interrupted after it has ended on such a request.
    """
    begun = time.monotonic()
    ticks = 1
    while child.poll() is None:
        if signals.stopping:
            end(child, grace=10.0, signals=signals)
            raise Interrupted
        signals.wait(0.2)
        waited = time.monotonic() - begun
        if progress and waited > TICK_SECONDS * ticks:
            progress.tick(waited)
            ticks += 1
    return child.returncode


def end(
    child: subprocess.Popen[bytes],
    *,
    grace: float,
    signals: Signals,
    number: int = signal.SIGTERM,
    group: bool = True,
) -> None:
    """Ask a process to end, wait `grace` seconds, then kill it with the whole of its group.

    `group` must be False for a process that shares the launcher's own group.
    """
    if child.poll() is None:
        child.send_signal(number)
        deadline = time.monotonic() + grace
        while child.poll() is None and time.monotonic() < deadline:
            signals.wait(min(0.1, grace))
        if child.poll() is None:
            child.kill()
            child.wait()
    if group:
        # Whatever it started and left behind still carries its group number.
        try:
            os.killpg(child.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            return


def run_logged(
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    cwd: Path,
    log: Path,
    signals: Signals,
    progress: Progress | None = None,
    identity: Identity | None = None,
) -> int:
    """Run a step with its output in `log` (appended) and return its exit code."""
    with log.open("ab") as output:
        child = spawn(argv, env=env, cwd=cwd, output=output, identity=identity)
        return wait_for(child, signals=signals, progress=progress)
