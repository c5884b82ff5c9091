"""Checkout Sessions through the official SDK: life, events, expiry, refusals, idempotency."""

from __future__ import annotations

import time

import pytest
import stripe

from tests.sandbox.conftest import Account, item

HOUR = 3600


def types(account):
    """Every event of the account so far, oldest first."""
    return [event["type"] for event in account.sandbox.get(f"events?account={account.id}")]


def session_types(account):
    return [name for name in types(account) if name.startswith("checkout.")]


def retrieve(account, session):
    return account.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent.latest_charge"]})


def test_a_session_carries_what_its_creator_said(account):
    customer = account.v1.customers.create({"email": "buyer@example.com"})
    ends = int(time.time()) + 2 * HOUR
    session = account.session(
        client_reference_id="chg_1",
        metadata={"1": "one", "order": "o-1"},
        expires_at=ends,
        customer=customer.id,
        payment_intent_data={"metadata": {"7": "x"}, "description": "Order 1", "capture_method": "manual"},
    )
    assert (session.status, session.payment_status, session.mode) == ("open", "unpaid", "payment")
    assert (session.amount_total, session.amount_subtotal, session.currency) == (1000, 1000, "usd")
    assert (session.client_reference_id, session.expires_at, session.customer) == ("chg_1", ends, customer.id)
    assert session.metadata.to_dict() == {"1": "one", "order": "o-1"}
    assert session.success_url.endswith("{CHECKOUT_SESSION_ID}")
    assert session.url == f"{account.sandbox.url}/c/pay/{session.id}"
    assert session.id.startswith("cs_test_")
    assert (session.payment_intent, types(account)) == (None, ["customer.created"])
    assert account.v1.payment_intents.list().data == []
    account.pay(session.id)
    intent = retrieve(account, session).payment_intent
    assert (intent.status, intent.description, intent.customer) == (
        "requires_capture",
        "Order 1",
        customer.id,
    )
    assert intent.metadata.to_dict() == {"7": "x"}
    assert intent.latest_charge.metadata.to_dict() == {"7": "x"}


def test_a_paid_session_is_complete(account):
    session = account.session(payment_intent_data={"metadata": {"charge_id": "chg_1"}})
    account.pay(session.id)
    now = retrieve(account, session)
    assert (now.status, now.payment_status, now.url) == ("complete", "paid", None)
    assert isinstance(now.payment_intent, stripe.PaymentIntent)
    assert isinstance(now.payment_intent.latest_charge, stripe.Charge)
    assert now.payment_intent.amount_received == 1000
    assert types(account) == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.completed",
    ]
    (entry,) = account.journal()
    assert (entry["kind"], entry["amount"]) == ("charge.captured", 1000)
    assert (entry["payment_intent"], entry["metadata"]) == (now.payment_intent.id, {"charge_id": "chg_1"})


def test_a_paid_session_is_not_paid_again(account):
    session = account.session()
    for _ in range(3):
        assert account.pay(session.id)["status"] == "complete"
    assert account.kinds() == ["charge.captured"]


def test_a_decline_leaves_the_session_open_for_another_card(account):
    session = account.session()
    assert account.pay(session.id, "pm_card_chargeDeclined")["status"] == "open"
    now = retrieve(account, session)
    assert (now.status, now.payment_status) == ("open", "unpaid")
    assert now.payment_intent.last_payment_error.code == "card_declined"
    first = now.payment_intent.id
    account.pay(session.id, "pm_card_visa")
    assert retrieve(account, session).payment_intent.id == first
    assert account.kinds() == ["charge.declined", "charge.captured"]
    assert session_types(account) == ["checkout.session.completed"]


@pytest.mark.parametrize(("result", "status"), [("complete", "complete"), ("fail", "open")])
def test_three_d_secure_ends_in_the_session(account, result, status):
    session = account.session()
    assert account.pay(session.id, "pm_card_threeDSecure2Required")["status"] == "open"
    intent = retrieve(account, session).payment_intent
    assert intent.status == "requires_action"
    assert intent.next_action.redirect_to_url.return_url.startswith(session.url)
    account.sandbox.control("POST", f"payment_intents/{intent.id}/authentication", {"result": result})
    assert retrieve(account, session).status == status


