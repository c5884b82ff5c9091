"""What goes out: signed, the same on every repeat, tried for three days, one endpoint apart from the next."""

import json
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from core import clock
from core.drain import get_drain
from core.failpoints import arm
from core.ids import public_id
from core.models import Case, StatusChange
from core.transactions import at_edge
from events import deliveries, sender
from events.deliveries import DeliveryDrain
from events.models import DeliveryAttempt, WebhookDelivery, WebhookEndpoint
from events.selectors import deliveries_of, endpoints_of
from events.services import disable_endpoint, pause_endpoint, resume_endpoint, rotate_endpoint_secret
from events.types import IssuedEndpoint
from tests.events.cast import open_endpoint, open_merchant, record
from tests.events.receiver import Handler, Receiver, accept, receiving

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def merchant() -> UUID:
    return open_merchant()


@pytest.fixture
def endpoint(merchant: UUID, receiver: Receiver) -> IssuedEndpoint:
    return open_endpoint(merchant, receiver.url)


def run() -> int:
    get_drain("relay").run()
    return DeliveryDrain().run()


def only() -> WebhookDelivery:
    return WebhookDelivery.objects.get()


def test_a_fact_arrives_signed(merchant: UUID, endpoint: IssuedEndpoint, receiver: Receiver) -> None:
    """The whole way, judged by the Standard Webhooks library of its authors."""
    [event] = record(merchant, "pay_1", 1)
    assert run() == 1
    [got] = receiver.got
    assert Webhook(endpoint.secret).verify(got.body, got.headers) == {
        "object": "event",
        "id": public_id("evt", event),
        "type": "payment.succeeded",
        "sequence": 1,
        "subject": "pay_1",
        "occurred_at": json.loads(got.body)["occurred_at"],
        "data": {"object": {"object": "payment_order", "id": "pay_1", "amount": "10.00"}},
    }
    assert (got.path, got.event_id) == ("/hooks", public_id("evt", event))
    assert got.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert got.headers["content-type"] == "application/json"
    with pytest.raises(WebhookVerificationError):
        Webhook(endpoint.secret).verify(got.body.replace(b"10.00", b"99.00"), got.headers)
    [delivery] = deliveries_of(merchant_id=merchant, event_id=event)
    assert (delivery.status, delivery.due_at) == ("DELIVERED", None)
    assert [(each.number, each.http_status, each.error) for each in delivery.tries] == [(1, 200, "")]
    [change] = StatusChange.objects.filter(subject_id=delivery.id)
    assert (change.from_state, change.to_state) == ("PENDING", "DELIVERED")
    assert run() == 0


