"""What holds an event stream: the two sides that the rest of the code knows of it, and which one it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from django.conf import settings

from events.streams.entries import StreamEntry

__all__ = [
    "OFF",
    "Broker",
    "BrokerAway",
    "OutOfStep",
    "Received",
    "StreamReader",
    "open_broker",
    "open_reader",
]

OFF = "off"


class BrokerAway(Exception):
    """The broker did not acknowledge; whether it has the entries is unknown. To be tried again later."""


class OutOfStep(Exception):
    """The stream holds something else than what was published: nothing is added until a person looked."""


class Broker(Protocol):
    """The writing side."""

    name: str

    def publish(self, entries: Sequence[StreamEntry]) -> None:
        """Append entries in this order and return when all are acknowledged.

        What was appended before may be given again. Raises BrokerAway, OutOfStep.
        """

    def holds(self, place: int) -> bool:
        """Say whether the stream still knows what was published up to this place. Raises BrokerAway."""

    def empty(self) -> None:
        """Forget every entry, so that older ones can be published again. Raises BrokerAway."""


@dataclass(frozen=True)
class Received:
    """An entry as a reader got it. `mark` is the broker's own name of it."""

    fields: Mapping[str, str]
    body: bytes
    mark: Any


class StreamReader(Protocol):
    """The reading side of one consumer; several readers of one consumer share the entries."""

    def read(self, *, wait_seconds: float) -> list[Received]:
        """Return the next entries, or those that a dead reader left; empty when none came in time.

        Raises BrokerAway.
        """

    def done(self, received: Sequence[Received]) -> None:
        """Say that these need not come again. Raises BrokerAway."""

    def close(self) -> None:
        """Leave."""


def open_broker() -> Broker:
    """Return the broker that the settings name. Raises ValueError when they name none."""
    if settings.EVENT_STREAM == "redis":
        from events.streams.redis_stream import RedisStream

        return RedisStream()
    if settings.EVENT_STREAM == "kafka":
        # librdkafka is loaded only where it is used: it takes memory and threads.
        from events.streams.kafka_topic import KafkaTopic

        return KafkaTopic()
    raise ValueError("EVENT_STREAM names no broker")


def open_reader(*, consumer: str) -> StreamReader:
    """Return a reader of the stream that the settings name. Raises ValueError when they name none."""
    if settings.EVENT_STREAM == "redis":
        from events.streams.redis_stream import RedisReader

        return RedisReader(consumer=consumer)
    if settings.EVENT_STREAM == "kafka":
        from events.streams.kafka_topic import KafkaReader

        return KafkaReader(consumer=consumer)
    raise ValueError("EVENT_STREAM names no broker")
