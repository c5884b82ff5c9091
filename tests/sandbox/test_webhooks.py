"""Signed webhooks: contents, order, retries and everything that can go wrong with them."""

from __future__ import annotations

import json
import time

import pytest
import stripe

PAY = {"payment_method": "pm_card_visa", "confirm": True}
PAID = ["payment_intent.created", "charge.succeeded", "payment_intent.succeeded"]


def test_events_of_a_payment_are_signed_and_in_order(account, receiver, until):
    intent = account.intent(key="the-key", **PAY)
    until(lambda: len(receiver.got) == 3)
    assert receiver.types() == PAID
    for headers, body in receiver.got:
        event = stripe.Webhook.construct_event(body, headers["stripe-signature"], receiver.secret)
        assert event.request.idempotency_key == "the-key"
        assert event.api_version == "2026-10-28.endive"
        with pytest.raises(stripe.SignatureVerificationError):
            stripe.Webhook.construct_event(body, headers["stripe-signature"], "whsec_other")
    last = receiver.events()[-1]
    assert last["data"]["object"]["id"] == intent.id
    assert last["data"]["object"]["status"] == "succeeded"
    assert account.v1.events.retrieve(last["id"]).to_dict() == last


def test_every_kind_of_event(account, receiver, until):
    v1 = account.v1
    manual = account.paid(capture_method="manual")
    v1.payment_intents.capture(manual.id)
    v1.payment_intents.cancel(account.intent().id)
    with pytest.raises(stripe.CardError):
        account.intent(payment_method="pm_card_chargeDeclined", confirm=True)
    account.intent(payment_method="pm_card_authenticationRequired", confirm=True)
    refund = v1.refunds.create({"payment_intent": manual.id})
    v1.refunds.update(refund.id, {"metadata": {"a": "b"}})
    account.sandbox.control("POST", f"refunds/{refund.id}/fail", {})
    expected = {
        "payment_intent.created", "payment_intent.amount_capturable_updated", "payment_intent.succeeded",
        "payment_intent.canceled", "payment_intent.payment_failed", "payment_intent.requires_action",
        "charge.succeeded", "charge.captured", "charge.failed", "charge.refunded", "refund.created",
        "refund.updated", "refund.failed", "charge.refund.updated",
    }  # fmt: skip
    until(lambda: set(receiver.types()) == expected)


def test_an_endpoint_hears_only_what_it_asked_for(account, receiver, until):
    hearer = account.v1.webhook_endpoints.list().data[0]
    account.v1.webhook_endpoints.update(hearer.id, {"enabled_events": ["payment_intent.succeeded"]})
    account.intent(**PAY)
    account.intent(**PAY)
    until(lambda: len(receiver.got) == 2)
    assert receiver.types() == ["payment_intent.succeeded"] * 2
    states = [row["state"] for row in account.sandbox.get(f"deliveries?account={account.id}")]
    assert states == ["delivered"] * 2


def test_other_accounts_hear_nothing(account, receiver, until):
    other = type(account)(account.sandbox)
    other.intent(**PAY)
    account.intent(**PAY)
    until(lambda: len(receiver.got) == 3)
    assert account.sandbox.get(f"deliveries?account={other.id}") == []


def test_refused_deliveries_are_tried_again(account, receiver, until):
    receiver.answers += [500, 302]
    account.intent()
    until(lambda: account.sandbox.get(f"deliveries?account={account.id}&state=delivered"))
    assert len(receiver.got) == 3
    assert len({event["id"] for event in receiver.events()}) == 1
    (row,) = account.sandbox.get(f"deliveries?account={account.id}")
    assert (row["attempts"], row["status"]) == (3, 200)


def test_after_the_last_retry_a_delivery_has_failed(account, receiver, until):
    receiver.answers += [500] * 4
    account.intent()
    until(lambda: account.sandbox.get(f"deliveries?account={account.id}&state=failed"))
    assert len(receiver.got) == 4


def test_endpoint_registered_by_control_with_a_known_secret(account, receiver, until):
    hearer = type(receiver)()
    account.sandbox.control(
        "POST",
        "webhook_endpoints",
        {"account": account.key, "url": hearer.url, "secret": "whsec_known", "events": ["charge.succeeded"]},
    )
    account.intent(**PAY)
    until(lambda: hearer.got)
    headers, body = hearer.got[0]
    assert stripe.Webhook.construct_event(body, headers["stripe-signature"], "whsec_known")
    hearer.server.shutdown()
    hearer.server.server_close()


def test_duplicates(account, receiver, until):
    account.arm("webhook_duplicate", copies=2, event_type="payment_intent.succeeded")
    account.intent(**PAY)
    until(lambda: len(receiver.got) == 5)
    ids = [event["id"] for event in receiver.events() if event["type"] == "payment_intent.succeeded"]
    assert len(ids) == 3
    assert len(set(ids)) == 1


