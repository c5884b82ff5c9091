"""The bank's callbacks: signed in its own way, sent by the same machinery as the provider's webhooks."""

from __future__ import annotations

import hashlib
import hmac
import time

import pytest

from tests.sandbox.bank_client import CLOSED, Customer, payment
from tests.sandbox.conftest import Receiver


@pytest.fixture
def customer(sandbox):
    sandbox.control("POST", "bank", {"seconds": None})
    yield Customer(sandbox)
    sandbox.control("DELETE", "faults")
    sandbox.control("POST", "webhooks", {"mode": "send"})
    sandbox.control("POST", "bank", {"seconds": 0})


@pytest.fixture
def hearer(customer):
    """A receiver that the customer registered; ``secret`` signs."""
    receiver = Receiver()
    _, answer = customer.send("POST", "v1/callbacks", {"url": receiver.url})
    receiver.secret = answer["secret"]
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()


def settle(customer):
    customer.control("POST", "settle", {"owner": customer.key})


def told(hearer):
    return [(event["type"], event["data"].get("ref_code")) for event in hearer.events()]


def test_every_step_is_told_signed_and_in_order(customer, hearer, until):
    customer.payee()
    customer.payee("closed", CLOSED)
    customer.batch("b-1", payment("p-1"), payment("p-2", payee="closed"))
    settle(customer)
    customer.control("POST", "payments/p-1/return", {"owner": customer.key})
    until(lambda: len(hearer.got) == 7)
    assert [kind for kind, ref in told(hearer) if ref == "p-1"] == [
        "payment.submitted", "payment.paid", "payment.returned",
    ]  # fmt: skip
    assert [kind for kind, ref in told(hearer) if ref == "p-2"] == ["payment.submitted", "payment.rejected"]
    assert [kind for kind, ref in told(hearer) if ref is None] == ["payee.changed"] * 2
    for (headers, body), event in zip(list(hearer.got), hearer.events(), strict=True):
        stamp = headers["x-bank-timestamp"]
        digest = hmac.new(hearer.secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
        assert headers["x-bank-signature"] == f"v1={digest}"
        assert abs(int(stamp) - time.time()) < 60
        assert event["id"].startswith("bev_")
        assert set(event) == {"id", "created", "data", "type"}
    (last,) = [event for event in hearer.events() if event["type"] == "payment.returned"]
    assert last["data"] == customer.look("p-1")


def test_callbacks_of_others_and_the_providers_webhooks_stay_apart(customer, hearer, account, until):
    stranger = Customer(customer.sandbox)
    stranger.payee()
    account.paid()
    customer.payee()
    until(lambda: hearer.got)
    assert hearer.types() == ["payee.changed"]


def test_an_address_is_registered_once_and_hears_what_was_named_last(customer, hearer, until):
    again = {"url": hearer.url, "secret": hearer.secret, "events": ["payment.paid"]}
    assert customer.send("POST", "v1/callbacks", again)[0] == 200
    customer.payee()
    customer.batch("b-1", payment("p-1"))
    settle(customer)
    until(lambda: hearer.got)
    assert told(hearer) == [("payment.paid", "p-1")]
    assert customer.send("POST", "v1/callbacks", {"url": "ftp://x"})[0] == 400


def test_a_callback_for_everybody_by_the_control_api(own_sandbox, receiver, until):
    box = own_sandbox()
    box.control(
        "POST", "bank/callbacks", {"url": receiver.url, "secret": "bks_1", "events": ["payee.changed"]}
    )
    Customer(box).payee()
    Customer(box).payee()
    until(lambda: len(receiver.got) == 2)
    assert {headers["x-bank-signature"][:3] for headers, _ in receiver.got} == {"v1="}


def test_callbacks_are_tried_again_duplicated_dropped_and_held(customer, hearer, until):
    customer.payee()
    until(lambda: len(hearer.got) == 1)
    hearer.answers = [500, 500]
    customer.batch("b-1", payment("p-1", "9900.60"), payment("p-2", "9900.70"))
    until(lambda: len(hearer.got) == 1 + 4)
    settle(customer)
    until(lambda: told(hearer).count(("payment.paid", "p-1")) == 2)
    assert ("payment.paid", "p-2") not in told(hearer)
    ids = [event["id"] for event in hearer.events() if event["type"] == "payment.paid"]
    assert len(set(ids)) == 1
    customer.sandbox.arm("webhook_hold", operation="clock.bank_payment", account=customer.key)
    customer.batch("b-2", payment("p-3"))
    settle(customer)
    customer.control("POST", "payments/p-3/return", {"owner": customer.key})
    until(lambda: ("payment.returned", "p-3") in told(hearer))
    assert ("payment.paid", "p-3") not in told(hearer)
    customer.sandbox.control("POST", "webhooks/release", {})
    until(lambda: ("payment.paid", "p-3") in told(hearer))


@pytest.mark.parametrize(
    "forgery", ["bad_secret", "altered_body", "old_timestamp", "no_signature", "wrong_amount"]
)
def test_lies_are_told_on_demand(customer, hearer, until, forgery):
    customer.payee()
    customer.sandbox.arm("webhook_forge", forgery=forgery, instead=True, operation="bank.batches.create",
                         account=customer.key)  # fmt: skip
    customer.batch("b-1", payment("p-1"))
    until(lambda: len(hearer.got) == 2)
    headers, body = next((h, b) for h, b in hearer.got if b"payment.submitted" in b)
    stamp = headers["x-bank-timestamp"]
    digest = hmac.new(hearer.secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    genuine = headers.get("x-bank-signature") == f"v1={digest}"
    assert genuine == (forgery in ("old_timestamp", "wrong_amount"))
    assert (abs(int(stamp) - time.time()) > 600) == (forgery == "old_timestamp")
    assert (b'"amount":"910.00"' in body) == (forgery in ("altered_body", "wrong_amount"))
