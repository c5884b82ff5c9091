"""What the provider refuses, each through the official SDK: error class, status, code and parameter."""

from __future__ import annotations

import pytest
import stripe

REFUSALS = {}


def refusal(
    error: type[stripe.StripeError], *, status: int = 400, code: str | None = None, param: str | None = None
):
    """Register a function that must end in this refusal."""

    def register(function):
        REFUSALS[function.__name__] = (function, error, status, code, param)
        return function

    return register


INVALID = stripe.InvalidRequestError
STATE = "payment_intent_unexpected_state"
BACK = "http://localhost/back"


@refusal(stripe.IdempotencyError)
def same_key_other_parameters(a):
    a.intent(key="one")
    a.intent(key="one", amount=2000)


@refusal(stripe.IdempotencyError)
def same_key_other_url(a):
    intent = a.intent(key="one", payment_method="pm_card_visa")
    a.v1.payment_intents.confirm(intent.id, {}, {"idempotency_key": "one"})


@refusal(INVALID)
def key_too_long(a):
    a.intent(key="k" * 256)


@refusal(INVALID, code=STATE)
def confirm_after_cancel(a):
    intent = a.intent(payment_method="pm_card_visa")
    a.v1.payment_intents.cancel(intent.id)
    a.v1.payment_intents.confirm(intent.id)


@refusal(INVALID, code=STATE)
def confirm_of_succeeded(a):
    a.v1.payment_intents.confirm(a.paid().id)


@refusal(INVALID, code=STATE)
def confirm_of_authorised(a):
    a.v1.payment_intents.confirm(a.paid(capture_method="manual").id)


@refusal(INVALID, code=STATE)
def confirm_without_payment_method(a):
    a.v1.payment_intents.confirm(a.intent().id)


@refusal(INVALID, code="parameter_missing", param="payment_method")
def create_confirmed_without_payment_method(a):
    a.intent(confirm=True)


@refusal(INVALID, code=STATE)
def cancel_of_succeeded(a):
    a.v1.payment_intents.cancel(a.paid().id)


@refusal(INVALID, code=STATE)
def cancel_of_canceled(a):
    intent = a.intent()
    a.v1.payment_intents.cancel(intent.id)
    a.v1.payment_intents.cancel(intent.id)


@refusal(INVALID, code=STATE)
def capture_of_unconfirmed(a):
    a.v1.payment_intents.capture(a.intent(payment_method="pm_card_visa").id)


@refusal(INVALID, code=STATE)
def capture_of_succeeded(a):
    a.v1.payment_intents.capture(a.paid().id)


@refusal(INVALID, code="amount_too_large", param="amount_to_capture")
def capture_above_authorised(a):
    a.v1.payment_intents.capture(a.paid(capture_method="manual").id, {"amount_to_capture": 1001})


@refusal(INVALID, code="parameter_invalid_integer", param="amount_to_capture")
def capture_of_nothing(a):
    a.v1.payment_intents.capture(a.paid(capture_method="manual").id, {"amount_to_capture": 0})


@refusal(INVALID, code=STATE)
def change_of_amount_after_success(a):
    a.v1.payment_intents.update(a.paid().id, {"amount": 2000})


@refusal(INVALID)
def detached_method_reused(a):
    customer = a.v1.customers.create()
    method = a.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    a.v1.payment_methods.detach(method.id)
    a.intent(payment_method=method.id, confirm=True)


@refusal(INVALID)
def detached_method_attached_again(a):
    customer = a.v1.customers.create()
    method = a.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    a.v1.payment_methods.detach(method.id)
    a.v1.payment_methods.attach(method.id, {"customer": customer.id})


@refusal(INVALID)
def method_used_alone_reused(a):
    a.intent(payment_method=a.paid().payment_method, confirm=True)


@refusal(INVALID)
def method_of_deleted_customer_reused(a):
    customer = a.v1.customers.create()
    method = a.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    a.v1.customers.delete(customer.id)
    a.intent(payment_method=method.id, confirm=True)


