"""The event stream in Redis: everything once, in the order of the feed, whatever happens to publishers."""

import json
import threading
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from redis import Redis

from core import clock
from core.alerts import open_subjects
from core.drain import get_drain
from core.failpoints import arm
from core.models import AuditRecord, OutboxEvent
from core.transactions import at_edge
from events.deliveries import event_body
from events.models import StreamPosition
from events.selectors import events_of
from events.streams import publisher, redis_stream
from events.streams.redis_stream import KEY
from events.streams.watch import watch_stream
from tests.events.cast import open_endpoint, open_merchant, record
from tests.events.receiver import Receiver
from tests.events.streaming import feed, ids, let_lease_end, places, publish, run, stream
from tests.racing import race

pytestmark = [pytest.mark.django_db(transaction=True)]
AWAY = "redis://127.0.0.1:1/0"


def position() -> StreamPosition:
    return StreamPosition.objects.get()


def test_what_an_entry_says(redis: Redis) -> None:
    merchant = open_merchant()
    publish(merchant, "pay_1", 1, 2)
    publish(None, "job_1", 1)
    assert run() == 3
    first, second, third = stream(redis)
    [event, _] = events_of(merchant_id=merchant, subject="pay_1")
    body = first.pop("body")
    assert body.encode() == event_body(event)
    assert json.loads(body)["id"] == first["id"] == event.public_id
    assert first["merchant"].startswith("mer_")
    assert {name: first[name] for name in ("mode", "type", "subject", "sequence", "previous")} == {
        "mode": "test",
        "type": "payment.succeeded",
        "subject": "pay_1",
        "sequence": "1",
        "previous": "0",
    }
    assert second["previous"] == first["published_seq"]
    assert (third["merchant"], third["mode"]) == ("", "")
    assert (run(), position().leased_until) == (0, None)


def test_what_was_acknowledged_before_a_crash_is_there_once(
    redis: Redis, hooks: Any, owner_sql: Any, monkeypatch: Any
) -> None:
    """F-D15: stopped between the acknowledgment and the position: Redis refuses the repeat by its id."""
    monkeypatch.setattr(publisher, "BATCH", 2)
    publish(open_merchant(), "pay_1", 1, 2, 3)
    arm("stream.sent", "raise")
    with pytest.raises(Exception, match="armed"):
        run()
    assert (len(stream(redis)), position().published_seq) == (2, 0)
    assert run() == 0, "the dead publisher holds the turn until its lease ends"
    let_lease_end(owner_sql)
    assert run() == 3
    assert places(redis) == feed()
    assert position().published_seq == feed()[-1]


def test_two_publishers_at_once(redis: Redis, monkeypatch: Any) -> None:
    """F-D16: who comes second leaves at once; nothing is missing, nothing twice, and the order holds."""
    monkeypatch.setattr(publisher, "BATCH", 7)
    merchant = open_merchant()
    written = threading.Event()

    def writer() -> None:
        for sequence in range(1, 41):
            record(merchant, "pay_1", sequence)
            get_drain("relay").run()
        written.set()

    def publishing() -> int:
        count = 0
        while not written.is_set():
            count += run()
        return count

    results = race([writer, publishing, publishing])
    assert not [each for each in results if isinstance(each, Exception)], results
    rest = run()
    assert places(redis) == feed()
    assert sum(results[1:]) + rest == 40


def test_a_publisher_that_lost_its_turn_moves_nothing(redis: Redis, owner_sql: Any, monkeypatch: Any) -> None:
    """It was too slow: another one took over and went on, and what it still sends is refused."""
    publish(open_merchant(), "pay_1", 1, 2)
    real = redis_stream.RedisStream.publish

    def slow(self: Any, entries: Any) -> None:
        monkeypatch.setattr(redis_stream.RedisStream, "publish", real)
        let_lease_end(owner_sql)
        assert run() == 2
        publish(open_merchant(), "pay_2", 1)
        assert run() == 1
        real(self, entries)

    monkeypatch.setattr(redis_stream.RedisStream, "publish", slow)
    assert run() == 0
    assert (places(redis), position().published_seq) == (feed(), feed()[-1])