def test_another_card_takes_the_place_of_an_open_step(account):
    session = account.session()
    account.pay(session.id, "pm_card_threeDSecure2Required")
    intent = retrieve(account, session).payment_intent
    account.pay(session.id)
    path = f"payment_intents/{intent.id}/authentication"
    account.sandbox.control("POST", path, {"result": "complete"}, status=400)
    assert account.kinds() == ["charge.captured"]


@pytest.mark.parametrize(
    ("result", "payment_status", "event"),
    [("succeed", "paid", "succeeded"), ("fail", "unpaid", "failed")],
)
def test_a_payment_that_takes_its_time_completes_the_session_unpaid(account, result, payment_status, event):
    session = account.session()
    account.pay(session.id, "pm_card_sandboxProcessing")
    now = retrieve(account, session)
    assert (now.status, now.payment_status) == ("complete", "unpaid")
    path = f"payment_intents/{now.payment_intent.id}/settlement"
    account.sandbox.control("POST", path, {"result": result})
    after = retrieve(account, session)
    assert (after.status, after.payment_status) == ("complete", payment_status)
    assert session_types(account) == [
        "checkout.session.completed",
        f"checkout.session.async_payment_{event}",
    ]


def test_a_session_captured_later_is_paid_later(account):
    session = account.session(payment_intent_data={"capture_method": "manual"})
    account.pay(session.id)
    now = retrieve(account, session)
    assert (now.status, now.payment_status) == ("complete", "unpaid")
    account.v1.payment_intents.capture(now.payment_intent.id)
    assert retrieve(account, session).payment_status == "paid"
    assert session_types(account) == ["checkout.session.completed"]


def test_an_authorised_payment_of_a_complete_session_can_be_canceled(account):
    session = account.session(payment_intent_data={"capture_method": "manual"})
    account.pay(session.id)
    account.v1.payment_intents.cancel(retrieve(account, session).payment_intent.id)
    assert account.kinds() == ["charge.authorized", "authorization.released"]


def test_an_expired_session_takes_no_money_any_more(account):
    session = account.session()
    account.pay(session.id, "pm_card_chargeDeclined")
    done = account.v1.checkout.sessions.expire(session.id)
    assert (done.status, done.payment_status, done.url) == ("expired", "unpaid", None)
    intent = account.v1.payment_intents.retrieve(done.payment_intent)
    assert (intent.status, intent.cancellation_reason) == ("canceled", "expired")
    assert account.pay(session.id)["status"] == "expired"
    assert account.kinds() == ["charge.declined"]
    assert types(account)[-2:] == ["payment_intent.canceled", "checkout.session.expired"]


def test_a_session_that_nobody_looked_at_expires_as_well(account):
    session = account.session()
    assert account.v1.checkout.sessions.expire(session.id).payment_intent is None
    assert types(account) == ["checkout.session.expired"]


def test_sessions_expire_by_themselves(own_sandbox, until):
    box = own_sandbox()
    account = Account(box)
    sessions = [account.session(expires_at=int(time.time()) + HOUR) for _ in range(2)]
    account.pay(sessions[0].id, "pm_card_threeDSecure2Required")
    paid = account.session(expires_at=int(time.time()) + HOUR)
    account.pay(paid.id)
    moved = box.control("POST", "clock", {"seconds": HOUR - 60})
    assert moved["rang"] == []
    box.control("POST", "clock", {"seconds": 120})
    assert [row.status for row in account.v1.checkout.sessions.list().data] == [
        "complete",
        "expired",
        "expired",
    ]
    assert session_types(account) == ["checkout.session.completed"] + ["checkout.session.expired"] * 2
    intent = account.v1.checkout.sessions.retrieve(sessions[0].id).payment_intent
    assert account.v1.payment_intents.retrieve(intent).status == "canceled"
    box.control("POST", f"payment_intents/{intent}/authentication", {"result": "complete"}, status=400)


