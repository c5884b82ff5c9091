"""Sending again: the same id and body under a fresh signature, one event or a range, as often as it takes."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from standardwebhooks import Webhook

from core import clock
from core.audits import run_audits
from core.drain import get_drain
from core.ids import public_id
from core.models import AuditRecord, AuditResult, StatusChange
from core.transactions import at_edge
from events import redeliveries, targets
from events.deliveries import DeliveryDrain
from events.models import DeliveryAttempt, WebhookDelivery
from events.services import disable_endpoint, pause_endpoint, resume_endpoint
from events.types import IssuedEndpoint
from tests.events.cast import open_endpoint, record
from tests.events.receiver import Receiver, accept
from tests.racing import race
from tests.store import Store, error, open_store

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("hooks")]


@pytest.fixture
def store(transactional_db: None) -> Store:
    return open_store()


@pytest.fixture
def endpoint(store: Store, receiver: Receiver) -> IssuedEndpoint:
    return open_endpoint(store.merchant_id, receiver.url)


def run() -> int:
    get_drain("relay").run()
    return DeliveryDrain().run()


def body(response: HttpResponse, status: int = 201) -> dict[str, Any]:
    assert response.status_code == status, response.content
    found: dict[str, Any] = json.loads(response.content)
    return found


def again(store: Store, event: Any, **sent: str) -> HttpResponse:
    return store.post(f"/v1/events/{public_id('evt', event)}/redeliveries", sent)


def stamp(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


class Range:
    """A range of an endpoint's deliveries, asked for in the API."""

    def __init__(self, store: Store, endpoint: IssuedEndpoint, since: datetime, until: datetime) -> None:
        self.store, self.path = store, f"/v1/webhook_endpoints/{endpoint.endpoint.public_id}/redeliveries"
        self.times = {"created_gte": stamp(since), "created_lt": stamp(until)}

    def ask(self, **more: Any) -> HttpResponse:
        return self.store.post(self.path, {**self.times, **more})


def test_the_same_id_and_body_with_a_fresh_signature(
    store: Store, endpoint: IssuedEndpoint, receiver: Receiver
) -> None:
    """The row is the same, its tries go on counting, and its history says who asked."""
    [event] = record(store.merchant_id, "pay_1", 1)
    assert run() == 1
    clock.move(seconds=3600)
    [shown] = body(again(store, event))["data"]
    assert (shown["status"], shown["event"], len(shown["attempts"])) == (
        "pending",
        public_id("evt", event),
        1,
    )
    assert shown["redelivered_at"] == shown["next_attempt_at"]
    assert run() == 1
    first, second = receiver.got
    assert (first.event_id, first.body) == (second.event_id, second.body)
    stamps = [int(got.headers["webhook-timestamp"]) for got in receiver.got]
    assert stamps[1] - stamps[0] >= 3600
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]
    assert (
        Webhook(endpoint.secret).sign(
            second.event_id, datetime.fromtimestamp(stamps[1], clock.now().tzinfo), second.body.decode()
        )
        == (second.headers["webhook-signature"])
    )
    delivery = WebhookDelivery.objects.get()
    assert (delivery.status, delivery.attempts, delivery.earlier_attempts) == ("DELIVERED", 1, 1)
    assert list(DeliveryAttempt.objects.values_list("number", flat=True)) == [1, 2]
    moves = StatusChange.objects.filter(subject_id=delivery.pk).order_by("id")
    assert [(each.from_state, each.to_state) for each in moves] == [
        ("PENDING", "DELIVERED"),
        ("DELIVERED", "PENDING"),
        ("PENDING", "DELIVERED"),
    ]
    assert moves[1].actor == public_id("key", store.key_id)
    assert AuditRecord.objects.get(action="webhook_endpoint.redeliver").detail == {
        "event": public_id("evt", event)
    }
    run_audits()
    assert not AuditResult.objects.filter(violations__gt=0).exists()


def test_one_that_failed_has_the_whole_schedule_again(
    store: Store, endpoint: IssuedEndpoint, receiver: Receiver
) -> None:
    receiver.behave = lambda handler: handler.answer(500)
    [event] = record(store.merchant_id, "pay_1", 1)
    get_drain("relay").run()
    WebhookDelivery.objects.update(attempts=9)
    run()
    assert WebhookDelivery.objects.get().status == "FAILED"
    at_edge(resume_endpoint)(
        merchant_id=store.merchant_id, endpoint_id=endpoint.endpoint.id, why="it is back"
    )
    body(again(store, event, webhook_endpoint=endpoint.endpoint.public_id))
    assert run() >= 1
    delivery = WebhookDelivery.objects.get(event_id=event)
    assert (delivery.status, delivery.attempts, delivery.tries_so_far) == ("PENDING", 1, 11)
    receiver.behave = accept
    body(again(store, event))
    assert run() >= 1
    assert list(delivery.tries.order_by("id").values_list("number", "http_status")) == [
        (10, 500),
        (11, 500),
        (12, 200),
    ]


