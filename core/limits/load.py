"""What a web process works on now, and what it refuses when that is too much for too long.

A process has few threads and few connections to the database. Calls that move money must find one, so lists
give way first, then reads, then other writes. A full house for a moment is no reason: only one that lasts.
"""

import threading
import time
from collections.abc import Callable, Mapping
from functools import cache
from uuid import UUID

import structlog
from django.conf import settings

from core.api.errors import Overloaded

__all__ = ["Load", "Slot", "load"]

log = structlog.get_logger(__name__)

_PATIENCE_SECONDS = 0.5
_TOLD_EVERY_SECONDS = 10.0


class Load:
    """Counts the requests in flight in this process, and those of each merchant and key."""

    def __init__(self, capacity: int, *, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._in_flight = 0
        self._levels = _levels(capacity)
        self._above_since: dict[str, float] = {}
        self._held: dict[str, int] = {}
        self._told_at = -_TOLD_EVERY_SECONDS

    def enter(self, call_class: str) -> "Slot":
        """Begin a request; `leave` the slot when it ends. Raises Overloaded."""
        with self._lock:
            now = self._now()
            since = self._above_since.get(call_class)
            level = self._levels[call_class]
            if since is not None and now - since >= _PATIENCE_SECONDS and self._in_flight >= level:
                self._tell(call_class, now)
                raise Overloaded()
            self._in_flight += 1
            for each, most in self._levels.items():
                if self._in_flight > most:
                    self._above_since.setdefault(each, now)
        return Slot(self)

    def _tell(self, call_class: str, now: float) -> None:
        if now - self._told_at >= _TOLD_EVERY_SECONDS:
            self._told_at = now
            log.warning("calls are refused for load", call_class=call_class, in_flight=self._in_flight)

    def hold(self, names: Mapping[str, int]) -> None:
        """Count a request under each name, of which so many are allowed at once. Raises Overloaded."""
        with self._lock:
            for name, most in names.items():
                if self._held.get(name, 0) >= most:
                    raise Overloaded(
                        "Too many requests of yours are being served at once. Wait and try again."
                    )
            for name in names:
                self._held[name] = self._held.get(name, 0) + 1

    def leave(self, names: Mapping[str, int]) -> None:
        """End a request and give back what it held."""
        with self._lock:
            self._in_flight -= 1
            for each in [each for each, most in self._levels.items() if self._in_flight < most]:
                self._above_since.pop(each, None)
            for name in names:
                left = self._held[name] - 1
                if left:
                    self._held[name] = left
                else:
                    del self._held[name]


class Slot:
    """One request in flight."""

    def __init__(self, owner: Load) -> None:
        self._owner = owner
        self._names: Mapping[str, int] = {}

    def hold(self, *, merchant_id: UUID, merchant_most: int, key: str, key_most: int) -> None:
        """Say whose request it is, once that is known. Raises Overloaded."""
        names = {f"merchant:{merchant_id}": merchant_most, key: key_most}
        self._owner.hold(names)
        self._names = names

    def leave(self) -> None:
        """End it; once."""
        self._owner.leave(self._names)


def load() -> Load:
    """Return the count of this process."""
    return _load(settings.WEB_IN_FLIGHT)


@cache
def _load(capacity: int) -> Load:
    return Load(capacity)


def _levels(capacity: int) -> dict[str, int]:
    """How many requests may be in flight before each class of call is refused."""
    capacity = max(1, capacity)
    return {
        "list": max(1, capacity * 5 // 8),
        "read": max(1, capacity * 7 // 8),
        "write": capacity,
        # Beyond the capacity they wait for a connection; twice that is more than would get one in time.
        "money": capacity * 2,
    }
