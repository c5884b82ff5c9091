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

from core.failpoints import arm, fired
from core.models import DeadLetter, OutboxEvent, StatusChange
from events.models import DeliveryAttempt, InboxWork, WebhookDelivery
from tests.events.cast import Provider, open_endpoint, open_merchant, record
from tests.events.receiver import Receiver

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]
ROOT = Path(__file__).resolve().parents[2]


def drain(name: str, hooks: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run one drain in a process of its own, against the test database."""
    url = urlsplit(django_settings.DATABASE_URL)
    return subprocess.run(
        [sys.executable, "-m", "tests.events.drain_process", name],
        cwd=ROOT,
        env={
            **os.environ,
            "DATABASE_URL": urlunsplit(url._replace(path=f"/{connection.settings_dict['NAME']}")),
            "TEST_HOOKS": "True",
            "HOOKS_DIR": str(hooks),
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


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
