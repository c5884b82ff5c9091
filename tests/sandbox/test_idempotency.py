"""Idempotency keys: replay, comparison, 24 hours, concurrency, what is kept and what is not."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import stripe

PAY = {"amount": 1000, "currency": "usd", "payment_method_types": ["card"], "payment_method": "pm_card_visa",
       "confirm": True}  # fmt: skip


def test_the_same_request_again_is_replayed(account):
    first = account.v1.payment_intents.create(PAY, {"idempotency_key": "k"})
    again = account.v1.payment_intents.create(PAY, {"idempotency_key": "k"})
    assert again.last_response.body == first.last_response.body
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    assert again.last_response.headers["Original-Request"] == first.last_response.headers["Request-Id"]
    assert account.kinds() == ["charge.captured"]


def test_without_a_shared_key_the_money_is_taken_twice(account):
    account.v1.payment_intents.create(PAY, {"idempotency_key": "k1"})
    account.v1.payment_intents.create(PAY, {"idempotency_key": "k2"})
    assert account.kinds() == ["charge.captured"] * 2


def test_keys_belong_to_their_account(account):
    other = type(account)(account.sandbox)
    first = account.v1.payment_intents.create(PAY, {"idempotency_key": "k"})
    assert other.v1.payment_intents.create(PAY, {"idempotency_key": "k"}).id != first.id


def test_a_decline_is_replayed(account):
    params = {**PAY, "payment_method": "pm_card_chargeDeclined"}
    bodies = []
    for _ in range(2):
        with pytest.raises(stripe.CardError) as caught:
            account.v1.payment_intents.create(params, {"idempotency_key": "k"})
        bodies.append(caught.value.http_body)
    assert bodies[0] == bodies[1]
    assert caught.value.headers["Idempotent-Replayed"] == "true"
    assert account.kinds() == ["charge.declined"]


def test_a_refused_state_is_replayed(account):
    intent = account.intent(payment_method="pm_card_visa")
    account.v1.payment_intents.cancel(intent.id)
    for replayed in (None, "true"):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            account.v1.payment_intents.confirm(intent.id, {}, {"idempotency_key": "k"})
        assert caught.value.headers.get("Idempotent-Replayed") == replayed


def test_nothing_is_kept_of_a_validation_failure(account):
    with pytest.raises(stripe.InvalidRequestError):
        account.v1.payment_intents.create({**PAY, "amount": 0}, {"idempotency_key": "k"})
    assert account.v1.payment_intents.create(PAY, {"idempotency_key": "k"}).status == "succeeded"


@pytest.mark.parametrize("effect", [True, False])
def test_a_500_after_execution_began_is_replayed(account, effect):
    account.arm("http_500", effect=effect)
    for replayed in (None, "true"):
        with pytest.raises(stripe.APIError) as caught:
            account.v1.payment_intents.create(PAY, {"idempotency_key": "k"})
        assert caught.value.http_status == 500
        assert caught.value.headers.get("Idempotent-Replayed") == replayed
    assert account.kinds() == (["charge.captured"] if effect else [])


def test_keys_are_forgotten_after_24_hours(own_sandbox, account):
    box = own_sandbox()
    v1 = box.client("sk_test_old").v1
    first = v1.payment_intents.create(PAY, {"idempotency_key": "k"})
    box.control("POST", "clock", {"seconds": 24 * 3600 - 60})
    assert v1.payment_intents.create(PAY, {"idempotency_key": "k"}).id == first.id
    box.control("POST", "clock", {"seconds": 120})
    assert v1.payment_intents.create(PAY, {"idempotency_key": "k"}).id != first.id
    assert len(box.get("journal")) == 2


def test_409_while_the_first_is_running(account, until):
    account.arm("slow", seconds=1.0)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(account.v1.payment_intents.create, PAY, {"idempotency_key": "k"})
        until(lambda: account.sandbox.get("faults")[0]["hits"] == 1)
        with pytest.raises(stripe.APIError) as caught:
            account.quick(timeout=5).payment_intents.create(PAY, {"idempotency_key": "k"})
        assert (caught.value.http_status, caught.value.error.code) == (409, "idempotency_key_in_use")
        assert first.result().status == "succeeded"
    assert account.v1.payment_intents.create(PAY, {"idempotency_key": "k"}).id == first.result().id


def race(account, keys):
    """As many requests at once as there are keys; returns their outcomes."""
    barrier = threading.Barrier(len(keys))

    def one(key):
        v1 = account.quick(timeout=10)
        barrier.wait()
        try:
            return v1.payment_intents.create(PAY, {"idempotency_key": key}).id
        except stripe.APIError as error:
            return error.http_status

    with ThreadPoolExecutor(len(keys)) as pool:
        return list(pool.map(one, keys))


def test_20_at_once_with_one_key_take_the_money_once(account):
    outcomes = race(account, ["k"] * 20)
    assert len({outcome for outcome in outcomes if outcome != 409}) == 1
    assert account.kinds() == ["charge.captured"]


def test_control_20_at_once_with_20_keys_take_it_20_times(account):
    outcomes = race(account, [f"k{number}" for number in range(20)])
    assert len(set(outcomes)) == 20
    assert account.kinds() == ["charge.captured"] * 20


def test_confirmations_at_once_with_different_keys_charge_once(account):
    intent = account.intent(payment_method="pm_card_visa")
    barrier = threading.Barrier(10)

    def confirm(number):
        v1 = account.quick(timeout=10)
        barrier.wait()
        try:
            return v1.payment_intents.confirm(intent.id, {}, {"idempotency_key": f"c{number}"}).status
        except stripe.InvalidRequestError as error:
            return error.code

    with ThreadPoolExecutor(10) as pool:
        outcomes = sorted(pool.map(confirm, range(10)))
    assert outcomes == ["payment_intent_unexpected_state"] * 9 + ["succeeded"]
    assert account.kinds() == ["charge.captured"]
