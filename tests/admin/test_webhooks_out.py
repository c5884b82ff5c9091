"""Webhooks out in the console: how endpoints do, what was answered, and buttons that need a reason."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from core import clock
from core.drain import get_drain
from core.ids import public_id, uuid7
from core.models import AuditRecord, Case
from events import admin_endpoints, redeliveries
from events.deliveries import DeliveryDrain
from events.models import DeliveryAttempt, WebhookDelivery, WebhookEndpoint
from tests.admin.people import console, person
from tests.admin.test_risk_desk import text
from tests.events.cast import open_endpoint, open_merchant, record
from tests.events.conftest import loopback, receiver
from tests.events.receiver import Receiver

__all__ = ["loopback", "receiver"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("hooks")]
ENDPOINTS, DELIVERIES = "/admin/events/webhookendpoint/", "/admin/events/webhookdelivery/"
EVIL = "<script>alert(1)</script>"


@pytest.fixture
def merchant(transactional_db: None) -> UUID:
    return open_merchant()


@pytest.fixture
def client(merchant: UUID) -> Client:
    return console(person("ola", "operator"))


def run() -> None:
    get_drain("relay").run()
    DeliveryDrain().run()


def endpoint_page(endpoint: Any, name: str = "change") -> str:
    return f"{ENDPOINTS}{endpoint.pk}/{name}/"


def test_the_page_of_an_endpoint_tells_how_it_does(
    merchant: UUID, client: Client, receiver: Receiver
) -> None:
    url = f"{receiver.url}?token=s3cret"
    made = open_endpoint(merchant, url)
    endpoint = WebhookEndpoint.objects.get()
    assert "Nothing has happened yet" in text(client.get(endpoint_page(endpoint)))
    record(merchant, "pay_1", 1)
    run()
    receiver.behave = lambda handler: handler.answer(500)
    record(merchant, "pay_2", 1)
    run()
    listing = text(client.get(ENDPOINTS))
    assert f"127.0.0.1:{receiver.port}" in listing and "50 %" in listing and "s3cret" not in listing
    shown = text(client.get(endpoint_page(endpoint)))
    for words in ("Enabled", "50 %", "(1/2)", "pay_1", "pay_2", "Delivered", "Pending", "Pause"):
        assert words in shown, words
    assert made.secret not in shown
    for key, is_found in ((endpoint.pk, True), (uuid7(), False)):
        listing = text(client.get(f"{ENDPOINTS}?q={public_id('whe', key)}"))
        assert (f"whe_…{endpoint.public_id[-6:]}" in listing) is is_found


def test_what_a_store_answers_is_only_text(merchant: UUID, client: Client, receiver: Receiver) -> None:
    """A-F15: URL, types, errors and bodies of others are escaped, whatever is in them."""
    open_endpoint(merchant, f"{receiver.url}?%22%3E'")
    record(merchant, "pay_1", 1, kind=EVIL[:30])
    run()
    delivery = WebhookDelivery.objects.get()
    DeliveryAttempt.objects.create(
        merchant_id=merchant,
        delivery=delivery,
        number=2,
        http_status=500,
        duration_ms=1,
        body=EVIL,
        error=EVIL,
        at=clock.now(),
    )
    for address in (
        ENDPOINTS,
        endpoint_page(WebhookEndpoint.objects.get()),
        DELIVERIES,
        f"{DELIVERIES}{delivery.pk}/change/",
    ):
        shown = client.get(address)
        assert shown.status_code == 200
        assert EVIL[:30] not in shown.content.decode(), address
    assert shown.content.decode().count("&lt;script&gt;") >= 3


def test_an_endpoint_is_paused_resumed_and_disabled_with_a_reason(
    merchant: UUID, client: Client, receiver: Receiver
) -> None:
    open_endpoint(merchant, receiver.url)
    for name, status in (("pause", "PAUSED"), ("resume", "ENABLED"), ("disable", "DISABLED")):
        before = WebhookEndpoint.objects.get()
        assert client.post(endpoint_page(before, name), {"reason": " "}).status_code == 200
        assert WebhookEndpoint.objects.get().status == before.status, "no reason, no change"
        assert client.post(endpoint_page(before, name), {"reason": f"to {name}"}).status_code == 302
        row = WebhookEndpoint.objects.get()
        assert row.status == status
        audit = AuditRecord.objects.get(action=f"webhook_endpoint.{name}")
        assert (audit.reason, audit.subject, audit.merchant_id) == (f"to {name}", row.public_id, merchant)
        assert audit.actor.startswith("user:")
    shown = text(client.get(endpoint_page(row)))
    assert "to pause" in shown and "ola" in shown and "Disable for good" not in shown
    assert client.get(endpoint_page(row, "pause")).status_code == 302


def test_a_paused_endpoint_is_an_alert_until_somebody_acts(
    merchant: UUID, client: Client, receiver: Receiver
) -> None:
    """F-J2: the notice that people see."""
    receiver.behave = lambda handler: handler.answer(500)
    open_endpoint(merchant, receiver.url)
    record(merchant, "pay_1", 1)
    get_drain("relay").run()
    WebhookDelivery.objects.update(attempts=9)
    run()
    endpoint = WebhookEndpoint.objects.get()
    overview = text(client.get("/admin/"))
    assert "webhooks are paused" in overview and "runbooks.md#webhook-endpoint-failing" in overview
    assert "The store knows" in text(client.get(endpoint_page(endpoint)))
    client.post(endpoint_page(endpoint, "acknowledge"), {"reason": "called them"})
    assert (Case.objects.get().status, Case.objects.get().resolution) == ("CLOSED", "called them")
    assert "webhooks are paused" not in text(client.get("/admin/"))
    assert WebhookEndpoint.objects.get().status == "PAUSED"


def test_one_delivery_is_sent_again(merchant: UUID, client: Client, receiver: Receiver) -> None:
    open_endpoint(merchant, receiver.url)
    [event] = record(merchant, "pay_1", 1)
    run()
    delivery = WebhookDelivery.objects.get()
    page = f"{DELIVERIES}{delivery.pk}/redeliver/"
    assert client.post(page, {"reason": ""}).status_code == 200
    assert WebhookDelivery.objects.get().status == "DELIVERED"
    assert client.post(page, {"reason": "they lost it"}).status_code == 302
    run()
    assert [got.event_id for got in receiver.got] == [public_id("evt", event)] * 2
    assert AuditRecord.objects.get(action="webhook_endpoint.redeliver").reason == "they lost it"
    shown = text(client.get(f"{DELIVERIES}{delivery.pk}/change/"))
    assert "Send again" in shown and public_id("evt", event) in shown
    for query in (f"?q={public_id('evt', event)}", "?q=pay_1", f"?endpoint={delivery.endpoint_id}"):
        assert "payment.succeeded" in text(client.get(DELIVERIES + query)), query
    for query in ("?q=pay_2", f"?endpoint={uuid7()}", "?endpoint=x", f"?q={'x' * 70}"):
        assert "payment.succeeded" not in text(client.get(DELIVERIES + query)), query
    failed = f"?endpoint={delivery.endpoint_id}&state=FAILED"
    assert "payment.succeeded" not in text(client.get(DELIVERIES + failed))


def test_a_range_is_sent_again_in_portions(
    merchant: UUID, client: Client, receiver: Receiver, monkeypatch: Any
) -> None:
    monkeypatch.setattr(redeliveries, "PORTION", 2)
    monkeypatch.setattr(admin_endpoints, "_MOST_PORTIONS", 2)
    open_endpoint(merchant, receiver.url)
    record(merchant, "pay_1", *range(1, 6))
    run()
    endpoint = WebhookEndpoint.objects.get()
    page, now = endpoint_page(endpoint, "redeliver"), clock.now()
    assert "Send a range again" in text(client.get(page))
    form = {
        "since": f"{now - timedelta(hours=1):%Y-%m-%d %H:%M}",
        "until": f"{now + timedelta(hours=1):%Y-%m-%d %H:%M}",
        "status": "delivered",
        "reason": "they lost them",
    }
    for wrong in ({"reason": ""}, {"since": "x"}, {"until": form["since"]}, {"status": "PENDING"}):
        assert client.post(page, {**form, **wrong}).status_code == 422, wrong
    assert not WebhookDelivery.objects.filter(status="PENDING").exists()
    first = client.post(page, form)
    assert first.status_code == 200 and "4 are sent again" in first.content.decode()
    after = first.content.decode().split('name="after" value="')[1].split('"')[0]
    assert client.post(page, {**form, "after": after}).status_code == 302
    assert WebhookDelivery.objects.filter(status="PENDING").count() == 5
    run()
    assert len(receiver.got) == 10
    records = AuditRecord.objects.filter(action="webhook_endpoint.redeliver")
    assert [each.detail["count"] for each in records.order_by("seq")] == [2, 2, 1]


def test_who_may_look_and_who_may_act(merchant: UUID, receiver: Receiver) -> None:
    """A-E3: only operators act, also when somebody knows the address of the button."""
    open_endpoint(merchant, receiver.url)
    record(merchant, "pay_1", 1)
    run()
    endpoint, delivery = WebhookEndpoint.objects.get(), WebhookDelivery.objects.get()
    pages = [endpoint_page(endpoint, name) for name in ("pause", "disable", "redeliver", "acknowledge")]
    pages.append(f"{DELIVERIES}{delivery.pk}/redeliver/")
    for role in ("support", "auditor"):
        client = console(person(role, role))
        for address in (ENDPOINTS, endpoint_page(endpoint), DELIVERIES, f"{DELIVERIES}{delivery.pk}/change/"):
            shown = client.get(address)
            assert shown.status_code == 200, (role, address)
            assert b"/redeliver/" not in shown.content and b"/pause/" not in shown.content
        for address in pages:
            assert client.post(address, {"reason": "x"}).status_code == 403, (role, address)
    assert console(person("rita", "risk")).get(ENDPOINTS).status_code == 403
    assert (WebhookEndpoint.objects.get().status, WebhookDelivery.objects.get().status) == (
        "ENABLED",
        "DELIVERED",
    )