def test_a_lost_stream_goes_on_and_is_filled_again(redis: Redis) -> None:
    """F-D7: a flush of Redis. Publishing goes on at once, people are told, and a command fills it anew."""
    merchant = open_merchant()
    publish(merchant, "pay_1", 1, 2)
    run()
    redis.delete(KEY)
    publish(merchant, "pay_1", 3)
    assert run() == 1
    assert places(redis) == feed()[2:]
    assert open_subjects("event_stream_lost") == ["stream:redis"]
    with pytest.raises(CommandError, match="Say why"):
        call_command("republish_events", "--from", str(feed()[1]), "--reason", " ")
    call_command("republish_events", "--from", str(feed()[1]), "--reason", "Redis was flushed")
    publish(merchant, "pay_1", 4)
    assert run() == 3
    assert places(redis) == feed()[1:]
    assert stream(redis)[0]["previous"] == str(feed()[0])
    assert open_subjects("event_stream_lost") == []
    [kept] = AuditRecord.objects.filter(action="event_stream.republish")
    assert (kept.subject, kept.reason) == ("stream:redis", "Redis was flushed")


def test_a_foreign_stream_is_not_written_over(redis: Redis, hooks: Any) -> None:
    """An older copy of the database, or another installation, at the same Redis: it stops and says so."""
    merchant = open_merchant()
    publish(merchant, "pay_1", 1)
    redis.xadd(KEY, {"id": "evt_of_another"}, id=f"{feed()[0]}-0")
    assert run() == 0
    assert [each["id"] for each in stream(redis)] == ["evt_of_another"]
    assert (position().attempts, "is not in it" in position().error) == (1, True)


def test_the_stream_is_bounded(redis: Redis, settings: Any) -> None:
    settings.EVENT_STREAM_LENGTH = 100
    publish(open_merchant(), "pay_1", *range(1, 401))
    run()
    assert 100 <= len(places(redis)) < 300
    assert places(redis)[-1] == feed()[-1]


def test_a_broker_that_is_away_delays_only_the_stream(
    redis: Redis, settings: Any, receiver: Receiver, hooks: Any
) -> None:
    """F-D1: webhooks and the feed go on, tries become rarer, people are told, and all of it comes later."""
    merchant = open_merchant()
    open_endpoint(merchant, receiver.url)
    redis_url, settings.EVENT_STREAM_REDIS_URL = settings.EVENT_STREAM_REDIS_URL, AWAY
    publish(merchant, "pay_1", 1, 2)
    assert run() == 0
    assert (position().attempts, position().leased_until, position().published_seq) == (1, None, 0)
    assert position().due_at is not None and position().due_at > clock.now()
    assert run() == 0
    assert position().attempts == 1, "it is not due yet"
    publish(merchant, "pay_1", 3)
    get_drain("deliveries").run()
    assert (len(feed()), len(receiver.got)) == (3, 3)
    assert at_edge(watch_stream)() is False, "not yet for long"
    clock.move(seconds=301)
    assert at_edge(watch_stream)() is True
    assert open_subjects("event_stream_behind") == ["stream:redis"]
    settings.EVENT_STREAM_REDIS_URL = redis_url
    assert run() == 3
    assert (places(redis), position().attempts, position().error) == (feed(), 0, "")
    assert at_edge(watch_stream)() is False
    assert open_subjects("event_stream_behind") == []


def test_a_redis_without_memory_takes_all_or_nothing(redis: Redis, hooks: Any) -> None:
    """F-D8: what it refuses is tried again later; no later event overtakes an earlier one."""
    publish(open_merchant(), "pay_1", 1, 2)
    try:
        redis.config_set("maxmemory", "1")
        assert run() == 0
    finally:
        redis.config_set("maxmemory", "0")
    assert (places(redis), "maxmemory" in position().error) == ([], True)
    clock.move(seconds=61)
    assert run() == 2
    assert places(redis) == feed()


def test_off_is_off(redis: Redis, settings: Any) -> None:
    settings.EVENT_STREAM = "off"
    publish(open_merchant(), "pay_1", 1)
    assert (run(), places(redis), at_edge(watch_stream)()) == (0, [], False)
    assert OutboxEvent.objects.filter(published_seq=None).count() == 0
    with pytest.raises(CommandError, match="off"):
        call_command("republish_events", "--from", "1", "--reason", "why")


def test_the_ids_of_the_stream_are_those_of_the_feed(redis: Redis) -> None:
    merchant = open_merchant()
    for subject in ("pay_b", "pay_a"):
        record(merchant, subject, *range(1, 6))
    get_drain("relay").run()
    run()
    told = [
        event.public_id
        for name in ("pay_a", "pay_b")
        for event in events_of(merchant_id=merchant, subject=name)
    ]
    assert ids(redis) == told
