"""The buckets that all processes share, in Redis: one script, one round trip, judged by its clock."""

import hashlib
import os
import threading
import time
import weakref
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import structlog
from redis.backoff import NoBackoff
from redis.connection import ConnectionPool
from redis.exceptions import ConnectionError as LineLost
from redis.exceptions import NoScriptError, RedisError
from redis.retry import Retry

from core.limits.buckets import Bucket, Standing, Taken

__all__ = ["SharedBuckets"]

log = structlog.get_logger(__name__)

_SCRIPT = (Path(__file__).parent / "take.lua").read_text()
_DIGEST = hashlib.sha1(_SCRIPT.encode(), usedforsecurity=False).hexdigest()  # How Redis names a script.
_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 8.0


class _Held:
    """The line of one thread; it closes with the thread, or with the buckets."""

    def __init__(self, line: Any) -> None:
        self.line, self.pid = line, os.getpid()
        # A line and its parser hold each other, and of a circle the collector may take the socket first.
        # What a finalizer holds is in no circle.
        weakref.finalize(self, line.disconnect).atexit = False


class SharedBuckets:
    """Redis behind a small breaker: while it is away, one call in a while finds out whether it is back."""

    def __init__(self, url: str, *, timeout: float) -> None:
        self._url, self._timeout = url, timeout
        self._lock = threading.Lock()
        self._mine = threading.local()
        self._pause = 0.0
        self._quiet_until = 0.0

    def take(self, buckets: Sequence[Bucket]) -> Taken | None:
        """Charge one call to every bucket, or to none; None while Redis is away."""
        if self._pause and not self._may_probe():
            return None
        try:
            reply = self._ask(buckets)
        except (RedisError, OSError) as error:
            self._away(error)
            return None
        if self._pause:
            self._back()
        charged, *ahead = reply
        return Taken(bool(charged), tuple(map(Standing, buckets, ahead)))

    def _ask(self, buckets: Sequence[Bucket]) -> list[int]:
        line = self._line()
        keys, arguments = [], []
        for bucket in buckets:
            keys.append(bucket.name)
            arguments += [bucket.limit.interval, bucket.limit.window]
        command = (len(keys), *keys, *arguments)
        try:
            return self._run(line, command)
        except LineLost:
            # One new try, at once, on a new line: a server that was restarted leaves dead lines behind. None
            # after a time-out, because the caller's request waits.
            line.disconnect()
            return self._run(line, command)

    @staticmethod
    def _run(line: Any, command: Sequence[Any]) -> list[int]:
        try:
            line.send_packed_command(line.pack_command("EVALSHA", _DIGEST, *command))
            reply: list[int] = line.read_response()
        except NoScriptError:
            line.send_packed_command(line.pack_command("EVAL", _SCRIPT, *command))
            reply = line.read_response()
        return reply

    def _line(self) -> Any:
        """One line for each thread of this process; the client around it would cost three times as much."""
        held: _Held | None = getattr(self._mine, "held", None)
        if held is None or held.pid != os.getpid():
            pool = self._pool
            held = self._mine.held = _Held(pool.connection_class(**pool.connection_kwargs))
        return held.line

    def _may_probe(self) -> bool:
        with self._lock:
            now = time.monotonic()
            if now < self._quiet_until:
                return False
            self._quiet_until = now + self._pause
            return True

    def _away(self, error: Exception) -> None:
        with self._lock:
            if not self._pause:
                log.warning("limits: Redis is away, each process counts alone", error=str(error))
            self._pause = min(self._pause * 2 or _FIRST_PAUSE, _LONGEST_PAUSE)
            self._quiet_until = time.monotonic() + self._pause

    def _back(self) -> None:
        with self._lock:
            self._pause = 0.0
        log.warning("limits: Redis is back")

    @cached_property
    def _pool(self) -> ConnectionPool:
        """Nothing but what the address says, read once."""
        return ConnectionPool.from_url(
            self._url,
            socket_timeout=self._timeout,
            socket_connect_timeout=self._timeout,
            retry=Retry(NoBackoff(), 0),
        )
