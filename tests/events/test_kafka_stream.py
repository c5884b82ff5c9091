"""The event stream in Kafka, against librdkafka's own cluster of three brokers inside this process."""

import threading
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from django.conf import settings

from core import clock
from core.failpoints import FailpointRaised, arm
from core.transactions import at_edge
from events.consumers import loop
from events.consumers.daily_revenue import RevenueByDay
from events.consumers.loop import Work
from events.models import DailyRevenue, StreamPosition
from events.streams import kafka_topic
from events.streams.brokers import Received
from events.streams.kafka_topic import KafkaReader
from events.streams.watch import watch_stream
from tests.events.cast import open_merchant
from tests.events.streaming import feed, let_lease_end, publish, run
from tests.waiting import eventually

pytestmark = [pytest.mark.django_db(transaction=True)]
PAID = {"captured": "1.00", "currency": "USD"}


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """The address of the brokers; they live as long as the client that made them."""
    maker = Producer({"bootstrap.servers": "mock", "test.mock.num.brokers": 3, "log_level": 2})
    yield ",".join(f"{each.host}:{each.port}" for each in maker.list_topics(timeout=10).brokers.values())
    maker.flush(1)


@pytest.fixture
def kafka(cluster: str, settings: Any) -> Iterator[None]:
    """The settings of an installation with Kafka, and a topic that no other test knows."""
    settings.EVENT_STREAM, settings.KAFKA_BOOTSTRAP_SERVERS = "kafka", cluster
    settings.KAFKA_TOPIC = f"events-{uuid4()}"
    kafka_topic._producer.cache_clear()
    yield
    kafka_topic._producer.cache_clear()


@pytest.fixture
def member(kafka: None) -> Iterator[Callable[[str], KafkaReader]]:
    """Join a group: member("daily_revenue"); all leave when the test is over."""
    readers: list[KafkaReader] = []

    def join(group: str) -> KafkaReader:
        readers.append(KafkaReader(consumer=group))
        return readers[-1]

    yield join
    for reader in readers:
        reader.close()


def received(reader: KafkaReader, count: int) -> list[Received]:
    """Read so many entries, and what comes right behind them."""
    found: list[Received] = []

    def enough() -> bool:
        found.extend(reader.read(wait_seconds=0.2))
        return len(found) >= count

    eventually(enough, what=f"{count} entries")
    return found + reader.read(wait_seconds=0.2)


def sequences(entries: list[Received]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for each in entries:
        found.setdefault(each.fields["subject"], []).append(int(each.fields["sequence"]))
    return found


def test_delivered_in_the_order_of_each_subject_and_repeated_after_a_crash(
    member: Any, hooks: Any, owner_sql: Any
) -> None:
    """Stopped between the reports of delivery and the stored position: the same ids come once more."""
    merchant = open_merchant()
    for subject in ("pay_a", "pay_b"):
        publish(merchant, subject, *range(1, 21), thing=PAID)
    arm("stream.sent", "raise")
    with pytest.raises(Exception, match="armed"):
        run()
    assert StreamPosition.objects.get().published_seq == 0
    let_lease_end(owner_sql)
    assert run() == 40
    assert StreamPosition.objects.get().published_seq == feed()[-1]
    entries = received(member("all-repeated"), 80)
    once = list(range(1, 21))
    assert sequences(entries) == {"pay_a": once * 2, "pay_b": once * 2}
    assert len({each.fields["id"] for each in entries}) == 40
    assert all(each.mark.key() == each.fields["subject"].encode() for each in entries)


def test_the_same_consumer_reads_kafka(member: Any, monkeypatch: Any, hooks: Any) -> None:
    """One dies after its effect and before it commits its place; what comes again counts nothing.

    The heir is in another group, because these brokers give a group that was left nothing any more.
    """
    monkeypatch.setattr(loop, "_WAIT_SECONDS", 0.2)
    publish(open_merchant(), "pay_1", *range(1, 11), thing=PAID)
    assert run() == 10
    dead = Work(RevenueByDay(), member("dead"), threading.Event())
    arm("consumer.taken", "raise")
    with pytest.raises(FailpointRaised):
        eventually(lambda: dead.once() < 0, what="the first entries")
    assert (dead.taken > 0, committed("dead")) == (True, 0)
    heir = Work(RevenueByDay(), member("heir"), threading.Event())
    again: list[int] = []

    def all_of_them() -> bool:
        again.append(heir.once())
        return sum(again) >= 10

    eventually(all_of_them, what="all of them again")
    assert (sum(again), heir.taken, committed("heir")) == (10, 10 - dead.taken, 10)
    assert DailyRevenue.objects.get().paid_minor == 1000


def committed(group: str) -> int:
    """Return how many entries of the topic a group will not get again."""
    client = Consumer({"bootstrap.servers": settings.KAFKA_BOOTSTRAP_SERVERS, "group.id": group})
    partitions = client.list_topics(settings.KAFKA_TOPIC, timeout=10).topics[settings.KAFKA_TOPIC].partitions
    found = client.committed([TopicPartition(settings.KAFKA_TOPIC, each) for each in partitions], timeout=10)
    client.close()
    return sum(max(each.offset, 0) for each in found)


def test_a_cluster_that_is_away(member: Any, settings: Any, hooks: Any, monkeypatch: Any) -> None:
    """The position stays, people are told, and all of it comes when the cluster is back."""
    there, settings.KAFKA_BOOTSTRAP_SERVERS = settings.KAFKA_BOOTSTRAP_SERVERS, "127.0.0.1:1"
    monkeypatch.setattr(kafka_topic, "_SEND_SECONDS", 0.5)
    publish(open_merchant(), "pay_1", 1, 2)
    assert run() == 0
    assert (StreamPosition.objects.get().attempts, StreamPosition.objects.get().published_seq) == (1, 0)
    clock.move(seconds=301)
    assert at_edge(watch_stream)() is True
    settings.KAFKA_BOOTSTRAP_SERVERS = there
    monkeypatch.undo()
    assert run() == 2
    assert sequences(received(member("all-late"), 2)) == {"pay_1": [1, 2]}
    assert at_edge(watch_stream)() is False