def test_duplicates_with_ids_of_their_own(account, receiver, until):
    account.arm("webhook_duplicate", new_ids=True, event_type="payment_intent.succeeded")
    account.intent(**PAY)
    until(lambda: len(receiver.got) == 4)
    found = [event for event in receiver.events() if event["type"] == "payment_intent.succeeded"]
    assert len({event["id"] for event in found}) == 2
    assert found[0]["data"] == found[1]["data"]


def test_late(account, receiver, until):
    account.arm("webhook_late", seconds=0.5, event_type="payment_intent.created")
    started = time.monotonic()
    account.intent(**PAY)
    until(lambda: len(receiver.got) == 3)
    assert receiver.types()[-1] == "payment_intent.created"
    assert time.monotonic() - started >= 0.5


def test_out_of_order(account, receiver, until):
    account.arm("webhook_out_of_order")
    account.intent(**PAY)
    until(lambda: len(receiver.got) == 3)
    assert receiver.types() == PAID[::-1]


def test_held_and_released_in_any_order(account, receiver, until):
    account.arm("webhook_hold")
    account.intent(**PAY)
    rows = account.sandbox.get(f"deliveries?account={account.id}&state=held")
    order = [rows[1]["id"], rows[2]["id"], rows[0]["id"]]
    assert receiver.got == []
    account.sandbox.control("POST", "webhooks/release", {"deliveries": order})
    until(lambda: len(receiver.got) == 3)
    assert receiver.types() == [PAID[1], PAID[2], PAID[0]]


def test_dropped(account, receiver, until):
    account.arm("webhook_drop")
    account.intent(**PAY)
    account.intent()
    until(lambda: len(receiver.got) == 1)
    states = [row["state"] for row in account.sandbox.get(f"deliveries?account={account.id}")]
    assert states == ["dropped"] * 3 + ["delivered"]


@pytest.mark.parametrize(
    ("forgery", "believed"),
    [
        ("bad_secret", False),
        ("altered_body", False),
        ("old_timestamp", False),
        ("future_timestamp", True),
        ("no_signature", False),
        ("not_json", False),
        ("livemode", True),
        ("unknown_type", True),
        ("wrong_amount", True),
    ],
)
def test_forged(account, receiver, until, forgery, believed):
    """What the SDK itself believes: the product has to find the rest of the lies itself."""
    account.arm("webhook_forge", forgery=forgery, instead=True)
    account.intent()
    until(lambda: receiver.got)
    headers, body = receiver.got[0]
    try:
        stripe.Webhook.construct_event(body, headers.get("stripe-signature", ""), receiver.secret)
        seen = True
    except (stripe.SignatureVerificationError, UnicodeDecodeError):
        seen = False
    assert seen is believed
    if forgery in ("livemode", "unknown_type", "wrong_amount"):
        event = json.loads(body)
        lies = (
            event["livemode"],
            event["type"] == "unicorn.born",
            event["data"]["object"]["amount"] == 91000,
        )
        assert lies == tuple(forgery == name for name in ("livemode", "unknown_type", "wrong_amount"))


def test_forged_beside_the_genuine_one(account, receiver, until):
    account.arm("webhook_forge", forgery="altered_body")
    account.intent()
    until(lambda: len(receiver.got) == 2)
    amounts = [json.loads(body)["data"]["object"]["amount"] for _, body in receiver.got]
    assert amounts == [91000, 1000]


def test_webhook_before_the_response(account, receiver):
    """F-C1: the webhook is there, and answered, before the API call returns."""
    account.arm("webhook_before_response")
    account.intent(**PAY)
    assert receiver.types() == PAID


def test_control_without_the_fault_the_response_does_not_wait(account, receiver, until):
    gate = []
    receiver.hook = lambda body: until(lambda: gate)
    account.intent(**PAY)
    assert receiver.got == []
    gate.append(True)
    until(lambda: len(receiver.got) == 3)


def test_paused_then_sent(account, receiver, until):
    account.sandbox.control("POST", "webhooks", {"mode": "pause"})
    account.intent(**PAY)
    assert receiver.got == []
    account.sandbox.control("POST", "webhooks", {"mode": "send"})
    until(lambda: len(receiver.got) == 3)


def test_switched_off_they_never_come(account, receiver, until):
    account.sandbox.control("POST", "webhooks", {"mode": "drop"})
    account.intent(**PAY)
    account.sandbox.control("POST", "webhooks", {"mode": "send"})
    account.intent()
    until(lambda: receiver.got)
    assert receiver.types() == ["payment_intent.created"]
    assert account.v1.events.list().data[-1].type == "payment_intent.created"


def test_an_endpoint_that_is_registered_again_hears_of_the_events_named_last(account, receiver):
    place = {"url": receiver.url, "secret": "whsec_again", "account": account.key}
    first = account.sandbox.control("POST", "webhook_endpoints", {**place, "events": ["charge.failed"]})
    again = account.sandbox.control("POST", "webhook_endpoints", {**place, "events": ["refund.created"]})
    assert again["id"] == first["id"]
    assert account.v1.webhook_endpoints.retrieve(first["id"]).enabled_events == ["refund.created"]
