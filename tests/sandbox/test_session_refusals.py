"""What the provider refuses of Checkout Sessions, each through the official SDK."""

from __future__ import annotations

import time

import pytest
import stripe

from tests.sandbox.conftest import item

MISSING = "parameter_missing"


def without(name):
    """A creation from which one parameter is missing."""

    def create(account):
        values = {"mode": "payment", "line_items": [item("Mug", 1000)], "success_url": "http://a.example"}
        del values[name]
        account.v1.checkout.sessions.create(values)

    return create


def given(**params):
    """A creation with one parameter that is wrong."""
    return lambda account: account.session(**params)


def ends(seconds):
    """A creation whose session ends after so many seconds."""
    return lambda account: account.session(expires_at=int(time.time()) + seconds)


def expire_after(token):
    """A session that is expired after it was paid."""

    def expire(account):
        session = account.session()
        account.pay(session.id, token)
        account.v1.checkout.sessions.expire(session.id)

    return expire


def expire_twice(account):
    session = account.session()
    for _ in range(2):
        account.v1.checkout.sessions.expire(session.id)


def intent_of_open_session(account):
    session = account.session()
    account.pay(session.id, "pm_card_chargeDeclined")
    return account.v1.checkout.sessions.retrieve(session.id).payment_intent


def of_another_account(account):
    account.v1.checkout.sessions.retrieve(type(account)(account.sandbox).session().id)


def with_deleted_customer(account):
    customer = account.v1.customers.create({})
    account.v1.customers.delete(customer.id)
    account.session(customer=customer.id)


def with_customer_and_email(account):
    account.session(customer=account.v1.customers.create({}).id, customer_email="a@example.com")


def with_too_many_items(account):
    account.session(line_items=[item("Mug", 10)] * 101)


PRICE = "line_items[0][price_data]"
NAMELESS = {"price_data": {"currency": "usd", "unit_amount": 100, "product_data": {"description": "A cup"}},
            "quantity": 1}  # fmt: skip
PRICELESS = {"price_data": {"currency": "usd", "product_data": {"name": "Mug"}}, "quantity": 1}

REFUSALS = {
    "mode_missing": (without("mode"), 400, MISSING, "mode"),
    "mode_unknown": (given(mode="subscription"), 400, None, "mode"),
    "items_missing": (without("line_items"), 400, MISSING, "line_items"),
    "items_too_many": (with_too_many_items, 400, None, "line_items"),
    "success_url_missing": (without("success_url"), 400, MISSING, "success_url"),
    "success_url_without_scheme": (given(success_url="a.example"), 400, "url_invalid", "success_url"),
    "cancel_url_without_scheme": (given(cancel_url="a.example"), 400, "url_invalid", "cancel_url"),
    "another_ui": (given(ui_mode="elements"), 400, None, "ui_mode"),
    "another_method": (given(payment_method_types=["klarna"]), 400, None, "payment_method_types"),
    "expiry_too_soon": (ends(30 * 60 - 5), 400, None, "expires_at"),
    "expiry_too_late": (ends(24 * 3600 + 5), 400, None, "expires_at"),
    "expiry_no_number": (given(expires_at="soon"), 400, "parameter_invalid_integer", "expires_at"),
    "name_missing": (given(line_items=[NAMELESS]), 400, MISSING, f"{PRICE}[product_data][name]"),
    "amount_missing": (given(line_items=[PRICELESS]), 400, MISSING, f"{PRICE}[unit_amount]"),
    "amount_negative": (given(line_items=[item("Mug", -1)]), 400, None, f"{PRICE}[unit_amount]"),
    "currency_unknown": (given(line_items=[item("Mug", 1000, currency="xyz")]), 400, None,
                         f"{PRICE}[currency]"),
    "two_currencies": (given(line_items=[item("Mug", 1000), item("Cup", 1000, currency="eur")]), 400, None,
                       "line_items"),
    "quantity_zero": (given(line_items=[item("Mug", 1000, quantity=0)]), 400, "parameter_invalid_integer",
                      "line_items[0][quantity]"),
    "price_unknown": (given(line_items=[{"price": "price_1", "quantity": 1}]), 400, "resource_missing",
                      "line_items[0][price]"),
    "total_too_small": (given(line_items=[item("Mug", 49)]), 400, "amount_too_small", None),
    "total_too_large": (given(line_items=[item("Mug", 60_000_000, quantity=2)]), 400, "amount_too_large",
                        None),
    "customer_unknown": (given(customer="cus_nope"), 404, "resource_missing", "customer"),
    "customer_deleted": (with_deleted_customer, 400, "resource_missing", "customer"),
    "customer_and_email": (with_customer_and_email, 400, None, None),
    "parameter_unknown": (given(amount=3), 400, "parameter_unknown", "amount"),
    "intent_parameter_unknown": (given(payment_intent_data={"amount": 3}), 400, "parameter_unknown",
                                 "payment_intent_data[amount]"),
    "intent_metadata_too_long": (given(payment_intent_data={"metadata": {"k" * 41: "v"}}), 400, None,
                                 f"payment_intent_data[metadata][{'k' * 41}]"),
    "reference_too_long": (given(client_reference_id="c" * 201), 400, None, "client_reference_id"),
    "unknown": (lambda a: a.v1.checkout.sessions.retrieve("cs_test_nope"), 404, "resource_missing",
                "session"),
    "of_another_account": (of_another_account, 404, "resource_missing", "session"),
    "expire_complete": (expire_after("pm_card_visa"), 400, None, "session"),
    "expire_processing": (expire_after("pm_card_sandboxProcessing"), 400, None, "session"),
    "expire_expired": (expire_twice, 400, None, "session"),
    "intent_confirmed": (
        lambda a: a.v1.payment_intents.confirm(intent_of_open_session(a), {"payment_method": "pm_card_visa"}),
        400, "payment_intent_unexpected_state", None),
    "intent_canceled": (lambda a: a.v1.payment_intents.cancel(intent_of_open_session(a)), 400,
                        "payment_intent_unexpected_state", None),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSALS)
def test_refuses(account, name):
    function, status, code, param = REFUSALS[name]
    before = len(account.v1.checkout.sessions.list().data)
    with pytest.raises(stripe.InvalidRequestError) as caught:
        function(account)
    seen = caught.value
    told = seen.json_body["error"]
    assert (seen.http_status, told.get("code"), told.get("param")) == (status, code, param), told
    assert told["message"]
    assert before == 0
    assert "charge.captured" not in account.kinds() or name == "expire_complete"
