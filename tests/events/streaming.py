"""Words for tests of the event stream: publish facts, and read what Redis holds."""

from typing import Any
from uuid import UUID

from redis import Redis

from core.drain import get_drain
from core.models import OutboxEvent
from events.streams.redis_stream import KEY
from tests.events.cast import record

__all__ = ["feed", "ids", "let_lease_end", "places", "publish", "run", "stream"]


def stream(redis: Redis) -> list[dict[str, str]]:
    """Return the fields of every entry, the oldest first."""
    entries: Any = redis.xrange(KEY)
    return [{name.decode(): value.decode() for name, value in fields.items()} for _, fields in entries]


def places(redis: Redis) -> list[int]:
    """Return the places of the entries in the feed."""
    return [int(fields["published_seq"]) for fields in stream(redis)]


def ids(redis: Redis) -> list[str]:
    """Return the ids of the events."""
    return [fields["id"] for fields in stream(redis)]


def feed() -> list[int]:
    """Return the places that events have in the feed."""
    rows = OutboxEvent.objects.exclude(published_seq=None).order_by("published_seq")
    return [place for place in rows.values_list("published_seq", flat=True) if place is not None]


def publish(merchant: UUID | None, subject: str, *sequences: int, **more: Any) -> list[UUID]:
    """Record facts and give them places in the feed."""
    keys = record(merchant, subject, *sequences, **more)
    get_drain("relay").run()
    return keys


def run() -> int:
    """Start the publisher once."""
    return get_drain("stream").run()


def let_lease_end(owner_sql: Any) -> None:
    """Let a publisher that is dead or too slow lose its turn."""
    owner_sql("UPDATE events_streamposition SET leased_until = now() - interval '1 second'")