def test_a_killed_sandbox_still_lets_them_expire(own_sandbox, until):
    box = own_sandbox()
    account = Account(box)
    session = account.session(expires_at=int(time.time()) + HOUR)
    box.end(9)
    box.start(port=box.info["port"])
    box.control("POST", "clock", {"seconds": 2 * HOUR})
    assert session_types(account) == ["checkout.session.expired"]
    assert account.v1.checkout.sessions.retrieve(session.id).status == "expired"


def test_webhooks_of_a_session_are_signed_and_in_order(account, receiver, until):
    session = account.session()
    account.pay(session.id)
    until(lambda: len(receiver.got) == 4)
    headers, body = receiver.got[-1]
    event = stripe.Webhook.construct_event(body, headers["stripe-signature"], receiver.secret)
    assert (event.type, event.data.object.id) == ("checkout.session.completed", session.id)
    assert isinstance(event.data.object, stripe.checkout.Session)


def test_lists_filter_by_payment_intent_customer_and_status(account):
    customer = account.v1.customers.create({})
    paid, waiting = account.session(customer=customer.id), account.session()
    account.pay(paid.id)
    listed = account.v1.checkout.sessions.list
    intent = account.v1.checkout.sessions.retrieve(paid.id).payment_intent
    for query, expected in (
        ({"payment_intent": intent}, [paid.id]),
        ({"payment_intent": "pi_0000000000000000000000ff"}, []),
        ({"customer": customer.id}, [paid.id]),
        ({"status": "open"}, [waiting.id]),
        ({}, [waiting.id, paid.id]),
    ):
        assert [row.id for row in listed(query).data] == expected, query


def test_metadata_may_change(account):
    session = account.session(metadata={"a": "1"})
    changed = account.v1.checkout.sessions.update(session.id, {"metadata": {"b": "2"}})
    assert changed.metadata.to_dict() == {"a": "1", "b": "2"}


def test_the_same_key_makes_one_session(account):
    ends = int(time.time()) + HOUR
    first = account.session(key="k", expires_at=ends)
    assert account.session(key="k", expires_at=ends).id == first.id
    with pytest.raises(stripe.IdempotencyError):
        account.session(key="k", expires_at=ends + 1)
    account.v1.checkout.sessions.expire(first.id, {}, {"idempotency_key": "e"})
    assert account.v1.checkout.sessions.expire(first.id, {}, {"idempotency_key": "e"}).status == "expired"
    assert session_types(account) == ["checkout.session.expired"]


def test_expiring_twice_with_another_key_is_refused_and_the_refusal_replayed(account):
    session = account.session()
    account.v1.checkout.sessions.expire(session.id)
    for replayed in (None, "true"):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            account.v1.checkout.sessions.expire(session.id, {}, {"idempotency_key": "again"})
        assert caught.value.headers.get("Idempotent-Replayed") == replayed


def test_faults_strike_sessions_by_their_names(account):
    account.arm("http_503", operation="checkout.sessions.create")
    with pytest.raises(stripe.APIError):
        account.session()
    account.arm("charged_but_timeout", operation="checkout.sessions.create", metadata={"o": "1"})
    quick = account.quick(timeout=0.5)
    with pytest.raises(stripe.APIConnectionError):
        quick.checkout.sessions.create(
            {
                "mode": "payment", "line_items": [item("Mug", 1000)], "success_url": "http://a.example",
                "metadata": {"o": "1"},
            }
        )  # fmt: skip
    assert len(account.v1.checkout.sessions.list().data) == 1


def test_a_partial_approval_strikes_the_page_as_well(account):
    session = account.session(line_items=[item("Mug", 990_080)])
    account.pay(session.id)
    assert retrieve(account, session).payment_intent.amount_received == 990_079
