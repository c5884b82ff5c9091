"""Consumers of the event stream: every effect once, whatever happens to readers, to Redis and to entries."""

import threading
from typing import Any
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError
from redis import Redis

from core import dead_letters
from core.failpoints import arm
from core.models import AuditRecord, DeadLetter
from core.transactions import at_edge
from events.consumers import loop, taking
from events.consumers.daily_revenue import RevenueByDay
from events.consumers.loop import Work, settle
from events.models import ConsumedEvent, DailyRevenue, StreamConsumer
from events.streams.positions import events_after
from events.streams.redis_stream import KEY, RedisReader
from tests.events.cast import open_merchant
from tests.events.streaming import feed, publish, run
from tests.racing import race

pytestmark = [
    pytest.mark.database,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("quick"),
]
REVENUE = RevenueByDay()
GROUP = "daily_revenue"


@pytest.fixture
def quick(monkeypatch: Any) -> None:
    """Do not wait for entries that are not there."""
    monkeypatch.setattr(loop, "_WAIT_SECONDS", 0.02)


def pay(merchant: UUID, subject: str, amount: str = "10.00", currency: str = "USD") -> None:
    """Publish a payment."""
    publish(merchant, subject, 1, thing={"captured": amount, "currency": currency})


def work(*, abandoned_ms: int = 60_000) -> Work:
    """Return one process of the consumer, to be moved by hand."""
    return Work(REVENUE, RedisReader(consumer=GROUP, abandoned_ms=abandoned_ms), threading.Event())


def drained(one: Work) -> int:
    """Read until nothing comes; return how many entries came."""
    count = one.once()
    while got := one.once():
        count += got
    return count


def totals() -> list[tuple[Any, ...]]:
    rows = DailyRevenue.objects.order_by("currency", "day")
    return list(rows.values_list("currency", "paid_minor", "payments", "refunded_minor", "refunds"))


def in_hand(redis: Redis) -> int:
    answer: Any = redis.xpending(KEY, GROUP)
    return int(answer["pending"])


def test_what_is_counted(redis: Redis) -> None:
    """By merchant, day of the payment and currency, in minor units; other events count for nothing."""
    merchant, other = open_merchant(), open_merchant()
    pay(merchant, "pay_1")
    pay(merchant, "pay_2", "0.99")
    pay(merchant, "pay_3", "700", "JPY")
    pay(other, "pay_4", "1.00")
    publish(merchant, "pay_5", 1, kind="payment.failed")
    publish(merchant, "re_1", 1, kind="refund.succeeded", thing={"amount": "2.50", "currency": "USD"})
    run()
    one = work()
    assert one.once() == 0, "the group is made"
    assert (drained(one), one.taken, in_hand(redis)) == (6, 5, 0)
    assert [row for row in totals() if row[1] != 100] == [("JPY", 700, 1, 0, 0), ("USD", 1099, 2, 250, 1)]
    assert DailyRevenue.objects.get(merchant_id=other).paid_minor == 100
    [event, *_] = events_after(published_seq=0, limit=1)
    assert {row.day for row in DailyRevenue.objects.all()} == {event.occurred_at.date()}


@pytest.mark.parametrize("place", ["consumer.received", "consumer.taken"])
def test_a_consumer_that_dies_is_replaced(redis: Redis, hooks: Any, place: str) -> None:
    """Before and after its commit, in both cases before it says so: another takes its entries, once."""
    pay(open_merchant(), "pay_1")
    run()
    dead = work()
    dead.once()
    arm(place, "raise")
    with pytest.raises(Exception, match="armed"):
        dead.once()
    assert in_hand(redis) == 1
    assert drained(work()) == 0, "they are not abandoned yet"
    assert drained(work(abandoned_ms=0)) == 1
    assert (totals(), in_hand(redis)) == ([("USD", 1000, 1, 0, 0)], 0)