@refusal(INVALID, param="payment_method")
def method_of_a_customer_not_named(a):
    customer = a.v1.customers.create()
    method = a.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    a.intent(payment_method=method.id)


@refusal(INVALID)
def attach_to_a_second_customer(a):
    method = a.v1.payment_methods.attach("pm_card_visa", {"customer": a.v1.customers.create().id})
    a.v1.payment_methods.attach(method.id, {"customer": a.v1.customers.create().id})


@refusal(INVALID)
def detach_of_unattached(a):
    method = a.v1.payment_methods.create({"type": "card", "card": {"token": "tok_visa"}})
    a.v1.payment_methods.detach(method.id)


@refusal(stripe.CardError, status=402, code="card_declined")
def attach_of_a_declined_card(a):
    a.v1.payment_methods.attach("pm_card_chargeDeclined", {"customer": a.v1.customers.create().id})


@refusal(stripe.CardError, status=402, param="card[number]")
def card_number(a):
    card = {"number": "4242424242424242", "exp_month": 12, "exp_year": 2034}
    a.v1.payment_methods.create({"type": "card", "card": card})


@refusal(INVALID, status=404, code="resource_missing", param="intent")
def unknown_payment_intent(a):
    a.v1.payment_intents.retrieve("pi_000000000000000000000000")


@refusal(INVALID, status=404, code="resource_missing", param="id")
def unknown_charge(a):
    a.v1.charges.retrieve("ch_nope")


@refusal(INVALID, status=404, code="resource_missing", param="customer")
def unknown_customer(a):
    a.intent(customer="cus_nope")


@refusal(INVALID, status=404, code="resource_missing", param="payment_method")
def unknown_payment_method(a):
    a.intent(payment_method="pm_card_nope")


@refusal(INVALID, status=404, code="resource_missing", param="card[token]")
def unknown_token(a):
    a.v1.payment_methods.create({"type": "card", "card": {"token": "tok_nope"}})


@refusal(INVALID, status=404, code="resource_missing", param="intent")
def object_of_another_account(a):
    other = type(a)(a.sandbox)
    a.v1.payment_intents.retrieve(other.intent().id)


@refusal(INVALID, code="parameter_invalid_integer", param="amount")
def amount_zero(a):
    a.intent(amount=0)


@refusal(INVALID, code="parameter_invalid_integer", param="amount")
def amount_negative(a):
    a.intent(amount=-100)


@refusal(INVALID, code="parameter_invalid_integer", param="amount")
def amount_with_decimals(a):
    a.intent(amount="10.50")


@refusal(INVALID, code="amount_too_small", param="amount")
def amount_below_the_least(a):
    a.intent(amount=49)


@refusal(INVALID, code="amount_too_large", param="amount")
def amount_above_the_most(a):
    a.intent(amount=100_000_000)


@refusal(INVALID, code="parameter_invalid_integer", param="amount")
def three_decimals_not_rounded_to_ten(a):
    a.intent(amount=1234, currency="kwd")


@refusal(INVALID, code="parameter_missing", param="amount")
def amount_missing(a):
    a.v1.payment_intents.create({"currency": "usd"})


@refusal(INVALID, code="parameter_missing", param="currency")
def currency_missing(a):
    a.v1.payment_intents.create({"amount": 1000})


@refusal(INVALID, param="currency")
def currency_unknown(a):
    a.intent(currency="xyz")


@refusal(INVALID, code="parameter_unknown", param="amuont")
def parameter_unknown(a):
    a.intent(amuont=3)


@refusal(INVALID, param="capture_method")
def capture_method_unknown(a):
    a.intent(capture_method="later")


@refusal(INVALID, param="metadata[" + "k" * 41 + "]")
def metadata_key_too_long(a):
    a.intent(metadata={"k" * 41: "v"})


@refusal(INVALID, param="metadata")
def metadata_with_too_many_keys(a):
    a.intent(metadata={f"k{number}": "v" for number in range(51)})


