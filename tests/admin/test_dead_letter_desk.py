"""Every queue that buries work can be replayed and dropped at the desk."""

import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from core import dead_letters
from core.ids import public_id
from core.models import DeadLetter
from core.transactions import at_edge
from events.consumers.taking import consumers, get_consumer, queue_of
from payments.models import PaymentEvent, PspOperation
from tests.admin.people import console, person
from tests.payments.conftest import Shop, counter

__all__ = ["counter"]

pytestmark = pytest.mark.django_db(transaction=True)
bury = at_edge(dead_letters.bury)
APPS = ("core", "channels", "merchants", "events", "ledger", "wallet", "risk", "payments")


def queues() -> set[str]:
    """The queues that product code buries work in, by their names, a constant, or one for each consumer."""
    found = set()
    for app in APPS:
        for path in Path(settings.BASE_DIR, app).rglob("*.py"):
            source = path.read_text()
            for name in re.findall(r"\bbury\(\s*queue=([^,]+),", source):
                if name == "queue_of(consumer)":
                    found |= {queue_of(get_consumer(each)) for each in consumers()}
                    continue
                given = re.search(rf"^from ([a-z_.]+) import .*\b{re.escape(name)}\b", source, re.MULTILINE)
                if given:
                    found.add(str(getattr(import_module(given[1]), name)))
                    continue
                constant = re.search(rf'^{re.escape(name)} = "([a-z_]+)"', source, re.MULTILINE)
                found.add(constant[1] if constant else name.strip('"'))
    return found


def bury_operation(operation: PspOperation) -> DeadLetter:
    return bury(
        queue="operations",
        subject=public_id("op", operation.id),
        error="x",
        attempts=8,
        detail={"operation_id": str(operation.id)},
    )


def test_every_queue_can_be_replayed() -> None:
    assert {"operations", "expiry", "inbox", "risk_checks", "consumer:daily_revenue"} <= queues()
    assert [queue for queue in sorted(queues()) if not dead_letters.can_replay(queue)] == []


def press(letter: DeadLetter, button: str, role: str = "operator") -> Any:
    client = console(person(f"{role}-{button}-{letter.queue}", role))
    return client.post(f"/admin/core/deadletter/{letter.pk}/{button}/", {"reason": "mended"})


def test_replaying_at_the_desk_makes_the_work_due(counter: Shop) -> None:
    counter.accept(counter.body())
    operation, checkout = PspOperation.objects.get(), PaymentEvent.objects.get()
    PspOperation.objects.update(due_at=None, attempts=8)
    PaymentEvent.objects.update(expiry_started_at=checkout.created_at)
    first = bury_operation(operation)
    second = bury(queue="expiry", subject=public_id("chk", checkout.id), error="x", attempts=1)
    assert press(first, "replay", "auditor").status_code == 403
    assert press(first, "replay").status_code == press(second, "replay").status_code == 302
    operation.refresh_from_db()
    checkout.refresh_from_db()
    assert (operation.due_at is not None, operation.attempts, checkout.expiry_started_at) == (True, 0, None)
    assert set(DeadLetter.objects.values_list("status", flat=True)) == {"REPLAYED"}


def test_work_without_an_outcome_is_not_dropped(counter: Shop) -> None:
    """Otherwise nobody would ever ask about it again, and the buyer's money would be out of sight."""
    counter.accept(counter.body())
    operation = PspOperation.objects.get()
    PspOperation.objects.update(due_at=None)
    letter = bury_operation(operation)
    answer = press(letter, "drop")
    assert answer.status_code == 200 and b"nobody would ever know" in answer.content
    assert DeadLetter.objects.get().status == "OPEN"
    assert press(letter, "replay").status_code == 302


def test_what_need_not_be_done_is_dropped() -> None:
    letter = bury(queue="expiry", subject="chk_x", error="x", attempts=1)
    assert press(letter, "drop").status_code == 302
    assert DeadLetter.objects.get().status == "DROPPED"