def test_a_repeat_changes_nothing(redis: Redis) -> None:
    """F-D15: the whole stream once more, as after a republication: the same ids, so nothing counts twice.

    The control at the end: without the memory of ids the same repeat does count twice.
    """
    merchant = open_merchant()
    for subject in ("pay_1", "pay_2"):
        pay(merchant, subject)
    run()
    one = work()
    assert (drained(one), totals()) == (2, [("USD", 2000, 2, 0, 0)])

    def repeat() -> int:
        call_command("republish_events", "--from", "0", "--reason", "a test")
        run()
        return drained(one)

    assert (repeat(), totals()) == (2, [("USD", 2000, 2, 0, 0)])
    settle(consumer=REVENUE)
    assert (repeat(), totals(), ConsumedEvent.objects.count()) == (2, [("USD", 2000, 2, 0, 0)], 0)
    StreamConsumer.objects.update(settled_seq=0)
    assert (repeat(), totals()) == (2, [("USD", 4000, 4, 0, 0)])


def test_what_redis_lost_is_taken_from_the_feed(redis: Redis) -> None:
    """F-D7: a flush with entries nobody had read; and a settled consumer needs no single ids any more."""
    merchant = open_merchant()
    pay(merchant, "pay_1")
    run()
    one = work()
    one.once()
    assert (one.once(), ConsumedEvent.objects.count()) == (1, 1)
    pay(merchant, "pay_2")
    run()
    redis.delete(KEY)
    pay(merchant, "pay_3")
    run()
    assert drained(one) == 1
    assert totals() == [("USD", 2000, 2, 0, 0)]
    assert settle(consumer=REVENUE) == 1
    assert totals() == [("USD", 3000, 3, 0, 0)]
    assert (StreamConsumer.objects.get().settled_seq, ConsumedEvent.objects.count()) == (feed()[-1], 0)
    assert settle(consumer=REVENUE) == 0


def test_readers_share_and_race_with_settling(redis: Redis, monkeypatch: Any) -> None:
    """Two readers, and one that settles in portions, over the same events: each is counted once."""
    monkeypatch.setattr(taking, "PORTION", 5)
    merchant = open_merchant()
    publish(merchant, "pay_1", *range(1, 41), thing={"captured": "1.00", "currency": "USD"})
    run()
    first = work()
    first.once()
    results = race(
        [lambda: drained(first), lambda: drained(work()), lambda: settle(consumer=REVENUE)], connected=True
    )
    assert not [each for each in results if isinstance(each, Exception)], results
    assert (totals(), in_hand(redis)) == ([("USD", 4000, 40, 0, 0)], 0)


def test_an_event_that_cannot_be_applied_stops_nobody(redis: Redis) -> None:
    """It becomes a dead letter, which a person replays; a database in trouble is no reason for one."""
    merchant = open_merchant()
    publish(merchant, "pay_1", 1, thing={"captured": "ten", "currency": "USD"})
    pay(merchant, "pay_2")
    redis.xadd(KEY, {"id": "rubbish", "body": "{"}, id="0-1")
    run()
    one = work()
    one.once()
    assert (drained(one), totals(), in_hand(redis)) == (3, [("USD", 1000, 1, 0, 0)], 0)
    letter = DeadLetter.objects.get()
    assert letter.queue == "consumer:daily_revenue"
    settle(consumer=REVENUE)
    assert DeadLetter.objects.count() == 1


def test_a_database_in_trouble_is_tried_again(redis: Redis, monkeypatch: Any) -> None:
    pay(open_merchant(), "pay_1")
    run()
    one = work()
    one.once()
    real = RevenueByDay.apply

    def away(self: Any, event: Any) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(RevenueByDay, "apply", away)
    with pytest.raises(OperationalError):
        one.once()
    assert (DeadLetter.objects.count(), ConsumedEvent.objects.count(), in_hand(redis)) == (0, 0, 1)
    monkeypatch.setattr(RevenueByDay, "apply", real)
    assert drained(one) == 1, "it kept what it had in hand"
    assert (totals(), in_hand(redis)) == ([("USD", 1000, 1, 0, 0)], 0)