def test_an_endpoint_that_never_was_to_get_it_gets_it(
    store: Store, endpoint: IssuedEndpoint, receiver: Receiver
) -> None:
    """An endpoint that is younger than the event, once it is named; unnamed, it is nobody's business."""
    [event] = record(store.merchant_id, "pay_1", 1)
    run()
    later = open_endpoint(store.merchant_id, f"{receiver.url}/later", "seller.created")
    assert len(body(again(store, event))["data"]) == 1
    for _ in range(2):
        [shown] = body(again(store, event, webhook_endpoint=later.endpoint.public_id))["data"]
        assert (shown["webhook_endpoint"], shown["status"]) == (later.endpoint.public_id, "pending")
    run()
    assert {got.event_id for got in receiver.got} == {public_id("evt", event)}
    [there] = [got for got in receiver.got if got.path.endswith("/later")]
    Webhook(later.secret).verify(there.body, there.headers)
    assert WebhookDelivery.objects.filter(status="DELIVERED").count() == 2


def test_what_is_off_gets_nothing_and_what_is_paused_gets_it_later(
    store: Store, endpoint: IssuedEndpoint, receiver: Receiver
) -> None:
    [event] = record(store.merchant_id, "pay_1", 1)
    run()
    whose: dict[str, Any] = {"merchant_id": store.merchant_id, "endpoint_id": endpoint.endpoint.id}
    at_edge(pause_endpoint)(**whose, why="maintenance")
    body(again(store, event))
    assert (run(), len(receiver.got)) == (0, 1)
    at_edge(resume_endpoint)(**whose, why="done")
    run()
    assert [got.event_id for got in receiver.got].count(public_id("evt", event)) == 2
    at_edge(disable_endpoint)(**whose, why="removed")
    assert body(again(store, event))["data"] == []
    named = again(store, event, webhook_endpoint=endpoint.endpoint.public_id)
    assert error(named)[:2] == (409, "endpoint_disabled")
    now = clock.now()
    refused = Range(store, endpoint, now - timedelta(days=1), now + timedelta(days=1)).ask()
    assert error(refused)[:2] == (409, "endpoint_disabled")


def test_a_range_goes_again_in_portions_with_an_honest_count(
    store: Store, endpoint: IssuedEndpoint, receiver: Receiver, monkeypatch: Any
) -> None:
    monkeypatch.setattr(redeliveries, "PORTION", 3)
    since = clock.now()
    record(store.merchant_id, "pay_1", *range(1, 6))
    run()
    receiver.behave = lambda handler: handler.answer(500)
    record(store.merchant_id, "pay_2", 1, 2)
    get_drain("relay").run()
    WebhookDelivery.objects.filter(status="PENDING").update(attempts=9)
    run()
    receiver.behave = accept
    clock.move(seconds=60)
    until = clock.now()
    clock.move(seconds=60)
    record(store.merchant_id, "pay_later", 1)
    get_drain("relay").run()
    wanted = Range(store, endpoint, since, until)
    failed = body(wanted.ask(status="failed"))
    assert (failed["redelivered"], failed["has_more"], failed["next_cursor"]) == (2, False, None)
    counts, more = [], {}
    while True:
        portion = body(wanted.ask(status="delivered", **more))
        counts.append(portion["redelivered"])
        if not portion["has_more"]:
            break
        more = {"cursor": portion["next_cursor"]}
    assert counts == [3, 2]
    assert body(wanted.ask())["redelivered"] == 0, "what still waits is left alone"
    audits = AuditRecord.objects.filter(action="webhook_endpoint.redeliver").order_by("seq")
    assert [each.detail["count"] for each in audits] == [2, 3, 2, 0]
    before = len(receiver.got)
    at_edge(resume_endpoint)(
        merchant_id=store.merchant_id, endpoint_id=endpoint.endpoint.id, why="it is back"
    )
    run()
    assert {json.loads(got.body)["subject"] for got in receiver.got[before:]} >= {"pay_1", "pay_2"}
    assert set(WebhookDelivery.objects.values_list("status", flat=True)) == {"DELIVERED"}


