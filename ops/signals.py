"""Signals as something to wait for: no handler here does more than take a note."""

from __future__ import annotations

import os
import select
import signal
from types import FrameType

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Signals:
    """Counts requests to stop, and wakes `wait` at once when one arrives or a child ends.

    Python runs handlers between two instructions of the main thread. A handler that raised could
    lose a process that was just being started, so these only write to a pipe.
    """

    def __init__(self) -> None:
        self.stop_requests = 0
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(self._writer, False)

    def install(self) -> None:
        """Take over SIGINT, SIGTERM, SIGHUP and SIGCHLD for this process."""
        signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        for number in STOPPING:
            # `nohup` starts us with SIGHUP ignored on purpose: keep that.
            if number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN:
                continue
            signal.signal(number, self._note_stop)
        signal.signal(signal.SIGCHLD, self._note_child)

    @property
    def stopping(self) -> bool:
        """Whether somebody asked us to stop."""
        return self.stop_requests > 0

    def request_stop(self) -> None:
        """Ask for a stop from within."""
        self.stop_requests += 1

    def wait(self, seconds: float) -> None:
        """Sleep for `seconds`, or less when a signal arrives."""
        # Not select(), which knows no descriptor above 1023.
        poll = select.poll()
        poll.register(self._reader, select.POLLIN)
        if poll.poll(max(seconds, 0.0) * 1000):
            os.read(self._reader, 4096)

    def close(self) -> None:
        """Give the pipe back."""
        os.close(self._reader)
        os.close(self._writer)

    def _note_stop(self, number: int, frame: FrameType | None) -> None:
        self.stop_requests += 1

    def _note_child(self, number: int, frame: FrameType | None) -> None:
        """Nothing to do: the wake-up pipe has been written."""
