"""One launcher at a time for each data folder."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from ops.messages import Progress, Stop
from ops.procfs import process
from ops.signals import Signals

LEFTOVER_PATIENCE = 30.0


class LauncherLock:
    """An exclusive lock on a file that says which process holds it.

    The handle is shared with the guardian: after a `kill -9` the lock stays taken until the last process
    of that run is gone, and the next start waits for it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.handle = -1

    def take(self, *, signals: Signals, progress: Progress, what: str) -> None:
        """Take the lock. Raises Stop when a living launcher holds it."""
        self.handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
        deadline = time.monotonic() + LEFTOVER_PATIENCE
        said = False
        while not self._try():
            holder = self._holder()
            if (holder and process(holder).alive()) or time.monotonic() > deadline:
                os.close(self.handle)
                raise Stop(
                    f"{what} is already running here (process {holder}).",
                    cure=f"stop it with Ctrl-C or `kill {holder}`, or work in another clone of the tree.",
                )
            if not said:
                progress.say("waiting for the last processes of the previous run to end")
                said = True
            signals.wait(0.2)
        os.ftruncate(self.handle, 0)
        os.pwrite(self.handle, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Give the lock back."""
        os.close(self.handle)

    def _try(self) -> bool:
        try:
            fcntl.flock(self.handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _holder(self) -> int:
        text = os.pread(self.handle, 32, 0).decode().strip()
        return int(text) if text.isdigit() else 0
