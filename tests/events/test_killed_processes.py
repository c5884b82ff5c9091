"""Real processes, really killed, at the worst places; a second one finishes what the first began."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.conf import settings as django_settings
from django.db import connection
from redis import Redis

from core.failpoints import arm, fired
from core.models import DeadLetter, OutboxEvent, StatusChange
from events.models import DailyRevenue, DeliveryAttempt, InboxWork, StreamPosition, WebhookDelivery
from events.streams.redis_stream import KEY
from tests.events.cast import Provider, open_endpoint, open_merchant, record
from tests.events.receiver import Receiver
from tests.events.streaming import feed, let_lease_end, places, publish, run
from tests.waiting import eventually

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]
ROOT = Path(__file__).resolve().parents[2]


def drain(name: str, hooks: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run one drain in a process of its own, against the test database."""
    return subprocess.run(
        [sys.executable, "-m", "tests.events.drain_process", name],
        cwd=ROOT,
        env={**around(hooks), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def around(hooks: Path) -> dict[str, str]:
    """Return the environment of a process of ours: the test database, and the failpoints of this test."""
    url = urlsplit(django_settings.DATABASE_URL)
    return {
        **os.environ,
        "DATABASE_URL": urlunsplit(url._replace(path=f"/{connection.settings_dict['NAME']}")),
        "TEST_HOOKS": "True",
        "HOOKS_DIR": str(hooks),
    }


def finish(name: str, hooks: Path, table: str, owner_sql: Any) -> None:
    """Let the dead process's leases run out, and run the drain again."""
    if table:
        owner_sql(f"UPDATE {table} SET leased_until = now() - interval '1 second'")
    done = drain(name, hooks, WEBHOOK_ALLOWED_NETWORKS="127.0.0.1/32")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("place", ["inbox.claimed", "inbox.applied"])
def test_the_inbox(provider: Provider, subscribed: Any, hooks: Path, owner_sql: Any, place: str) -> None:
    """F-C8, F-C9: killed before and during processing; the effect and the mark come once, together."""
    subscribed()
    provider.deliver(provider.event())
    arm(place, "kill")
    assert drain("inbox", hooks).returncode == -signal.SIGKILL
    assert len(fired(place)) == 1
    assert (InboxWork.objects.get().status, DeadLetter.objects.count()) == ("RECEIVED", 0)
    finish("inbox", hooks, "events_inboxwork", owner_sql)
    assert (InboxWork.objects.get().status, DeadLetter.objects.get().subject) == ("DONE", "evt_1")
    assert StatusChange.objects.filter(to_state="DONE").count() == 1


@pytest.mark.parametrize(("place", "kept"), [("relay.stamped", 0), ("relay.committed", 3)])
def test_the_relay(loopback: None, hooks: Path, owner_sql: Any, place: str, kept: int) -> None:
    """F-D2, F-D15: killed before the commit, and after it but before anybody was told."""
    merchant = open_merchant()
    open_endpoint(merchant, "http://127.0.0.1:9/")
    record(merchant, "pay_1", 1, 2, 3)
    arm(place, "kill")
    assert drain("relay", hooks).returncode == -signal.SIGKILL
    published = OutboxEvent.objects.exclude(published_seq=None)
    assert (published.count(), WebhookDelivery.objects.count()) == (kept, kept)
    finish("relay", hooks, "", owner_sql)
    order = published.order_by("published_seq").values_list("sequence", flat=True)
    assert (list(order), WebhookDelivery.objects.count()) == ([1, 2, 3], 3)


@pytest.mark.parametrize(("place", "sent"), [("deliveries.claimed", 0), ("deliveries.sent", 1)])
def test_the_deliveries(receiver: Receiver, hooks: Path, owner_sql: Any, place: str, sent: int) -> None:
    """F-J4: killed before the POST, and after it but before the mark; the repeat has the same id."""
    merchant = open_merchant()
    open_endpoint(merchant, receiver.url)
    record(merchant, "pay_1", 1)
    assert drain("relay", hooks).returncode == 0
    arm(place, "kill")
    killed = drain("deliveries", hooks, WEBHOOK_ALLOWED_NETWORKS="127.0.0.1/32")
    assert killed.returncode == -signal.SIGKILL
    assert (len(receiver.got), DeliveryAttempt.objects.count()) == (sent, 0)
    finish("deliveries", hooks, "events_webhookdelivery", owner_sql)
    assert (len(receiver.got), WebhookDelivery.objects.get().status) == (sent + 1, "DELIVERED")
    assert len({(got.event_id, got.body) for got in receiver.got}) == 1


@pytest.mark.parametrize(("place", "sent"), [("stream.before", 0), ("stream.sent", 3)])
def test_the_publisher(redis: Redis, hooks: Path, owner_sql: Any, place: str, sent: int) -> None:
    """F-D15: killed before Redis had the entries, and after it but before the position moved: all, once."""
    publish(open_merchant(), "pay_1", 1, 2, 3)
    arm(place, "kill")
    assert drain("stream", hooks).returncode == -signal.SIGKILL
    assert (len(places(redis)), StreamPosition.objects.get().published_seq) == (sent, 0)
    let_lease_end(owner_sql)
    assert run() == 3
    assert (places(redis), StreamPosition.objects.get().published_seq) == (feed(), feed()[-1])


def consuming(hooks: Path) -> "subprocess.Popen[str]":
    """Start the command as an operator does."""
    return subprocess.Popen(
        [sys.executable, "manage.py", "consume_events", "daily_revenue"],
        cwd=ROOT,
        env=around(hooks),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_the_consumer(redis: Redis, hooks: Path) -> None:
    """Killed between its effect and the acknowledgment: it counts once. The next one stops when told."""
    merchant, paid = open_merchant(), {"captured": "10.00", "currency": "USD"}

    def readers() -> int:
        groups: Any = redis.xinfo_groups(KEY) if redis.exists(KEY) else []
        return sum(group["consumers"] for group in groups)

    arm("consumer.taken", "kill")
    with consuming(hooks) as killed:
        eventually(lambda: readers() == 1 or killed.poll() is not None, within=60, what="it reads")
        publish(merchant, "pay_1", 1, thing=paid)
        run()
        assert killed.wait(60) == -signal.SIGKILL
    assert (DailyRevenue.objects.get().paid_minor, redis.xpending(KEY, "daily_revenue")["pending"]) == (
        1000,
        1,
    )
    with consuming(hooks) as heir:
        eventually(lambda: readers() == 2 or heir.poll() is not None, within=60, what="the next one reads")
        publish(merchant, "pay_2", 1, thing=paid)
        run()
        eventually(lambda: DailyRevenue.objects.get().paid_minor == 2000, what="it takes what is new")
        heir.send_signal(signal.SIGTERM)
        assert heir.wait(60) == 0
        assert heir.stdout is not None and "1 events taken" in heir.stdout.read()
    assert DailyRevenue.objects.get().payments == 2