def test_what_is_no_range(store: Store, endpoint: IssuedEndpoint) -> None:
    path = f"/v1/webhook_endpoints/{endpoint.endpoint.public_id}/redeliveries"
    times = {"created_gte": "2026-01-01T00:00:00Z", "created_lt": "2026-01-02T00:00:00Z"}
    cases: list[tuple[dict[str, Any], str, str]] = [
        ({"created_gte": None}, "invalid_field", "created_gte"),
        ({"created_gte": "yesterday"}, "invalid_field", "created_gte"),
        ({"created_gte": 5}, "invalid_field", "created_gte"),
        ({"created_gte": "9999-12-31T23:59:59-23:59"}, "invalid_field", "created_gte"),
        ({"created_gte": "9999-12-31T23:59:59Z"}, "invalid_field", "created_lt"),
        ({"created_lt": "2026-01-01T00:00:00Z"}, "invalid_field", "created_lt"),
        ({"created_lt": "2026-02-01T00:00:01Z"}, "invalid_field", "created_lt"),
        ({"status": "pending"}, "invalid_field", "status"),
        ({"cursor": "x"}, "invalid_field", "cursor"),
        ({"limit": 5}, "unknown_field", "limit"),
    ]
    for sent, code, param in cases:
        assert error(store.post(path, {**times, **sent})) == (422, code, param), sent
    assert error(store.post(path, {}))[:2] == (422, "missing_field")
    assert body(store.post(path, times))["redelivered"] == 0


def test_deliveries_are_listed_with_their_attempts(
    store: Store, endpoint: IssuedEndpoint, receiver: Receiver, monkeypatch: Any
) -> None:
    """A-G7: what a private address answered is shown to nobody, what a public one answered as it is."""
    since = clock.now()
    receiver.behave = lambda handler: handler.answer(503, b"internal")
    [waiting] = record(store.merchant_id, "pay_1", 1)
    run()
    receiver.behave = lambda handler: handler.answer(200, b"<b>thanks</b>")
    monkeypatch.setattr(targets, "is_public", lambda address: True)
    clock.move(seconds=2)
    [done] = record(store.merchant_id, "pay_2", 1)
    run()
    path = f"/v1/webhook_endpoints/{endpoint.endpoint.public_id}/deliveries"

    def listed(**query: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = body(store.get(path, **query), 200)["data"]
        return found

    newest, oldest = listed()
    assert set(newest) == {
        "object",
        "id",
        "webhook_endpoint",
        "event",
        "event_type",
        "status",
        "next_attempt_at",
        "attempts",
        "created_at",
        "finished_at",
        "redelivered_at",
    }
    assert (newest["event"], newest["status"], newest["event_type"]) == (
        public_id("evt", done),
        "delivered",
        "payment.succeeded",
    )
    assert [each["response"] for each in newest["attempts"]] == ["<b>thanks</b>"]
    [attempt] = oldest["attempts"]
    assert {key: attempt[key] for key in ("number", "http_status", "error", "response")} == {
        "number": 1,
        "http_status": 503,
        "error": "answered 503",
        "response": None,
    }
    assert oldest["next_attempt_at"] is not None
    assert listed(status="pending") == [oldest] == listed(event=public_id("evt", waiting))
    assert listed(status="failed") == []
    middle = stamp(since + timedelta(seconds=1))
    assert listed(created_gte=middle) == [newest] and listed(created_lt=middle) == [oldest]
    page = body(store.get(path, limit="1"), 200)
    assert page["data"] == [newest] and listed(cursor=page["next_cursor"]) == [oldest]
    of_another_list = {"cursor": page["next_cursor"], "status": "pending"}
    for query in (
        {"status": "DONE"},
        {"event": "pay_1"},
        {"created_gte": "x"},
        {"cursor": "x"},
        of_another_list,
    ):
        assert error(store.get(path, **query))[:2] == (400, "invalid_parameter")


def test_a_removed_endpoint_shows_what_was_canceled(
    store: Store, endpoint: IssuedEndpoint, receiver: Receiver
) -> None:
    """F-J7: DELETE ends the backlog, and it stays to be looked at; it is not sent again."""
    path = f"/v1/webhook_endpoints/{endpoint.endpoint.public_id}"
    events = record(store.merchant_id, "pay_1", 1, 2)
    get_drain("relay").run()
    assert body(store.request("DELETE", path), 200)["status"] == "disabled"
    assert (run(), receiver.got) == (0, [])
    shown = body(store.get(f"{path}/deliveries", status="canceled"), 200)["data"]
    assert {each["event"] for each in shown} == {public_id("evt", event) for event in events}
    assert all(each["attempts"] == [] and each["finished_at"] for each in shown)
    assert error(again(store, events[0], webhook_endpoint=endpoint.endpoint.public_id))[:2] == (
        409,
        "endpoint_disabled",
    )


def test_many_ask_for_the_same_at_once(store: Store, endpoint: IssuedEndpoint, receiver: Receiver) -> None:
    """An event has one delivery for each endpoint, also when several make the first one at a moment."""
    [event] = record(store.merchant_id, "pay_1", 1)
    run()
    later = open_endpoint(store.merchant_id, f"{receiver.url}/later", "seller.created")
    named = {"webhook_endpoint": later.endpoint.public_id}
    answers = race([lambda: again(store, event, **named)] * 4)
    assert [answer.status_code for answer in answers] == [201] * 4
    assert WebhookDelivery.objects.filter(endpoint_id=later.endpoint.id).count() == 1
