"""Webhooks in the console: what came, what stopped, and replays that really process."""

from typing import Any

import pytest
from django.test import Client

from core import clock, dead_letters
from core.drain import get_drain
from core.models import AuditRecord, DeadLetter
from core.transactions import at_edge
from events.errors import NotYet
from events.models import InboxWork, WebhookInbox
from tests.admin.people import console, person
from tests.admin.test_risk_desk import text
from tests.events.cast import Provider
from tests.events.conftest import _nobody_subscribed, provider, subscribed

__all__ = ["_nobody_subscribed", "provider", "subscribed"]

pytestmark = pytest.mark.usefixtures("hooks")
LIST = "/admin/events/webhookinbox/"
EVIL = "<script>alert(1)</script>"


def run() -> int:
    return get_drain("inbox").run()


class Moody:
    """A subscriber that fails until it is well."""

    def __init__(self, error: Exception) -> None:
        self.error: Exception | None = error

    def __call__(self, delivery: Any) -> None:
        if self.error:
            raise self.error


def page(row: Any) -> str:
    return f"{LIST}{row.pk}/change/"


def replay(client: Client, work: InboxWork, reason: str = "mended") -> Any:
    return client.post(f"/admin/events/inboxwork/{work.pk}/replay/", {"reason": reason})


def die(provider: Provider, event: str) -> InboxWork:
    """Deliver an event and let handling it fail for good."""
    assert provider.deliver(provider.event(event)).status_code == 200
    for _ in range(14):
        run()
        clock.move(seconds=700)
    return InboxWork.objects.get(inbox__provider_event_id=event)


def test_a_dead_webhook_is_replayed_and_handled_once(provider: Provider, subscribed: Any) -> None:
    moody = Moody(RuntimeError(EVIL))
    seen = subscribed("thing.", moody)
    work = die(provider, "evt_1")
    assert work.status == "DEAD"
    client, inbox = console(person("ola", "operator")), WebhookInbox.objects.get()
    shown = client.get(page(inbox)).content.decode()
    assert EVIL not in shown and "&lt;script&gt;" in shown and "/replay/" in shown
    assert replay(client, work, " ").status_code == 200
    assert InboxWork.objects.get().status == "DEAD", "no reason, no replay"
    moody.error = None
    before = len(seen)
    assert replay(client, work).status_code == 302
    assert DeadLetter.objects.get().status == "REPLAYED"
    run()
    assert (InboxWork.objects.get().status, len(seen)) == ("DONE", before + 1)
    replay(client, work)
    run()
    assert len(seen) == before + 1, "what is done is not done again"
    assert AuditRecord.objects.get(action="dead_letter.replay").reason == "mended"


def test_one_that_was_dropped_can_still_be_replayed(provider: Provider, subscribed: Any) -> None:
    moody = Moody(RuntimeError("boom"))
    subscribed("thing.", moody)
    work = die(provider, "evt_1")
    letter = DeadLetter.objects.get()
    at_edge(dead_letters.drop)(dead_letter_id=letter.pk, actor="user:1", reason="not needed")
    moody.error = None
    replay(console(person("ola", "operator")), work)
    run()
    assert InboxWork.objects.get().status == "DONE"
    assert AuditRecord.objects.get(action="inbox.replay").detail["from"] == "DEAD"


@pytest.mark.parametrize("status", ["DEAD", "PARKED"])
def test_many_are_replayed_together(provider: Provider, subscribed: Any, status: str) -> None:
    moody = Moody(RuntimeError("boom") if status == "DEAD" else NotYet("no charge yet"))
    subscribed("thing.", moody)
    for number in range(3):
        provider.deliver(provider.event(f"evt_{number}"))
    for _ in range(14 if status == "DEAD" else 1):
        run()
        clock.move(seconds=700 if status == "DEAD" else 0)
    assert set(InboxWork.objects.values_list("status", flat=True)) == {status}
    client = console(person("ola", "operator"))
    address = f"/admin/events/inboxwork/replay-stopped/{status}/"
    assert "Replay" in text(client.get(address))
    assert client.post(address, {"reason": ""}).status_code == 422
    moody.error = None
    assert client.post(address, {"reason": "mended"}).status_code == 302
    run()
    assert set(InboxWork.objects.values_list("status", flat=True)) == {"DONE"}


def test_filters_find_what_stopped(provider: Provider, subscribed: Any) -> None:
    moody = Moody(NotYet("no charge yet"))
    subscribed("thing.", moody)
    provider.deliver(provider.event("evt_parked"))
    run()
    moody.error = None
    provider.deliver(provider.event("evt_fine"))
    run()
    provider.deliver(provider.event("evt_live", livemode=True))
    client = console(person("ola", "operator"))
    for query, event in (
        ("?state=PARKED", "evt_parked"),
        ("?state=QUARANTINED", "evt_live"),
        ("?q=evt_fine", "evt_fine"),
    ):
        shown = client.get(f"{LIST}{query}").content.decode()
        found = [each for each in ("evt_parked", "evt_live", "evt_fine") if f">{each}<" in shown]
        assert found == [event], query


def test_who_may_look_and_who_may_replay(provider: Provider, subscribed: Any) -> None:
    """A-E3: only operators replay; personal data in what was sent is shown to nobody."""
    subscribed("thing.", Moody(RuntimeError("boom")))
    provider.deliver(provider.event("evt_2", data={"object": {"id": "pi_1", "email": "mia@example.com"}}))
    work, inbox = InboxWork.objects.get(), WebhookInbox.objects.get()
    assert inbox.about == "pi_1"
    for role in ("support", "finance_maker", "finance_checker", "auditor"):
        client = console(person(role, role))
        shown = client.get(page(inbox))
        assert shown.status_code == 200 and b"mia@example.com" not in shown.content, role
        assert b"/replay/" not in shown.content, role
        assert replay(client, work).status_code == 403, role
        many = client.post("/admin/events/inboxwork/replay-stopped/DEAD/", {"reason": "x"})
        assert many.status_code == 403, role
    assert console(person("rita", "risk")).get(LIST).status_code == 403
