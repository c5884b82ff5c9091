"""What the provider tells by webhook, in any order, any number of times, beside our own asking."""

import threading
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channels import breaker
from core.models import Case
from core.transactions import at_edge
from ledger.models import JournalEntry
from ledger.selectors import trial_balance
from payments.models import Charge, PspOperation
from tests.payments.conftest import Shop
from tests.payments.deliveries import deliver, process, told


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


@pytest.mark.parametrize(
    "change",
    [
        {"amount": 1, "amount_received": 1},
        {"amount_received": 9999},
        {"currency": "eur"},
        {"id": "pi_of_another_payment"},
    ],
    ids=str,
)
def test_a_genuine_payment_of_something_else(shop: Shop, change: dict[str, Any]) -> None:
    """A-B10, A-B11: authentic is not valid: amount, currency and reference must be ours."""
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


# The buyer's bank is asked, or the provider takes its time: token, what ends it, how, our status then.
ENDINGS = [
    ("pm_card_threeDSecure2Required", "authentication", "complete", "succeeded"),
    ("pm_card_threeDSecure2Required", "authentication", "fail", "failed"),
    ("pm_card_sandboxProcessing", "settlement", "succeed", "succeeded"),
    ("pm_card_sandboxProcessing", "settlement", "fail", "failed"),
]


@pytest.mark.parametrize(("token", "what", "result", "status"), ENDINGS)
@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_order_of_events_ends_elsewhere_or_goes_back(
    shop: Shop, token: str, what: str, result: str, status: str, data: Any
) -> None:
    """F-C4: six events in any order, twins under other ids among them, read and asked about in between."""
    accepted = shop.accept(shop.body(token=token))
    shop.work()
    charge = Charge.objects.get(checkout__checkout_id=accepted["checkout_id"])
    assert charge.status in ("REQUIRES_ACTION", "PENDING")
    shop.provider.control("POST", f"payment_intents/{charge.psp_reference}/{what}", {"result": result})
    events = told(shop, accepted["checkout_id"])
    assert len(events) == 3
    twins = [{**event, "id": f"{event['id']}_twin"} for event in events]
    steps = data.draw(st.permutations([*events, *twins, "read", "read", "ask"]))
    seen = []
    # Afterwards everything once more, the oldest last: late, and of a lower rank than what we know.
    for step in [*steps, "read", "ask", *reversed(events), *reversed(twins), "read", "ask"]:
        if step == "read":
            process()
        elif step == "ask":
            shop.work()
        else:
            assert deliver(shop, step) == 200
        seen.append(shop.checkout(accepted["checkout_id"])["status"])
    assert seen[-1] == status
    assert set(seen[seen.index(status) :]) == {status}, "what has ended stays as it ended"
    taken = [each for each in shop.effects(accepted["checkout_id"]) if each["kind"] == "charge.captured"]
    entries = JournalEntry.objects.filter(source_ref__contains=str(charge.id))
    assert len(taken) == entries.count() == (1 if status == "succeeded" else 0)
    order = shop.store.get(f"/v1/payments/{accepted['payment_orders'][0]['id']}").json()
    ends = [step["to"] for step in order["timeline"] if step["what"] == "payment_order"]
    assert ends[-1] == {"succeeded": "SUCCESS", "failed": "FAILED"}[status] and len(ends) <= 5
    assert not Case.objects.filter(merchant_id=shop.store.merchant_id).exists()