def test_rebuilt_from_the_feed(redis: Redis, owner_sql: Any, capsys: Any) -> None:
    """`--rebuild` makes right what somebody made wrong, without the stream; its dead letters begin anew."""
    merchant = open_merchant()
    pay(merchant, "pay_1")
    publish(merchant, "pay_2", 1, thing={"captured": "?", "currency": "USD"})
    assert settle(consumer=REVENUE) == 2
    owner_sql("UPDATE events_dailyrevenue SET paid_minor = 5")
    with pytest.raises(CommandError, match="reason"):
        call_command("consume_events", "daily_revenue", "--rebuild")
    assert totals() == [("USD", 5, 1, 0, 0)]
    call_command("consume_events", "daily_revenue", "--rebuild", "--reason", "somebody wrote into it")
    assert "2 events" in capsys.readouterr().out
    assert totals() == [("USD", 1000, 1, 0, 0)]
    assert sorted(DeadLetter.objects.values_list("status", flat=True)) == ["DROPPED", "OPEN"]
    assert AuditRecord.objects.get(action="event_consumer.rebuild").reason == "somebody wrote into it"


def test_half_a_rebuild_is_not_called_complete(redis: Redis, monkeypatch: Any) -> None:
    """Interrupted between two portions, it goes on where it was."""
    monkeypatch.setattr(taking, "PORTION", 2)
    merchant = open_merchant()
    for number in range(5):
        pay(merchant, f"pay_{number}")
    assert not at_edge(taking.settle_portion)(consumer=REVENUE).is_complete
    assert (StreamConsumer.objects.get().settled_at, totals()) == (None, [("USD", 2000, 2, 0, 0)])
    assert settle(consumer=REVENUE) == 3
    assert StreamConsumer.objects.get().settled_at is not None
    assert totals() == [("USD", 5000, 5, 0, 0)]


def test_a_broker_that_is_away_ends_no_consumer(redis: Redis, settings: Any, monkeypatch: Any) -> None:
    """It waits and settles with the feed meanwhile."""
    monkeypatch.setattr(loop, "_PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(loop, "_SETTLE_SECONDS", 0.0)
    settings.EVENT_STREAM_REDIS_URL = "redis://127.0.0.1:1/0"
    one, tries = work(), [1, 2, 3]
    pay(open_merchant(), "pay_1")
    monkeypatch.setattr(one.stop, "wait", lambda _: tries.pop() and (tries or one.stop.set()))
    assert (one.run(), totals()) == (1, [("USD", 1000, 1, 0, 0)])


def test_a_replayed_event_counts(redis: Redis, monkeypatch: Any) -> None:
    """When the cause is mended, the event of a dead letter is applied as it would have been."""
    pay(open_merchant(), "pay_1")
    real = RevenueByDay.apply

    def broken(self: Any, event: Any) -> None:
        raise ValueError("a mistake in the code")

    monkeypatch.setattr(RevenueByDay, "apply", broken)
    settle(consumer=REVENUE)
    monkeypatch.setattr(RevenueByDay, "apply", real)
    letter = DeadLetter.objects.get()
    at_edge(dead_letters.replay)(dead_letter_id=letter.pk, actor="system:test", reason="mended")
    assert totals() == [("USD", 1000, 1, 0, 0)]
    assert settle(consumer=REVENUE) == 0


def test_told_to_stop_it_leaves_the_group(redis: Redis, monkeypatch: Any) -> None:
    """What it has not read by then, settling has taken already; the repeat over the stream is nothing."""
    pay(open_merchant(), "pay_1")
    run()
    one = work()
    real = one.reader.done

    def done(received: Any) -> None:
        real(received)
        if received:
            one.stop.set()

    monkeypatch.setattr(one.reader, "done", done)
    assert (one.run(), totals(), in_hand(redis)) == (1, [("USD", 1000, 1, 0, 0)], 0)
    groups: Any = redis.xinfo_groups(KEY)
    assert groups[0]["consumers"] == 0
