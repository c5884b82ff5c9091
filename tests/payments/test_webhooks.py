"""What the provider tells by webhook, in any order, any number of times, beside our own asking."""

import hashlib
import hmac
import json
import threading
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channels import breaker
from core import clock
from core.drain import get_drain
from core.models import Case
from core.transactions import at_edge
from ledger.selectors import trial_balance
from payments.models import Charge, PspOperation
from tests.payments.conftest import Shop

SECRET = "whsec_test"


def deliver(shop: Shop, event: dict[str, Any], **changes: Any) -> int:
    """POST one event as the provider does; return the status."""
    body = json.dumps({**event, **changes}).encode()
    stamp = int(clock.now().timestamp())
    signed = hmac.new(SECRET.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    answer = Client().generic(
        "POST",
        f"/psp/{shop.channel.name}/webhooks",
        body,
        "application/json",
        headers={"Stripe-Signature": f"t={stamp},v1={signed}"},
    )
    return answer.status_code


def process() -> None:
    """Let the worker read the inbox."""
    get_drain("inbox").run()


def told(shop: Shop, checkout_id: str) -> list[dict[str, Any]]:
    """The provider's events about a checkout's payment, oldest first."""
    events = shop.provider.control("GET", f"events?account={shop.account_id}")["data"]
    return [
        {key: value for key, value in event.items() if key != "account"}
        for event in events
        if event["type"].startswith("payment_intent.")
        and event["data"]["object"]["metadata"].get("checkout_id") == checkout_id
    ]


def unanswered(shop: Shop) -> dict[str, Any]:
    """A payment that the provider took and whose answer never came."""
    breaker.forget()  # Many unanswered calls in a row would open it.
    shop.provider.arm("empty_500", operation="payment_intents.confirm", times=1, effect=True)
    accepted = shop.accept(shop.body())
    shop.work()
    operation = PspOperation.objects.get(
        kind="confirm", charge__checkout__checkout_id=accepted["checkout_id"]
    )
    history = shop.store.get(f"/v1/payments/{accepted['payment_orders'][0]['id']}").json()["timeline"]
    assert operation.status == "UNKNOWN", history
    return accepted


def test_the_webhook_brings_the_answer(shop: Shop) -> None:
    """F-A5, F-C1: an unknown outcome ends with the event, before anybody asks."""
    accepted = unanswered(shop)
    assert shop.checkout(accepted["checkout_id"])["status"] == "processing"

    assert deliver(shop, told(shop, accepted["checkout_id"])[-1]) == 200
    process()

    assert shop.checkout(accepted["checkout_id"])["status"] == "succeeded"
    shop.work()  # The operation asks for nothing any more.
    assert PspOperation.objects.get(kind="confirm").status == "SUCCEEDED"


def test_an_event_twice_and_its_twin_with_another_id(shop: Shop) -> None:
    """F-C2, F-C3: the books take a capture once."""
    accepted = unanswered(shop)
    event = told(shop, accepted["checkout_id"])[-1]
    for identifier in (event["id"], event["id"], "evt_twin"):
        assert deliver(shop, event, id=identifier) == 200
    process()

    balances = {row.role: row.balance_minor for row in trial_balance(merchant_id=shop.store.merchant_id)}
    assert balances["psp_clearing"] == 100_00


def test_a_hundred_at_once(shop: Shop) -> None:
    """F-C2: one event, a hundred deliveries in parallel: one processing, 2xx for all."""
    accepted = unanswered(shop)
    event = told(shop, accepted["checkout_id"])[-1]
    statuses: list[int] = []
    barrier = threading.Barrier(5)

    def many() -> None:
        from django.db import connection

        barrier.wait()
        statuses.extend(deliver(shop, event) for _ in range(20))
        connection.close()

    threads = [threading.Thread(target=many) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    process()

    assert statuses == [200] * 100
    assert shop.checkout(accepted["checkout_id"])["status"] == "succeeded"


def test_webhooks_that_never_come(shop: Shop) -> None:
    """F-C6: what no webhook tells is asked about."""
    accepted = unanswered(shop)
    confirm = PspOperation.objects.filter(kind="confirm")
    at_edge(confirm.update)(due_at=Charge.objects.get().created_at)
    shop.work()
    assert shop.checkout(accepted["checkout_id"])["status"] == "succeeded"


def test_before_our_own_row(shop: Shop) -> None:
    """F-C1: an event about a charge that is not there yet is parked, never dropped."""
    paid = shop.pay()
    event = told(shop, paid["checkout_id"])[-1]
    intent = event["data"]["object"]
    unknown = {**intent, "metadata": {**intent["metadata"], "charge_id": "chg_" + "0" * 26}}
    early = {**event, "id": "evt_early", "data": {"object": {**unknown, "id": "pi_unseen"}}}
    assert deliver(shop, early) == 200
    process()
    from events.models import InboxWork

    assert InboxWork.objects.get(inbox__provider_event_id="evt_early").status == "PARKED"


@pytest.mark.parametrize("change", [{"amount": 1, "amount_received": 1}, {"currency": "eur"}])
def test_a_genuine_payment_of_something_else(shop: Shop, change: dict[str, Any]) -> None:
    """A-B10, A-B11: authentic is not valid: amount and currency must be ours; nothing is posted."""
    accepted = unanswered(shop)
    event = told(shop, accepted["checkout_id"])[-1]
    forged = {**event, "data": {"object": {**event["data"]["object"], **change}}}
    assert deliver(shop, forged) == 200
    process()

    assert Charge.objects.get().status == "CONFLICTED"
    assert Case.objects.get().kind == "charge_conflict"
    assert trial_balance(merchant_id=shop.store.merchant_id) == []


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_order_with_repeats_ends_the_same(shop: Shop, data: Any) -> None:
    """F-C4: events in any order, with duplicates, mixed with our own asking, end in one state."""
    accepted = unanswered(shop)
    events = told(shop, accepted["checkout_id"])
    assert [event["type"].partition(".")[2] for event in events] == ["created", "succeeded"]
    steps = data.draw(st.lists(st.sampled_from([*range(len(events)), "ask", "read"]), min_size=3, max_size=8))
    for step in [*steps, *range(len(events)), "read"]:
        if step == "ask":
            operations = PspOperation.objects.filter(due_at__isnull=False, kind="confirm")
            at_edge(operations.update)(due_at=Charge.objects.earliest("created_at").created_at)
            shop.work()
        elif step == "read":
            process()
        else:
            assert deliver(shop, events[step]) == 200
    paid = shop.checkout(accepted["checkout_id"])
    assert (paid["status"], paid["is_payment_done"]) == ("succeeded", True)
    captured = [each for each in shop.effects(accepted["checkout_id"]) if each["kind"] == "charge.captured"]
    assert len(captured) == 1
    assert Charge.objects.get(checkout__checkout_id=accepted["checkout_id"]).status == "CAPTURED"
