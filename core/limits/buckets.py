"""Token buckets, each kept as one number: how far ahead of now the bucket will be full again (GCRA).

A call moves that moment on by one interval. It is refused when the moment would lie further ahead than the
whole burst takes to come back, so that in any span of time at most `burst` plus the span's own share pass.
Times are whole microseconds.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import NamedTuple

__all__ = ["Bucket", "Limit", "LocalBuckets", "Standing", "Taken"]

_SECOND = 1_000_000
_MOST = 10_000


class Limit(NamedTuple):
    """`calls` in every `seconds`, of which `burst` may come at once after a rest. All are at least 1."""

    calls: int
    seconds: int
    burst: int

    @property
    def interval(self) -> int:
        """How long one call takes to come back, rounded up: never more than was allowed."""
        return -(-self.seconds * _SECOND // self.calls)

    @property
    def window(self) -> int:
        """How long the whole burst takes to come back."""
        return self.interval * self.burst

    def share(self, parts: int) -> "Limit":
        """Return what one of so many is allowed alone; each may send at least one at a time."""
        return Limit(self.calls, self.seconds * parts, max(1, self.burst // parts))


class Bucket(NamedTuple):
    """One thing that is counted, and its limit. `label` is how callers know it."""

    name: str
    limit: Limit
    label: str = ""


class Standing(NamedTuple):
    """How a bucket stands: full again `ahead` microseconds from now."""

    bucket: Bucket
    ahead: int

    @property
    def remaining(self) -> int:
        """How many calls would pass at once."""
        limit = self.bucket.limit
        return max(0, (limit.window - self.ahead) // limit.interval)

    @property
    def wait(self) -> int:
        """How long until a call passes; 0 where one would pass now."""
        limit = self.bucket.limit
        return max(0, self.ahead + limit.interval - limit.window)


class Taken(NamedTuple):
    """The answer to one call: all its buckets were charged, or none was."""

    is_allowed: bool
    standings: tuple[Standing, ...]

    @property
    def retry_after(self) -> int:
        """Whole seconds after which the call may pass, at least one."""
        return max(1, -(-max((each.wait for each in self.standings), default=0) // _SECOND))

    @property
    def tightest(self) -> Standing | None:
        """The bucket of which the smallest part is left; the first of equals."""
        return min(
            self.standings, key=lambda each: each.remaining * _SECOND // each.bucket.limit.burst, default=None
        )


def _now() -> int:
    return time.monotonic_ns() // 1000


class LocalBuckets:
    """Buckets of this process alone, forgotten with it. The least recently used make room for new ones."""

    def __init__(self, *, now: Callable[[], int] = _now, most: int = _MOST) -> None:
        self._now, self._most = now, most
        self._lock = threading.Lock()
        self._full_at: OrderedDict[str, int] = OrderedDict()

    def take(self, buckets: Sequence[Bucket]) -> Taken:
        """Charge one call to every bucket, or to none if one of them is used up."""
        with self._lock:
            now = self._now()
            before = tuple(
                Standing(each, max(0, self._full_at.get(each.name, now) - now)) for each in buckets
            )
            if any(each.wait for each in before):
                return Taken(False, before)
            after = tuple(each._replace(ahead=each.ahead + each.bucket.limit.interval) for each in before)
            for each in after:
                self._full_at[each.bucket.name] = now + each.ahead
                self._full_at.move_to_end(each.bucket.name)
            while len(self._full_at) > self._most:
                self._full_at.popitem(last=False)
            return Taken(True, after)
