"""May this call pass? Asked of Redis, or of this process and of PostgreSQL while Redis is away."""

import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from functools import cache

from django.conf import settings

from core.limits import counters
from core.limits.buckets import Bucket, LocalBuckets, Standing, Taken
from core.limits.shared import SharedBuckets
from core.transactions import forbids_transaction

__all__ = ["take", "used_up"]

_MOST = 10_000
# However long a bucket stays used up: a limit that was raised is noticed after this.
_LONGEST = 30_000_000


class _UsedUp:
    """Buckets of which it is known until when nothing passes: a flood is refused without asking anybody."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # When a call passes again, and until when we go by that.
        self._opens: OrderedDict[Bucket, tuple[int, int]] = OrderedDict()

    def note(self, taken: Taken) -> None:
        """Remember what was refused."""
        now = time.monotonic_ns() // 1000
        with self._lock:
            for each in taken.standings:
                if each.wait:
                    self._opens[each.bucket] = (now + each.wait, now + min(each.wait, _LONGEST))
            while len(self._opens) > _MOST:
                self._opens.popitem(last=False)

    def among(self, buckets: Sequence[Bucket]) -> Taken | None:
        """Return the refusal by those that are used up still; None if there are none."""
        if not self._opens:
            return None
        now = time.monotonic_ns() // 1000
        found = []
        with self._lock:
            for bucket in buckets:
                opens, good_until = self._opens.get(bucket, (0, 0))
                if now < good_until:
                    limit = bucket.limit
                    found.append(Standing(bucket, limit.window - limit.interval + opens - now))
                else:
                    self._opens.pop(bucket, None)
        return Taken(False, tuple(found)) if found else None


_used_up = _UsedUp()
_local = LocalBuckets()


@forbids_transaction
def take(*, buckets: Sequence[Bucket], strict: Sequence[Bucket] = ()) -> Taken:
    """Charge one call to all the buckets, or to none if one of them is used up.

    One round trip to Redis. While it is away the ordinary buckets are this process's own, each with its share
    of the limit, and the strict ones are in PostgreSQL: they never become more because Redis is lost.
    Raises DatabaseError when the strict ones can be counted nowhere.
    """
    asked = (*buckets, *strict)
    if not asked:
        return Taken(True, ())
    known = _used_up.among(asked)
    if known is not None:
        return known
    taken = _shared(settings.REDIS_URL, settings.LIMITS_REDIS_TIMEOUT).take(asked)
    if taken is None:
        taken = _without_redis(buckets, strict)
    if not taken.is_allowed:
        _used_up.note(taken)
    return taken


def used_up(buckets: Sequence[Bucket]) -> Taken | None:
    """Return the refusal if this process knows already that one of the buckets is used up; else None."""
    return _used_up.among(buckets)


def _without_redis(buckets: Sequence[Bucket], strict: Sequence[Bucket]) -> Taken:
    parts = max(1, settings.WEB_PROCESSES)
    taken = _local.take([each._replace(limit=each.limit.share(parts)) for each in buckets])
    if not taken.is_allowed or not strict:
        return taken
    counted = counters.take(strict)
    if not counted.is_allowed:
        return counted
    return Taken(True, taken.standings + counted.standings)


@cache
def _shared(url: str, timeout: float) -> SharedBuckets:
    return SharedBuckets(url, timeout=timeout)
