"""The event stream in Kafka: one topic, keyed by subject, so that the order of every subject holds.

The producer is idempotent and waits for all in-sync replicas; a repeat after a crash has the same event id.
"""

import logging
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer
from django.conf import settings

from core.transactions import forbids_transaction
from events.streams.brokers import BrokerAway, Received
from events.streams.entries import StreamEntry

__all__ = ["KafkaReader", "KafkaTopic"]

log = logging.getLogger(__name__)
_SEND_SECONDS = 10.0
_BATCH = 100


class KafkaTopic:
    """The writing side."""

    name = "kafka"

    @forbids_transaction
    def publish(self, entries: Sequence[StreamEntry]) -> None:
        """Send entries and wait for the report on each of them. Raises BrokerAway."""
        problems: list[KafkaError] = []

        def report(problem: KafkaError | None, _message: Message) -> None:
            if problem is not None:
                problems.append(problem)

        producer = _producer()
        try:
            for entry in entries:
                producer.produce(
                    settings.KAFKA_TOPIC,
                    key=entry.event.subject.encode(),
                    value=entry.body,
                    headers=[(name, value.encode()) for name, value in entry.fields().items()],
                    on_delivery=report,
                )
            missing = producer.flush(_SEND_SECONDS)
        except (KafkaException, BufferError) as error:
            _let_go(producer)
            raise BrokerAway(str(error)) from error
        if problems or missing:
            says = str(problems[0]) if problems else f"{missing} entries were not acknowledged in time"
            # What is still in its queue must not go out later, behind what the next try sends first.
            _let_go(producer)
            raise BrokerAway(says)

    @forbids_transaction
    def holds(self, place: int) -> bool:
        """A topic keeps what its retention says; nobody can tell from here."""
        return True

    @forbids_transaction
    def empty(self) -> None:
        """Nothing needs to be forgotten: a topic takes the same event again, behind the others."""


class KafkaReader:
    """The reading side: a member of the consumer's group. What is done is committed at once."""

    def __init__(self, *, consumer: str) -> None:
        self._consumer = Consumer(
            {
                **_common(),
                "group.id": consumer,
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
            },
            logger=log,
        )
        self._consumer.subscribe([settings.KAFKA_TOPIC])

    @forbids_transaction
    def read(self, *, wait_seconds: float) -> list[Received]:
        """Return what came within the time. Raises BrokerAway."""
        try:
            messages = self._consumer.consume(_BATCH, timeout=wait_seconds)
        except (KafkaException, RuntimeError) as error:
            raise BrokerAway(str(error)) from error
        found = []
        for message in messages:
            problem = message.error()
            if problem is None:
                found.append(Received(_headers(message), message.value() or b"", message))
            elif problem.code() != KafkaError.UNKNOWN_TOPIC_OR_PART:  # Nothing was published yet.
                raise BrokerAway(str(problem))
        return found

    @forbids_transaction
    def done(self, received: Sequence[Received]) -> None:
        """Commit how far this reader is, partition by partition. Raises BrokerAway."""
        newest: dict[int, Message] = {each.mark.partition(): each.mark for each in received}
        try:
            for message in newest.values():
                self._consumer.commit(message=message, asynchronous=False)
        except KafkaException as error:
            raise BrokerAway(str(error)) from error

    @forbids_transaction
    def close(self) -> None:
        """Leave the group."""
        self._consumer.close()


def _headers(message: Message) -> Mapping[str, str]:
    headers: Any = message.headers() or []
    return {name: (value or b"").decode(errors="replace") for name, value in headers}


@cache
def _producer() -> Producer:
    """One producer for the life of the process, or until it failed."""
    return Producer(
        {
            **_common(),
            "enable.idempotence": True,
            "acks": "all",
            # One that fails stops the producer, so that nothing behind it overtakes it.
            "enable.gapless.guarantee": True,
            "delivery.timeout.ms": int(_SEND_SECONDS * 1000 * 0.8),
            "linger.ms": 5,
        },
        logger=log,
    )


def _let_go(producer: Producer) -> None:
    _producer.cache_clear()
    producer.purge()
    producer.flush(0)


def _common() -> dict[str, Any]:
    given = dict(option.split("=", 1) for option in settings.KAFKA_OPTIONS)
    return {
        "bootstrap.servers": settings.KAFKA_BOOTSTRAP_SERVERS,
        "client.id": "quittance",
        "log_level": 3,
        **given,
    }
