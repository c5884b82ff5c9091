"""The event stream in Redis. An entry's id is its place in the feed, so Redis itself refuses a repeat.

That also keeps the order: whatever a publisher that was too slow sends after another one took over is
refused. What is refused and is not there is not a repeat, and stops the publisher (`OutOfStep`).
"""

import os
import secrets
import socket
import time
from collections.abc import Sequence
from functools import cache
from typing import Any

from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError
from redis.retry import Retry

from core.transactions import forbids_transaction
from events.streams.brokers import BrokerAway, OutOfStep, Received
from events.streams.entries import StreamEntry

__all__ = ["KEY", "RedisReader", "RedisStream"]

KEY = "quittance:events"
_TIMEOUT_SECONDS = 2.0
_BATCH = 100
# A reader that has held entries for this long without a word is dead.
_ABANDONED_MS = 60_000
_LOOK_FOR_ABANDONED_SECONDS = 15.0


class RedisStream:
    """The writing side."""

    name = "redis"

    def __init__(self) -> None:
        self._redis = _connected(settings.EVENT_STREAM_REDIS_URL)

    @forbids_transaction
    def publish(self, entries: Sequence[StreamEntry]) -> None:
        """Append entries, those that are there already excepted. Raises BrokerAway, OutOfStep."""
        try:
            # All or none: when Redis has no memory left, a later entry must not overtake an earlier one.
            with self._redis.pipeline(transaction=True) as line:
                for entry in entries:
                    content: dict[Any, Any] = {**entry.fields(), "body": entry.body}
                    line.xadd(
                        KEY,
                        content,
                        id=f"{entry.place}-0",
                        maxlen=settings.EVENT_STREAM_LENGTH,
                        approximate=True,
                    )
                answers = line.execute(raise_on_error=False)
            for entry, answer in zip(entries, answers, strict=True):
                if isinstance(answer, Exception):
                    self._judge(entry, answer)
        except (RedisError, OSError) as error:
            raise BrokerAway(f"{type(error).__name__}: {error}") from error

    @forbids_transaction
    def holds(self, place: int) -> bool:
        """Say whether the last entry is this one or a later one."""
        try:
            found: Any = self._redis.xinfo_stream(KEY)
        except ResponseError:
            return False
        except (RedisError, OSError) as error:
            raise BrokerAway(f"{type(error).__name__}: {error}") from error
        newest = found["last-generated-id"]
        return int(bytes(newest).partition(b"-")[0]) >= place

    @forbids_transaction
    def empty(self) -> None:
        """Remove the stream with its groups; readers make theirs again."""
        try:
            self._redis.delete(KEY)
        except (RedisError, OSError) as error:
            raise BrokerAway(f"{type(error).__name__}: {error}") from error

    def _judge(self, entry: StreamEntry, answer: Exception) -> None:
        """Let a repeat pass; raise what anything else is."""
        if not isinstance(answer, ResponseError) or "equal or smaller" not in str(answer):
            raise answer
        there: Any = self._redis.xrange(KEY, f"{entry.place}-0", f"{entry.place}-0")
        if not there or there[0][1].get(b"id") != entry.fields()["id"].encode():
            raise OutOfStep(f"the stream is beyond {entry.place}, and {entry.event.public_id} is not in it")


class RedisReader:
    """The reading side: one member of the consumer's group, under a name that no other process has."""

    def __init__(self, *, consumer: str, abandoned_ms: int = _ABANDONED_MS) -> None:
        self._redis = _connected(settings.EVENT_STREAM_REDIS_URL)
        self._group, self._abandoned_ms = consumer, abandoned_ms
        self._name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
        self._looked_at: float | None = None
        self._cursor: Any = "0-0"

    @forbids_transaction
    def read(self, *, wait_seconds: float) -> list[Received]:
        """Return what a dead reader left, or what is new, or nothing when nothing came in time."""
        try:
            return self._next(wait_seconds)
        except (RedisError, OSError) as error:
            raise BrokerAway(f"{type(error).__name__}: {error}") from error

    @forbids_transaction
    def done(self, received: Sequence[Received]) -> None:
        """Take entries off the list of what the group has in hand."""
        try:
            if received:
                self._redis.xack(KEY, self._group, *(each.mark for each in received))
        except (RedisError, OSError) as error:
            raise BrokerAway(f"{type(error).__name__}: {error}") from error

    @forbids_transaction
    def close(self) -> None:
        """Leave the group, unless something is in hand: that another reader will claim by our name."""
        try:
            mine: Any = self._redis.xpending_range(KEY, self._group, "-", "+", 1, consumername=self._name)
            if not mine:
                self._redis.xgroup_delconsumer(KEY, self._group, self._name)
        except (RedisError, OSError):
            # The name stays in the group, with nothing in hand; it harms nobody.
            return

    def _next(self, wait_seconds: float) -> list[Received]:
        try:
            return self._abandoned() or self._new(wait_seconds)
        except ResponseError as error:
            # No such group: the stream is new, or was lost with its groups.
            if "NOGROUP" not in str(error):
                raise
            self._make_group()
            return []

    def _abandoned(self) -> list[Received]:
        now = time.monotonic()
        if self._looked_at is not None and now - self._looked_at < _LOOK_FOR_ABANDONED_SECONDS:
            return []
        answer: Any = self._redis.xautoclaim(
            KEY,
            self._group,
            self._name,
            min_idle_time=self._abandoned_ms,
            start_id=self._cursor,
            count=_BATCH,
        )
        self._cursor = answer[0]
        if self._cursor in (b"0-0", "0-0"):
            self._looked_at = now
        return _received(answer[1])

    def _new(self, wait_seconds: float) -> list[Received]:
        answer: Any = self._redis.xreadgroup(
            self._group, self._name, {KEY: ">"}, count=_BATCH, block=max(1, int(wait_seconds * 1000))
        )
        return _received(answer[0][1]) if answer else []

    def _make_group(self) -> None:
        try:
            self._redis.xgroup_create(KEY, self._group, id="0", mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise


def _received(entries: Sequence[tuple[bytes, dict[bytes, bytes]]]) -> list[Received]:
    found = []
    for mark, content in entries:
        fields = {name.decode(): value for name, value in (content or {}).items()}
        body = fields.pop("body", b"")
        found.append(
            Received({name: value.decode(errors="replace") for name, value in fields.items()}, body, mark)
        )
    return found


@cache
def _connected(url: str) -> "Redis":
    """One client for the life of the process. A try that times out is repeated by who called, not here."""
    return Redis.from_url(
        url,
        socket_timeout=_TIMEOUT_SECONDS,
        socket_connect_timeout=_TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 0),
        protocol=2,
        health_check_interval=30,
    )
