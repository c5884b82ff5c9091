"""A nudge says "there is work" so that a drain starts now and not at beat's next tick. It may be lost."""

import logging
import time
from collections.abc import Sequence
from functools import cache
from typing import Any

from celery import current_app
from django.conf import settings
from django.db import transaction
from kombu.exceptions import OperationalError as BrokerDown
from redis import Redis
from redis.exceptions import RedisError

from core.failpoints import failpoint

__all__ = ["acknowledge", "nudge", "nudge_now"]

log = logging.getLogger(__name__)

_QUIET_SECONDS = 1.0
_quiet_until = 0.0
# Should the drain that a nudge woke die before it says so, others are heard again after this time.
_WAITS_SECONDS = 5
_TIMEOUT_SECONDS = 0.1
# One command, which costs the caller half as much as a pipeline of them.
_MARK = """
local new = {}
for place, key in ipairs(KEYS) do
    new[place] = redis.call('SET', key, 1, 'NX', 'EX', ARGV[1]) and 1 or 0
end
return new
"""


def nudge(*names: str) -> None:
    """Start these drains once the current transaction has committed. Never raises."""
    transaction.on_commit(lambda: nudge_now(*names), robust=True)


def nudge_now(*names: str) -> None:
    """Start the drains for which no nudge is waiting yet, unless the broker was away a moment ago."""
    global _quiet_until
    for name in names:
        failpoint(f"nudge.{name}")
    if time.monotonic() < _quiet_until:
        return
    try:
        for name in _unheard(names):
            current_app.send_task("core.run_drain", kwargs={"name": name}, queue=name, retry=False)
    except (RedisError, BrokerDown, OSError) as error:
        # Work is in the database and beat starts drains as well; a broker that is away must not slow
        # down the requests that come next.
        _quiet_until = time.monotonic() + _QUIET_SECONDS
        log.warning("nudge for %s was lost: %s", ", ".join(names), error)


def acknowledge(name: str) -> None:
    """Say that a drain has started: work that is committed from now on needs a new nudge."""
    try:
        _redis(settings.REDIS_URL).delete(f"nudge:{name}")
    except RedisError as error:
        log.warning("nudge for %s could not be acknowledged: %s", name, error)


def _unheard(names: Sequence[str]) -> list[str]:
    """Mark the names as nudged, in one round trip; return those that were not marked before."""
    marks = [f"nudge:{name}" for name in names]
    # The types of redis-py also tell of its asynchronous client.
    are_new: Any = _redis(settings.REDIS_URL).eval(_MARK, len(marks), *marks, _WAITS_SECONDS)
    return [name for name, is_new in zip(names, are_new, strict=True) if is_new]


@cache
def _redis(url: str) -> Redis:
    """One client for the life of the process: a request nudges twice, and making a client is dear."""
    return Redis.from_url(url, socket_timeout=_TIMEOUT_SECONDS, socket_connect_timeout=_TIMEOUT_SECONDS)
