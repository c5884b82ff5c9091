"""What cards tell besides yes and no: checks of address and code, risk, wallets; and cards that take long."""

from __future__ import annotations

import pytest
import stripe

from tests.sandbox.conftest import Account

HOUR = 3600
ADDRESS = {"address": {"line1": "1 Market Street", "postal_code": "94103"}}


def checks_of(account, token, details=None):
    """Line, postal code and security code as the bank checked them."""
    method = f"pm_card_{token}"
    if details is not None:
        params = {"type": "card", "card": {"token": f"tok_{token}"}, "billing_details": details}
        method = account.v1.payment_methods.create(params).id
    intent = account.intent(payment_method=method, confirm=True, expand=["latest_charge"])
    assert intent.status == "succeeded"
    checks = intent.latest_charge.payment_method_details.card.checks
    return checks.address_line1_check, checks.address_postal_code_check, checks.cvc_check


@pytest.mark.parametrize(
    ("token", "alone", "with_address"),
    [
        ("visa", (None, None, "pass"), ("pass", "pass", "pass")),
        ("avsFail", ("fail", "fail", "pass"), ("fail", "fail", "pass")),
        ("avsLineOneFail", ("fail", None, "pass"), ("fail", "pass", "pass")),
        ("avsLine1Fail", ("fail", None, "pass"), ("fail", "pass", "pass")),
        ("avsZipFail", (None, "fail", "pass"), ("pass", "fail", "pass")),
        ("avsUnchecked", ("unavailable", "unavailable", "pass"), ("unavailable", "unavailable", "pass")),
        ("cvcCheckFail", (None, None, "fail"), ("pass", "pass", "fail")),
    ],
)
def test_checks(account, token, alone, with_address):
    assert checks_of(account, token) == alone
    assert checks_of(account, token, ADDRESS) == with_address


def test_a_card_of_elevated_risk_pays_and_says_so(account):
    intent = account.intent(
        payment_method="pm_card_riskLevelElevated", confirm=True, expand=["latest_charge"]
    )
    assert intent.status == "succeeded"
    assert (intent.latest_charge.outcome.type, intent.latest_charge.outcome.risk_level) == (
        "authorized",
        "elevated",
    )


@pytest.mark.parametrize("token", ["riskLevelHighest", "radarBlock"])
def test_a_card_of_highest_risk_is_blocked_before_the_bank(account, token):
    with pytest.raises(stripe.CardError) as caught:
        account.intent(payment_method=f"pm_card_{token}", confirm=True)
    assert (caught.value.code, caught.value.error.decline_code) == ("card_declined", "fraudulent")
    (charge,) = account.v1.charges.list().data
    outcome = charge.outcome
    assert (outcome.type, outcome.network_status, outcome.reason, outcome.risk_level) == (
        "blocked",
        "not_sent_to_network",
        "highest_risk_level",
        "highest",
    )


@pytest.mark.parametrize(("token", "kind"), [("ApplePay", "apple_pay"), ("GooglePay", "google_pay")])
def test_a_wallets_card_names_its_wallet(account, token, kind):
    customer = account.v1.customers.create({})
    method = account.v1.payment_methods.attach(f"pm_card_sandbox{token}", {"customer": customer.id})
    assert method.card.wallet.type == kind
    intent = account.intent(
        payment_method=method.id, customer=customer.id, confirm=True, expand=["latest_charge"]
    )
    assert intent.latest_charge.payment_method_details.card.wallet.type == kind
    with pytest.raises(stripe.CardError):
        account.intent(payment_method=f"pm_card_sandbox{token}Declined", confirm=True)


@pytest.mark.parametrize(
    ("token", "metadata", "seconds", "status"),
    [
        ("sandboxReview", {}, 6 * HOUR, "succeeded"),
        ("sandboxReviewFails", {}, 6 * HOUR, "requires_payment_method"),
        ("sandboxReview", {"sandbox_review": "7200:fail"}, 2 * HOUR, "requires_payment_method"),
        ("sandboxReviewFails", {"sandbox_review": "7200:succeed"}, 2 * HOUR, "succeeded"),
        ("sandboxProcessing", {"sandbox_review": "7200"}, 2 * HOUR, "succeeded"),
    ],
)
def test_a_review_ends_by_itself_after_hours(own_sandbox, token, metadata, seconds, status):
    box = own_sandbox()
    account = Account(box)
    intent = account.intent(payment_method=f"pm_card_{token}", confirm=True, metadata=metadata)
    assert intent.status == "processing"
    box.control("POST", "clock", {"seconds": seconds - 60})
    assert account.v1.payment_intents.retrieve(intent.id).status == "processing"
    moved = box.control("POST", "clock", {"seconds": 120})
    assert moved["rang"] == [intent.id]
    assert account.v1.payment_intents.retrieve(intent.id).status == status
    assert account.kinds() == ["charge.captured" if status == "succeeded" else "charge.declined"]
    last = account.v1.events.list({"limit": 1}).data[0].type
    assert last == ("payment_intent.succeeded" if status == "succeeded" else "payment_intent.payment_failed")


def test_a_review_settled_by_hand_does_not_end_again(own_sandbox):
    box = own_sandbox()
    account = Account(box)
    intent = account.intent(payment_method="pm_card_sandboxReviewFails", confirm=True)
    box.control("POST", f"payment_intents/{intent.id}/settlement", {"result": "succeed"})
    box.control("POST", "clock", {"seconds": 7 * HOUR})
    assert account.kinds() == ["charge.captured"]


def test_a_review_of_a_session_ends_in_the_session(own_sandbox):
    box = own_sandbox()
    account = Account(box)
    session = account.session(payment_intent_data={"metadata": {"sandbox_review": "60:fail"}})
    account.pay(session.id, "pm_card_sandboxReview")
    box.control("POST", "clock", {"seconds": 61})
    assert account.v1.events.list({"limit": 1}).data[0].type == "checkout.session.async_payment_failed"


def test_the_end_of_a_review_may_have_no_webhook(own_sandbox):
    box = own_sandbox()
    account = Account(box)
    account.v1.webhook_endpoints.create({"url": "http://127.0.0.1:9/none", "enabled_events": ["*"]})
    dropped = account.intent(
        payment_method="pm_card_sandboxReview", confirm=True, metadata={"sandbox_review": "60"}
    )
    heard = account.intent(
        payment_method="pm_card_sandboxReview", confirm=True, metadata={"sandbox_review": "90"}
    )
    account.arm("webhook_drop", operation="clock.review_*", event_type="payment_intent.succeeded")
    box.control("POST", "clock", {"seconds": 100})
    query = "deliveries?type=payment_intent.succeeded&object="
    assert [row["state"] for row in box.get(query + dropped.id)] == ["dropped"]
    assert [row["state"] != "dropped" for row in box.get(query + heard.id)] == [True]
