"""The provider's page opened between the commit and the answer: in time, too late, or not at all."""

import threading
import time
import uuid
from typing import Any

import pytest
from django.db import connection

from core import failpoints
from core.drain import get_drain
from payments.engine import execute, inline
from payments.models import Charge, PaymentOrder, PspOperation
from payments.psp.contract import Outcome
from payments.services import execute_operation
from tests.payments.conftest import Shop, hosted
from tests.racing import race
from tests.waiting import eventually

CREATE = "checkout.sessions.create"


@pytest.fixture(autouse=True)
def _hooks(hooks: Any) -> None:
    """Failpoints and the movable clock."""


def send(shop: Shop, body: dict[str, Any], key: str) -> Any:
    answer = shop.store.post("/v1/payments", body, key=key)
    assert answer.status_code == 201, answer.content
    return answer


def register() -> PspOperation:
    return PspOperation.objects.get(kind="register")


def pages(shop: Shop) -> list[Any]:
    """Every page that the provider has for the merchant."""
    return shop.provider.client(shop.account_key).v1.checkout.sessions.list().data


def assert_repeat_is_the_same(shop: Shop, body: dict[str, Any], key: str, first: Any) -> None:
    again = send(shop, body, key)
    assert (again.content, again.headers["Idempotent-Replayed"]) == (first.content, "true")


def finish(shop: Shop) -> None:
    """Let the worker take over at once what a web process left behind."""
    PspOperation.objects.filter(due_at__isnull=False).update(leased_until=None)
    shop.later(40)
    (charge,) = Charge.objects.all()
    assert (charge.status, charge.session_reference) == ("REQUIRES_ACTION", pages(shop)[0].id)
    assert len(pages(shop)) == 1
    assert {each["idempotency_key"] for each in shop.requests(CREATE)} == {register().nonce}


def test_the_answer_tells_where_to_send_the_buyer(shop: Shop) -> None:
    body, key = hosted(shop), uuid.uuid4().hex
    first = send(shop, body, key)
    seen = first.json()
    assert seen["status"] == "requires_action"
    assert seen["next_action"] == {"type": "redirect_to_url", "url": Charge.objects.get().redirect_url}
    assert "Idempotent-Replayed" not in first.headers
    assert seen == shop.checkout(seen["id"])
    assert_repeat_is_the_same(shop, body, key, first)
    assert (len(shop.requests(CREATE)), shop.work()) == (1, 0)


def test_a_provider_that_hangs_does_not_hold_the_answer_f_a15(shop: Shop, settings: Any) -> None:
    """One overall deadline, whatever the SDK would like; the worker goes on under the same key."""
    settings.INLINE_REGISTRATION_DEADLINE = 0.7
    shop.arm("charged_but_timeout", operation=CREATE)
    body, key = hosted(shop), uuid.uuid4().hex
    began = time.monotonic()
    first = send(shop, body, key)
    assert time.monotonic() - began < settings.INLINE_REGISTRATION_DEADLINE + 1.5
    assert (first.json()["status"], first.json()["next_action"]) == ("open", None)
    assert (register().status, len(shop.requests(CREATE))) == ("UNKNOWN", 1)
    finish(shop)
    assert_repeat_is_the_same(shop, body, key, first)
    assert shop.checkout(first.json()["id"])["next_action"]["url"].endswith(pages(shop)[0].id)


def test_an_answer_that_drips_ends_at_the_deadline_f_a15(shop: Shop, settings: Any) -> None:
    settings.INLINE_REGISTRATION_DEADLINE = 0.7
    shop.arm("slow_drip", operation=CREATE, seconds=20)
    began = time.monotonic()
    first = send(shop, hosted(shop), uuid.uuid4().hex)
    assert time.monotonic() - began < settings.INLINE_REGISTRATION_DEADLINE + 1.5
    assert first.json()["next_action"] is None
    finish(shop)


def test_a_refused_connection_leaves_it_to_the_worker_f_a6(shop: Shop) -> None:
    body, key = hosted(shop), uuid.uuid4().hex
    shop.provider.control("POST", "listener", {"open": False})
    try:
        first = send(shop, body, key)
    finally:
        shop.provider.control("POST", "listener", {"open": True})
    assert (first.json()["next_action"], register().status) == (None, "NOT_SENT")
    finish(shop)


