"""A circuit breaker per channel, in the memory of this process: it works without Redis and without locks
on rows, and every process finds out for itself.

It opens on a rate: enough failures in the window and at least half of the calls. After a rest it lets one
call through; the answer to that one decides.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from uuid import UUID

from django.conf import settings

__all__ = ["Breaker", "breaker_for", "forget", "is_open", "note_result"]


class Breaker:
    """Decides from the recent past whether another call is worth trying. Times are in seconds."""

    def __init__(
        self, *, failures: int, window: float, rest: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._failures, self._window, self._rest, self._clock = failures, window, rest, clock
        self._lock = threading.Lock()
        self._recent: deque[tuple[float, bool]] = deque()
        self._failed = 0
        self._opened_at: float | None = None
        self._probing_since: float | None = None

    def admit(self) -> float | None:
        """Return None if a call may go out now, else the seconds after which to try again."""
        with self._lock:
            wait = self._wait()
            if wait is None and self._opened_at is not None:
                self._probing_since = self._clock()
            return wait

    @property
    def is_open(self) -> bool:
        """Say whether a call would be refused now."""
        with self._lock:
            return self._wait() is not None

    @property
    def seconds_left(self) -> float:
        """Return for how long calls would still be refused; 0 if they would not."""
        with self._lock:
            return self._wait() or 0.0

    def record(self, ok: bool | None) -> None:
        """Note how an admitted call ended; a good answer closes an open breaker.

        None says nothing about the line: it only lets the next call try it.
        """
        now = self._clock()
        with self._lock:
            self._probing_since = None
            if ok is None:
                return
            if self._opened_at is not None:
                if ok:
                    self._opened_at = None
                    self._recent.clear()
                    self._failed = 0
                else:
                    self._opened_at = now
                return
            self._recent.append((now, ok))
            self._failed += not ok
            while self._recent[0][0] <= now - self._window:
                self._failed -= not self._recent.popleft()[1]
            if self._failed >= self._failures and self._failed * 2 >= len(self._recent):
                self._opened_at = now

    def _wait(self) -> float | None:
        if self._opened_at is None:
            return None
        # A probe that never reports (its thread was killed) must not keep the line shut for ever.
        since = max(self._opened_at, self._probing_since or 0.0)
        left = since + self._rest - self._clock()
        return left if left > 0 else None


_lock = threading.Lock()
_breakers: dict[UUID, Breaker] = {}
_failing: set[UUID] = set()


def breaker_for(channel_id: UUID) -> Breaker:
    """Return the channel's breaker in this process."""
    with _lock:
        found = _breakers.get(channel_id)
        if found is None:
            found = _breakers[channel_id] = Breaker(
                failures=settings.PSP_BREAKER_FAILURES,
                window=settings.PSP_BREAKER_WINDOW,
                rest=settings.PSP_BREAKER_REST,
            )
        return found


def is_open(*, channel_id: UUID) -> bool:
    """Say whether a call over the channel would be refused now, by this process."""
    return breaker_for(channel_id).is_open


def note_result(*, channel_id: UUID, ok: bool) -> bool:
    """Note whether an operation got an answer; return True for the first good one after a failure.

    Then everything that waits on the channel may be asked about at once. Per process, and apart from the
    breaker, which judges the calls by itself.
    """
    with _lock:
        if not ok:
            _failing.add(channel_id)
            return False
        if channel_id in _failing:
            _failing.discard(channel_id)
            return True
        return False


def forget() -> None:
    """Forget every channel's past, as a new process would."""
    with _lock:
        _breakers.clear()
        _failing.clear()