def test_two_signatures_while_the_secret_rotates(
    merchant: UUID, endpoint: IssuedEndpoint, receiver: Receiver, hooks: Any
) -> None:
    """F-J5: both secrets verify during the overlap, only the new one after it."""
    new = at_edge(rotate_endpoint_secret)(
        merchant_id=merchant, endpoint_id=endpoint.endpoint.id, overlap=timedelta(seconds=100)
    )
    record(merchant, "pay_1", 1)
    run()
    [during] = receiver.got
    assert len(during.headers["webhook-signature"].split()) == 2
    for secret in (new.secret, endpoint.secret):
        Webhook(secret).verify(during.body, during.headers)
    clock.move(seconds=101)
    record(merchant, "pay_1", 2)
    run()
    after = receiver.got[-1]
    Webhook(new.secret).verify(after.body, after.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(endpoint.secret).verify(after.body, after.headers)


def test_killed_after_the_post(
    merchant: UUID, endpoint: IssuedEndpoint, receiver: Receiver, hooks: Any
) -> None:
    """F-J4: sent again, with the same id and the same bytes."""
    record(merchant, "pay_1", 1)
    arm("deliveries.sent", "raise")
    run()
    assert (only().status, DeliveryAttempt.objects.count()) == ("PENDING", 0)
    WebhookDelivery.objects.update(leased_until=None)
    run()
    first, second = receiver.got
    assert (first.event_id, first.body) == (second.event_id, second.body)
    assert (only().status, only().attempts) == ("DELIVERED", 1)


def test_a_sender_that_lost_its_lease_keeps_evidence_only(
    merchant: UUID, endpoint: IssuedEndpoint, receiver: Receiver
) -> None:
    """The fence: the try is appended, the state is the business of the one who took over."""
    record(merchant, "pay_1", 1)
    get_drain("relay").run()

    def taken_over(handler: Handler) -> None:
        WebhookDelivery.objects.update(fence=99)
        handler.answer(200)

    receiver.behave = taken_over
    assert DeliveryDrain().run() == 1
    assert (only().status, only().attempts, DeliveryAttempt.objects.count()) == ("PENDING", 0, 1)


def test_the_schedule_of_three_days(
    merchant: UUID, endpoint: IssuedEndpoint, receiver: Receiver, hooks: Any
) -> None:
    """F-J2: ten tries over about 75 hours; then it failed, the endpoint is paused, a case is open."""
    receiver.behave = lambda handler: handler.answer(500, b"boom")
    started = clock.now()
    record(merchant, "pay_1", 1)
    assert run() == 1
    pauses = []
    while only().status == "PENDING":
        pauses.append((only().due_at - clock.now()).total_seconds())
        clock.move(seconds=int(pauses[-1]) + 2)
        assert run() == 1
    expected = [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400]
    assert all(
        abs(pause - wanted) <= wanted * 0.11 + 2 for pause, wanted in zip(pauses, expected, strict=True)
    )
    assert timedelta(hours=65) < clock.now() - started < timedelta(hours=86)
    assert len({got.event_id for got in receiver.got}) == 1
    assert (only().status, only().attempts, DeliveryAttempt.objects.count()) == ("FAILED", 10, 10)
    assert endpoints_of(merchant_id=merchant)[0].status == "PAUSED"
    assert Case.objects.get().kind == "webhook_endpoint_failing"
    receiver.behave = accept
    record(merchant, "pay_1", 2)
    assert run() == 0
    at_edge(resume_endpoint)(merchant_id=merchant, endpoint_id=endpoint.endpoint.id, why="fixed")
    assert run() == 3
    told = [json.loads(got.body)["type"] for got in receiver.got[-3:]]
    assert set(told[:2]) == {"webhook_endpoint.paused", "payment.succeeded"}, "what waited comes first"
    assert told[2] == "webhook_endpoint.enabled"
    assert Case.objects.get().status == "CLOSED"


def test_what_waited_for_a_later_try_goes_first_when_an_endpoint_is_resumed(
    merchant: UUID, endpoint: IssuedEndpoint, receiver: Receiver, hooks: Any
) -> None:
    """The backlog does not wait for its next try of yesterday while what is new is told."""
    receiver.behave = lambda handler: handler.answer(500)
    [failing] = record(merchant, "pay_1", 1)
    get_drain("relay").run()
    WebhookDelivery.objects.update(attempts=7)
    run()
    due_at = only().due_at
    assert due_at is not None and due_at > clock.now() + timedelta(hours=12)
    whose: dict[str, Any] = {"merchant_id": merchant, "endpoint_id": endpoint.endpoint.id}
    at_edge(pause_endpoint)(**whose, why="mending")
    receiver.behave = accept
    at_edge(resume_endpoint)(**whose, why="mended")
    record(merchant, "pay_2", 1)
    run()
    assert WebhookDelivery.objects.get(event_id=failing).status == "DELIVERED"
    assert json.loads(receiver.got[1].body)["subject"] == "pay_1"


def test_one_bad_event_does_not_pause_an_endpoint_that_takes_others(
    merchant: UUID, endpoint: IssuedEndpoint, receiver: Receiver, hooks: Any
) -> None:
    [bad] = record(merchant, "pay_bad", 1)
    bad_id = public_id("evt", bad)
    receiver.behave = lambda handler: handler.answer(500 if handler.headers["webhook-id"] == bad_id else 200)
    run()
    for index in range(9):
        clock.move(seconds=100_000)
        record(merchant, f"pay_{index}", 1)
        run()
    assert WebhookDelivery.objects.get(status="FAILED").event_id == bad
    assert WebhookDelivery.objects.filter(status="DELIVERED").count() == 9
    assert endpoints_of(merchant_id=merchant)[0].status == "ENABLED"


def test_410_disables_and_cancels_the_backlog(
    merchant: UUID, endpoint: IssuedEndpoint, receiver: Receiver, hooks: Any
) -> None:
    """F-J3, F-J7: gone is gone; what waits is canceled and visible."""
    receiver.behave = lambda handler: handler.answer(500)
    record(merchant, "pay_1", 1)
    run()
    receiver.behave = lambda handler: handler.answer(410)
    record(merchant, "pay_2", 1)
    run()
    assert endpoints_of(merchant_id=merchant)[0].status == "DISABLED"
    run()
    states = WebhookDelivery.objects.order_by("created_at").values_list("status", flat=True)
    assert list(states) == ["CANCELED", "FAILED"]
    assert Case.objects.get().kind == "webhook_endpoint_gone"


def test_a_removed_endpoint_is_not_told(merchant: UUID, endpoint: IssuedEndpoint, receiver: Receiver) -> None:
    """F-J7: the backlog is canceled, with its history."""
    record(merchant, "pay_1", 1, 2)
    get_drain("relay").run()
    at_edge(disable_endpoint)(
        merchant_id=merchant, endpoint_id=endpoint.endpoint.id, why="removed", by="user:1"
    )
    assert run() == 0
    assert receiver.got == []
    assert set(WebhookDelivery.objects.values_list("status", flat=True)) == {"CANCELED"}
    assert StatusChange.objects.filter(to_state="CANCELED").count() == 2


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects_are_not_followed(
    merchant: UUID, endpoint: IssuedEndpoint, receiver: Receiver, status: int
) -> None:
    """F-J3, A-G5: a redirect is a failure, wherever it points."""
    with receiving() as elsewhere:
        receiver.behave = lambda handler: handler.answer(status, Location=elsewhere.url)
        record(merchant, "pay_1", 1)
        assert run() == 1
        assert (len(receiver.got), elsewhere.got) == (1, [])
    assert (only().status, only().attempts) == ("PENDING", 1)


@pytest.mark.parametrize(
    ("retry_after", "least", "most"),
    [("120", 120, 121), ("999999", 86_399, 86_401), ("1", 4, 6), ("garbage", 4, 6), ("-5", 4, 6), ("", 4, 6)],
)
def test_retry_after_is_obeyed(
    merchant: UUID, endpoint: IssuedEndpoint, receiver: Receiver, retry_after: str, least: int, most: int
) -> None:
    """F-J3: 429 with Retry-After; nonsense and shorter times leave the schedule as it is."""
    receiver.behave = lambda handler: handler.answer(429, Retry_After=retry_after)
    record(merchant, "pay_1", 1)
    before = clock.now()
    run()
    due_at = only().due_at
    assert due_at is not None
    assert timedelta(seconds=least) <= due_at - before <= timedelta(seconds=most + 5)


def test_nobody_is_there(merchant: UUID, loopback: None) -> None:
    with receiving() as gone:
        url = gone.url
    open_endpoint(merchant, url)
    [event] = record(merchant, "pay_1", 1)
    run()
    [delivery] = deliveries_of(merchant_id=merchant, event_id=event)
    assert delivery.status == "PENDING"
    assert [(each.http_status, each.error.split(":")[0]) for each in delivery.tries] == [
        (None, "ConnectionRefusedError")
    ]


def test_connections_are_kept(merchant: UUID, endpoint: IssuedEndpoint, receiver: Receiver) -> None:
    record(merchant, "pay_1", *range(1, 21))
    assert run() == 20
    assert len({got.client for got in receiver.got}) <= deliveries.LANES_PER_ENDPOINT
    assert [json.loads(got.body)["sequence"] for got in receiver.got] == list(range(1, 21))


def test_a_connection_that_the_other_side_closed_is_replaced(
    merchant: UUID, endpoint: IssuedEndpoint, receiver: Receiver
) -> None:
    """The second request finds the kept connection closed; it is sent on a new one, and did not fail."""

    def close_after(handler: Handler) -> None:
        handler.answer(200)
        handler.close_connection = True  # Without saying so in a header.

    receiver.behave = close_after
    record(merchant, "pay_1", 1, 2, 3)
    assert run() == 3
    assert set(DeliveryAttempt.objects.values_list("http_status", "error")) == {(200, "")}
    assert len({got.client for got in receiver.got}) == 3


def test_an_endpoint_that_hangs_holds_nobody_else(
    merchant: UUID, receiver: Receiver, monkeypatch: Any
) -> None:
    """F-J1: its own lanes time out; another endpoint is told meanwhile."""
    monkeypatch.setattr(sender, "TOTAL_SECONDS", 2.0)
    receiver.behave = lambda handler: time.sleep(4) if "hang" in handler.path else handler.answer(200)
    open_endpoint(merchant, f"http://127.0.0.1:{receiver.port}/hang", "order.slow")
    open_endpoint(merchant, receiver.url, "order.quick")
    record(merchant, "pay_slow", *range(1, 4), kind="order.slow")
    record(merchant, "pay_quick", *range(1, 101), kind="order.quick")
    run()
    when = {each.delivery_id: each.at for each in DeliveryAttempt.objects.filter(http_status=200)}
    slow = DeliveryAttempt.objects.filter(http_status=None).order_by("at")
    assert len(when) == 100
    assert {each.error for each in slow} == {"TimeoutError: timed out"}
    assert max(when.values()) < slow[0].at + timedelta(seconds=2)


def test_a_merchant_whose_endpoints_all_hang_holds_no_other(
    merchant: UUID, receiver: Receiver, monkeypatch: Any
) -> None:
    """F-J1: many hanging endpoints hold at most half of the lanes; another merchant is told meanwhile."""
    monkeypatch.setattr(sender, "TOTAL_SECONDS", 2.0)
    hanging: list[int] = []

    def behave(handler: Handler) -> None:
        if "hang" in handler.path:
            hanging.append(1)
            time.sleep(2.5)
        handler.answer(200)

    receiver.behave = behave
    for number in range(8):
        open_endpoint(merchant, f"http://127.0.0.1:{receiver.port}/hang/{number}")
    other = open_merchant()
    open_endpoint(other, receiver.url)
    record(merchant, "pay_slow", 1)
    record(other, "pay_quick", *range(1, 21))
    get_drain("relay").run()
    DeliveryDrain().run(seconds=1.0)
    quick = DeliveryAttempt.objects.filter(http_status=200).order_by("at")
    slow = DeliveryAttempt.objects.filter(http_status=None).order_by("at")
    assert (quick.count(), len(hanging) >= deliveries.LANES_PER_MERCHANT) == (20, True)
    assert quick[19].at < slow[0].at + timedelta(seconds=2)
    at_once = [each.at for each in slow if each.at < slow[0].at + timedelta(seconds=1)]
    assert len(at_once) <= deliveries.LANES_PER_MERCHANT


def test_the_secret_is_stored_encrypted_and_shown_once(
    merchant: UUID, endpoint: IssuedEndpoint, owner_sql: Callable[..., Any]
) -> None:
    import base64

    assert endpoint.secret.startswith("whsec_")
    assert len(base64.b64decode(endpoint.secret.removeprefix("whsec_"))) == 32
    assert endpoint.secret not in repr(endpoint)
    [(stored,)] = owner_sql("SELECT secrets FROM events_webhookendpoint")
    assert endpoint.secret.encode() not in bytes(stored)
    assert WebhookEndpoint.objects.get().secrets[0]["secret"] == endpoint.secret
    assert not hasattr(endpoints_of(merchant_id=merchant)[0], "secrets")


def test_tries_are_append_only(
    merchant: UUID, endpoint: IssuedEndpoint, owner_sql: Callable[..., Any]
) -> None:
    record(merchant, "pay_1", 1)
    run()
    with pytest.raises(Exception, match="append-only"):
        owner_sql("UPDATE events_deliveryattempt SET http_status = 500")