@refusal(INVALID, param="return_url")
def redirecting_methods_without_return_url(a):
    a.v1.payment_intents.create(
        {"amount": 1000, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True}
    )


@refusal(INVALID, param="off_session")
def off_session_without_confirm(a):
    a.intent(off_session=True)


@refusal(INVALID, param="amount")
def refund_above_remaining(a):
    intent = a.paid()
    a.v1.refunds.create({"payment_intent": intent.id, "amount": 700})
    a.v1.refunds.create({"payment_intent": intent.id, "amount": 301})


@refusal(INVALID, code="charge_already_refunded")
def refund_of_refunded(a):
    intent = a.paid()
    a.v1.refunds.create({"payment_intent": intent.id})
    a.v1.refunds.create({"payment_intent": intent.id})


@refusal(INVALID, code=STATE)
def refund_of_unpaid(a):
    a.v1.refunds.create({"payment_intent": a.intent().id})


@refusal(INVALID, code="charge_not_captured")
def refund_of_uncaptured(a):
    a.v1.refunds.create({"payment_intent": a.paid(capture_method="manual").id})


@refusal(INVALID, code="parameter_missing", param="payment_intent")
def refund_of_nothing(a):
    a.v1.refunds.create({"amount": 100})


@refusal(INVALID, code="parameter_invalid_integer", param="amount")
def refund_of_zero(a):
    a.v1.refunds.create({"payment_intent": a.paid().id, "amount": 0})


@refusal(INVALID, param="reason")
def refund_for_an_unknown_reason(a):
    a.v1.refunds.create({"payment_intent": a.paid().id, "reason": "mood"})


@refusal(INVALID, code="parameter_invalid_integer", param="limit")
def page_too_long(a):
    a.v1.payment_intents.list({"limit": 101})


@refusal(INVALID, param="expand")
def expansion_of_no_object(a):
    a.intent(expand=["status"])


@refusal(INVALID, code="url_invalid", param="url")
def webhook_endpoint_without_scheme(a):
    a.v1.webhook_endpoints.create({"url": "example.com", "enabled_events": ["*"]})


@refusal(stripe.AuthenticationError, status=401)
def key_wrong(a):
    a.sandbox.client("sk_live_wrong").v1.balance.retrieve()


@refusal(stripe.AuthenticationError, status=401)
def key_revoked(a):
    a.sandbox.control("POST", "keys", {"key": a.key, "revoked": True})
    a.v1.balance.retrieve()


@refusal(stripe.PermissionError, status=403, code="account_invalid")
def account_of_somebody_else(a):
    a.v1.balance.retrieve({}, {"stripe_account": "acct_other"})


@refusal(INVALID)
def version_not_spoken(a):
    a.v1.balance.retrieve({}, {"stripe_version": "2019-01-01"})


@refusal(INVALID, status=404)
def url_unknown(a):
    a.client.raw_request("get", "/v1/unicorns")


@pytest.mark.parametrize("name", REFUSALS)
def test_refuses(account, name):
    function, error, status, code, param = REFUSALS[name]
    with pytest.raises(stripe.StripeError) as caught:
        function(account)
    seen = caught.value
    told = seen.json_body["error"]
    assert (type(seen), seen.http_status) == (error, status), told
    assert (told.get("code"), told.get("param")) == (code, param)
    assert told["message"]
    assert seen.request_id.startswith("req_")


def test_two_keys_of_one_account_see_the_same_objects(account):
    other = f"{account.key}_second"
    account.sandbox.control("POST", "keys", {"key": other, "account": account.key})
    intent = account.intent()
    assert account.sandbox.client(other).v1.payment_intents.retrieve(intent.id).id == intent.id


def test_a_refusal_leaves_nothing_behind(account):
    with pytest.raises(stripe.InvalidRequestError):
        account.intent(payment_method="pm_card_visa", confirm=True, expand=["status"])
    assert account.journal() == []
    assert account.v1.payment_intents.list().data == []
    assert account.v1.events.list().data == []