def test_no_more_than_two_at_once(shop: Shop) -> None:
    """The web threads of a process are for stores; a third registration is the worker's at once."""
    shop.arm("slow", operation=CREATE, seconds=1.5, times=None)
    answers = race([lambda: send(shop, hosted(shop), uuid.uuid4().hex).json() for _ in range(5)])
    told = [each["next_action"] for each in answers]
    assert len([each for each in told if each]) == 2, told
    left = PspOperation.objects.filter(status="CREATED")
    assert (left.count(), left.filter(leased_until=None).count()) == (3, 3)
    shop.cure()
    shop.work()
    assert Charge.objects.filter(status="REQUIRES_ACTION").count() == 5
    assert inline._running == 0, "every slot was given back"


def test_switched_off_it_is_the_workers(shop: Shop, settings: Any) -> None:
    settings.INLINE_REGISTRATIONS = 0
    assert send(shop, hosted(shop), uuid.uuid4().hex).json()["next_action"] is None
    assert (shop.requests(CREATE), shop.work()) == ([], 1)


def test_no_worker_takes_what_is_leased_to_the_web_process(shop: Shop) -> None:
    """And while the lease holds, the worker does nothing about it."""
    shop.arm("slow", operation=CREATE, seconds=1)
    sender = threading.Thread(target=lambda: _close(send, shop, hosted(shop), uuid.uuid4().hex))
    sender.start()
    eventually(lambda: PspOperation.objects.filter(status="SENT").exists())
    assert get_drain("operations").claim(limit=10) == []
    sender.join()
    assert len(shop.requests(CREATE)) == 1


def _close(function: Any, *args: Any) -> None:
    try:
        function(*args)
    finally:
        connection.close()


PLACES = ("before_intent", "after_intent", "after_effect", "before_commit", "after_commit")


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("action", ["raise", "cut"])
def test_what_is_answered_is_what_is_stored_wherever_it_breaks(shop: Shop, place: str, action: str) -> None:
    """F-A2 to F-A4 in one process: an error, or the line to the database lost, at each place."""
    failpoints.arm(f"execute.{place}.register", action)
    body, key = hosted(shop), uuid.uuid4().hex
    first = shop.store.post("/v1/payments", body, key=key)
    assert failpoints.fired(f"execute.{place}.register")
    if first.status_code != 201:
        assert (first.status_code, action) == (503, "cut"), first.content
        connection.close()  # As the server does between two requests.
        first = send(shop, body, key)
    # Around the call no line to the database is held, so there is nothing to cut.
    unharmed = ("after_intent", "after_effect", "after_commit") if action == "cut" else ("after_commit",)
    assert (first.json()["next_action"] is not None) == (place in unharmed)
    assert_repeat_is_the_same(shop, body, key, first)
    finish(shop)


def test_a_web_process_that_was_too_slow_tells_what_is_stored(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F-B7: its lease was over and a worker opened the page meanwhile; its own outcome is worth nothing."""
    real = execute._call
    overtaken: list[Any] = []

    def call_then_be_overtaken(intent: Any) -> Outcome:
        outcome = real(intent)
        if not overtaken:
            PspOperation.objects.update(leased_until=None, due_at="2000-01-01T00:00:00Z")
            overtaken.extend(get_drain("operations").claim(limit=10))
            execute_operation(claim=overtaken[0])
        return outcome

    monkeypatch.setattr(execute, "_call", call_then_be_overtaken)
    body, key = hosted(shop), uuid.uuid4().hex
    first = send(shop, body, key)
    assert first.json()["next_action"] is None
    assert_repeat_is_the_same(shop, body, key, first)
    assert Charge.objects.get().status == "REQUIRES_ACTION"
    assert len(pages(shop)) == 1


def test_a_repeat_while_the_page_is_being_opened(shop: Shop) -> None:
    """It is told what is stored then, and nothing is sent twice."""
    shop.arm("slow", operation=CREATE, seconds=1.5)
    body, key = hosted(shop), uuid.uuid4().hex
    sender = threading.Thread(target=lambda: _close(send, shop, body, key))
    sender.start()
    eventually(lambda: PspOperation.objects.filter(status="SENT").exists())
    during = send(shop, body, key)
    assert (during.json()["next_action"], during.headers["Idempotent-Replayed"]) == (None, "true")
    sender.join()
    after = send(shop, body, key)
    assert after.json()["next_action"] is not None
    assert (PaymentOrder.objects.count(), len(shop.requests(CREATE))) == (2, 1)


def test_a_payment_with_a_token_is_not_held_up(shop: Shop) -> None:
    send(shop, shop.body(), uuid.uuid4().hex)
    assert (shop.requests(), register().leased_until) == ([], None)
