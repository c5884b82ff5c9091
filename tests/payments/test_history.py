"""What is told of a payment: its timeline, its events and its flags."""

from itertools import groupby

import pytest

from core.models import OutboxEvent, StatusChange
from payments.models import PaymentOrder
from tests.payments.conftest import Shop
from wallet.selectors import wallets_of

pytestmark = pytest.mark.usefixtures("hooks")


def told(order_id: str) -> list[OutboxEvent]:
    return list(OutboxEvent.objects.filter(subject=order_id).order_by("sequence"))


def test_the_timeline_tells_each_step_in_order(shop: Shop) -> None:
    order = shop.pay()["payment_orders"][0]
    seen = shop.store.get(f"/v1/payments/{order['id']}").json()
    timeline = seen.pop("timeline")
    assert seen == order
    assert all(set(line) == {"at", "what", "from", "to", "reason", "actor"} for line in timeline)
    assert [(line["what"], line["from"], line["to"]) for line in timeline] == [
        ("payment_order", None, "NOT_STARTED"),
        ("charge", None, "CREATED"),
        ("operation.register", None, "CREATED"),
        ("operation.register", "CREATED", "SENT"),
        ("payment_order", "NOT_STARTED", "EXECUTING"),
        ("operation.register", "SENT", "SUCCEEDED"),
        ("charge", "CREATED", "REGISTERED"),
        ("operation.confirm", None, "CREATED"),
        ("operation.confirm", "CREATED", "SENT"),
        ("charge", "REGISTERED", "SUBMITTED"),
        ("operation.confirm", "SENT", "SUCCEEDED"),
        ("charge", "SUBMITTED", "CAPTURED"),
        ("payment_order", "EXECUTING", "SUCCESS"),
    ]
    assert timeline[0]["actor"].startswith("key:") or timeline[0]["actor"]
    assert {line["actor"] for line in timeline[3:]} == {"system"}
    moments = [line["at"] for line in timeline]
    assert moments == sorted(moments)


def test_the_timeline_shows_nothing_of_another_order_of_the_same_charge(shop: Shop) -> None:
    first, second = shop.pay()["payment_orders"]
    timeline = shop.store.get(f"/v1/payments/{second['id']}").json()["timeline"]
    assert sum(line["what"] == "payment_order" for line in timeline) == 3
    assert first["id"] != second["id"]


@pytest.mark.parametrize(
    ("token", "types"),
    [
        ("pm_card_visa", ["created", "executing", "succeeded"]),
        ("pm_card_chargeDeclined", ["created", "executing", "failed"]),
        ("pm_card_threeDSecure2Required", ["created", "executing", "requires_action"]),
        ("pm_card_sandboxProcessing", ["created", "executing"]),
    ],
)
def test_each_order_counts_its_events_without_gaps(shop: Shop, token: str, types: list[str]) -> None:
    checkout = shop.pay(shop.body(token=token))
    for order in checkout["payment_orders"]:
        events = told(order["id"])
        assert [event.sequence for event in events] == list(range(1, len(types) + 1))
        assert [event.type for event in events] == [f"payment.{name}" for name in types]
        assert all(set(event.payload) == {"object"} for event in events)
        last = events[-1].payload["object"]
        if last["payment_order_status"] == "EXECUTING":
            last["psp"]["reference"] = order["psp"]["reference"]  # Learned after that event.
        assert last == order, "the last event is the order as it is"
        first = events[0].payload["object"]
        assert (first["payment_order_status"], first["captured"]) == ("NOT_STARTED", "0.00")
        assert all(event.merchant_id == shop.store.merchant_id for event in events)


def test_the_buyers_step_and_its_end_are_told(shop: Shop) -> None:
    checkout = shop.pay(shop.body(shop.order(), token="pm_card_threeDSecure2Required"))
    reference = checkout["payment_orders"][0]["psp"]["reference"]
    shop.provider.control("POST", f"payment_intents/{reference}/authentication", {"result": "complete"})
    shop.later(10)
    events = told(checkout["payment_orders"][0]["id"])
    assert [event.payload["object"]["payment_order_status"] for event in events] == [
        "NOT_STARTED",
        "EXECUTING",
        "REQUIRES_ACTION",
        "SUCCESS",
    ]
    times = [event.payload["object"]["updated_at"] for event in events]
    assert times == sorted(times)


def test_flags_are_set_with_the_books_and_not_before(shop: Shop) -> None:
    waiting = shop.accept(shop.body())
    assert {(o["wallet_updated"], o["ledger_updated"]) for o in waiting["payment_orders"]} == {(False, False)}
    shop.work()
    done = shop.checkout(waiting["id"])
    assert {(o["wallet_updated"], o["ledger_updated"]) for o in done["payment_orders"]} == {(True, True)}
    failed = shop.pay(shop.body(token="pm_card_chargeDeclined"))
    assert {(o["wallet_updated"], o["ledger_updated"]) for o in failed["payment_orders"]} == {(False, False)}
    assert not failed["is_payment_done"]


def test_wallets_get_what_the_terms_say(shop: Shop) -> None:
    """ann: 10 % commission, 20 % tax inside it; bob: none. Two orders of one seller share one wallet."""
    shop.pay(shop.body(shop.order("90.00"), shop.order("9.99"), shop.order("10.00", "bob")))
    pending = {}
    for order in PaymentOrder.objects.all():
        (wallet,) = wallets_of(
            merchant_id=shop.store.merchant_id, owner_type="seller", owner_id=order.seller_id
        )
        pending[order.seller_account] = (wallet.pending_minor, wallet.available_minor, wallet.currency)
    assert pending == {"ann": (8999, 0, "USD"), "bob": (1000, 0, "USD")}
    shares = [
        (order.share.seller_net_minor, order.share.commission_minor, order.share.tax_minor)
        for order in PaymentOrder.objects.order_by("position")
    ]
    assert shares == [(8100, 750, 150), (899, 83, 17), (1000, 0, 0)]


def test_histories_are_chains(shop: Shop) -> None:
    shop.arm("charged_but_timeout", operation="payment_intents.confirm", seconds=1)
    shop.arm("http_502", operation="payment_intents.create")
    shop.pay()
    for _ in range(4):
        shop.later(20)
    lines = StatusChange.objects.order_by("subject_id", "id")
    for _, group in groupby(lines, key=lambda line: line.subject_id):
        chain = list(group)
        assert chain[0].from_state == ""
        assert [line.from_state for line in chain[1:]] == [line.to_state for line in chain[:-1]]
