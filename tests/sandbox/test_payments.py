"""PaymentIntents, refunds, customers and lists through the official SDK."""

from __future__ import annotations

import urllib.error
import urllib.parse
import urllib.request

import pytest
import stripe

from tests.sandbox.conftest import Account


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args, **kwargs):
        return None


def post(url: str, **form: str) -> tuple[int, str | None]:
    opener = urllib.request.build_opener(NoRedirect)
    try:
        with opener.open(url, urllib.parse.urlencode(form).encode(), timeout=5) as answer:
            return answer.status, answer.headers.get("Location")
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers.get("Location")


def test_create_then_confirm_takes_the_money_once(account):
    intent = account.intent(payment_method="pm_card_visa", metadata={"order": "o-1"})
    assert intent.status == "requires_confirmation"
    assert account.journal() == []
    done = account.v1.payment_intents.confirm(intent.id, {}, {"idempotency_key": "confirm-1"})
    assert (done.status, done.amount_received) == ("succeeded", 1000)
    (entry,) = account.journal()
    assert (entry["kind"], entry["amount"], entry["currency"]) == ("charge.captured", 1000, "usd")
    assert (entry["payment_intent"], entry["idempotency_key"]) == (intent.id, "confirm-1")
    assert entry["metadata"] == {"order": "o-1"}
    assert account.journal(**{"metadata.order": "o-1"}) == [entry]
    assert account.journal(**{"metadata.order": "o-2"}) == []


def test_an_unconfirmed_intent_tells_of_its_card_when_asked(account):
    def card(token):
        method = account.v1.payment_methods.create({"type": "card", "card": {"token": token}})
        intent = account.intent(payment_method=method.id, expand=["payment_method"])
        assert (intent.status, intent.payment_method.id) == ("requires_confirmation", method.id)
        return intent.payment_method.card

    first, again, other = card("tok_visa"), card("tok_visa"), card("tok_mastercard")
    assert first.fingerprint == again.fingerprint != other.fingerprint
    assert card("tok_sandboxGooglePayUnnamed").fingerprint is None
    assert account.journal() == []


def test_the_fee_is_on_the_balance_transaction(account):
    charge = account.v1.charges.retrieve(
        account.paid(amount=10_000).latest_charge, {"expand": ["balance_transaction"]}
    )
    booked = charge.balance_transaction
    assert (booked.amount, booked.fee, booked.net) == (10_000, 320, 9_680)
    assert booked.status == "pending"
    balance = account.v1.balance.retrieve()
    assert (balance.pending[0].amount, balance.available[0].amount) == (9_680, 0)


def test_funds_of_the_bypass_card_are_available_at_once(account):
    account.intent(payment_method="pm_card_bypassPending", confirm=True)
    assert account.v1.balance.retrieve().available[0].amount == 1000 - 59


def test_partial_capture_releases_the_rest(account):
    intent = account.paid(capture_method="manual")
    assert (intent.status, intent.amount_capturable, intent.amount_received) == ("requires_capture", 1000, 0)
    done = account.v1.payment_intents.capture(intent.id, {"amount_to_capture": 600})
    assert (done.status, done.amount_received, done.amount_capturable) == ("succeeded", 600, 0)
    charge = account.v1.charges.retrieve(done.latest_charge)
    assert (charge.amount, charge.amount_captured, charge.captured) == (1000, 600, True)
    booked = account.v1.balance_transactions.list({"source": charge.id}).data
    assert [(row.amount, row.reporting_category) for row in booked] == [
        (-400, "partial_capture_reversal"),
        (1000, "charge"),
    ]
    assert [(row["kind"], row["amount"]) for row in account.journal()] == [
        ("charge.authorized", 1000),
        ("charge.captured", 600),
    ]


def test_a_refused_capture_leaves_the_authorisation(account):
    intent = account.paid(payment_method="pm_card_sandboxCaptureRefused", capture_method="manual")
    for _ in range(2):
        with pytest.raises(stripe.CardError) as caught:
            account.v1.payment_intents.capture(intent.id)
        assert caught.value.error.payment_intent.status == "requires_capture"
    assert account.kinds() == ["charge.authorized"]
    assert account.v1.payment_intents.cancel(intent.id).status == "canceled"


@pytest.mark.parametrize(
    ("result", "status", "kinds"),
    [
        ("succeed", "succeeded", ["charge.authorized", "charge.captured"]),
        ("fail", "requires_payment_method", ["charge.authorized", "authorization.released"]),
    ],
)
def test_a_capture_that_takes_its_time(account, result, status, kinds):
    intent = account.paid(payment_method="pm_card_sandboxCaptureProcessing", capture_method="manual")
    pending = account.v1.payment_intents.capture(intent.id, {"amount_to_capture": 400})
    assert (pending.status, pending.amount_received) == ("processing", 0)
    with pytest.raises(stripe.InvalidRequestError):
        account.v1.payment_intents.capture(intent.id)
    account.sandbox.control("POST", f"payment_intents/{intent.id}/settlement", {"result": result})
    assert account.v1.payment_intents.retrieve(intent.id).status == status
    assert account.kinds() == kinds


def test_somebody_else_ends_an_authorisation(account):
    ids = [account.paid(capture_method="manual").id for _ in range(3)]
    for identifier, what, body in zip(
        ids, ("capture", "cancel", "expire"), ({"amount": 250}, {}, {}), strict=True
    ):
        account.sandbox.control("POST", f"payment_intents/{identifier}/{what}", body)
    seen = [account.v1.payment_intents.retrieve(each) for each in ids]
    assert [(each.status, each.cancellation_reason, each.amount_received) for each in seen] == [
        ("succeeded", None, 250),
        ("canceled", None, 0),
        ("canceled", "automatic", 0),
    ]


def test_cancel_releases_an_authorisation(account):
    intent = account.paid(capture_method="manual")
    done = account.v1.payment_intents.cancel(intent.id, {"cancellation_reason": "abandoned"})
    assert (done.status, done.cancellation_reason) == ("canceled", "abandoned")
    assert account.kinds() == ["charge.authorized", "authorization.released"]
    (total,) = account.sandbox.get(f"journal/totals?account={account.id}")
    assert (total["captures"], total["net"]) == (0, 0)


@pytest.mark.parametrize(
    ("token", "code", "decline_code"),
    [
        ("pm_card_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_visa_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("pm_card_chargeDeclinedLostCard", "card_declined", "lost_card"),
        ("pm_card_chargeDeclinedStolenCard", "card_declined", "stolen_card"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card"),
        ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", "incorrect_cvc"),
        ("pm_card_chargeDeclinedProcessingError", "processing_error", "processing_error"),
        ("pm_card_chargeCustomerFail", "card_declined", "generic_decline"),
    ],
)
def test_a_decline_goes_back_to_requires_payment_method(account, token, code, decline_code):
    intent = account.intent(payment_method=token)
    with pytest.raises(stripe.CardError) as caught:
        account.v1.payment_intents.confirm(intent.id)
    error = caught.value
    assert (error.http_status, error.code) == (402, code)
    assert error.error.decline_code == decline_code
    assert error.error.payment_intent.id == intent.id
    now = account.v1.payment_intents.retrieve(intent.id)
    assert now.status == "requires_payment_method"
    assert now.payment_method is None
    assert (now.last_payment_error.code, now.last_payment_error.decline_code) == (code, decline_code)
    assert account.v1.charges.retrieve(now.latest_charge).status == "failed"
    assert [(row["kind"], row["amount"]) for row in account.journal()] == [("charge.declined", 0)]
    done = account.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
    assert (done.status, done.last_payment_error) == ("succeeded", None)


@pytest.mark.parametrize(
    ("result", "status"), [("complete", "succeeded"), ("fail", "requires_payment_method")]
)
def test_three_d_secure_by_the_banks_page(account, result, status):
    intent = account.intent(
        payment_method="pm_card_threeDSecure2Required",
        confirm=True,
        return_url="http://shop.example/back?x=1",
    )
    assert (intent.status, intent.next_action.type) == ("requires_action", "redirect_to_url")
    page = intent.next_action.redirect_to_url.url
    with urllib.request.urlopen(page, timeout=5) as answer:
        assert "10.00 USD" in answer.read().decode()
    code, location = post(page, result=result)
    assert code == 303
    assert location.startswith("http://shop.example/back?x=1&payment_intent=pi_")
    now = account.v1.payment_intents.retrieve(intent.id)
    assert (now.status, now.next_action) == (status, None)
    assert account.kinds() == (["charge.captured"] if result == "complete" else [])
    if result == "fail":
        assert now.last_payment_error.code == "payment_intent_authentication_failure"
    assert post(page, result="complete")[0] == 410


def test_three_d_secure_by_the_control_api(account):
    intent = account.intent(payment_method="pm_card_authenticationRequired", confirm=True)
    assert intent.next_action.type == "use_stripe_sdk"
    path = f"payment_intents/{intent.id}/authentication"
    assert account.sandbox.control("POST", path, {"result": "complete"})["status"] == "succeeded"
    account.sandbox.control("POST", path, {"result": "complete"}, status=400)


@pytest.mark.parametrize(
    ("result", "status"), [("succeed", "succeeded"), ("fail", "requires_payment_method")]
)
def test_a_payment_may_stay_open_and_end_later(account, result, status):
    intent = account.intent(payment_method="pm_card_sandboxProcessing", confirm=True)
    assert (intent.status, account.journal()) == ("processing", [])
    with pytest.raises(stripe.InvalidRequestError):
        account.v1.payment_intents.cancel(intent.id)
    account.sandbox.control("POST", f"payment_intents/{intent.id}/settlement", {"result": result})
    assert account.v1.payment_intents.retrieve(intent.id).status == status
    assert account.kinds() == ["charge.captured" if result == "succeed" else "charge.declined"]
    types = [event.type for event in account.v1.events.list().data][::-1]
    assert types[:2] == ["payment_intent.created", "payment_intent.processing"]


def test_off_session_payment_that_needs_the_buyer_is_declined(account):
    with pytest.raises(stripe.CardError) as caught:
        account.intent(payment_method="pm_card_authenticationRequired", confirm=True, off_session=True)
    assert caught.value.code == "authentication_required"
    assert caught.value.error.payment_intent.status == "requires_payment_method"


def test_saved_method_pays_again_and_again(account):
    customer = account.v1.customers.create({"email": "buyer@example.com"})
    first = account.paid(customer=customer.id, setup_future_usage="off_session")
    for _ in range(2):
        account.intent(
            payment_method=first.payment_method, customer=customer.id, confirm=True, off_session=True
        )
    assert account.kinds() == ["charge.captured"] * 3
    assert [row.id for row in account.v1.payment_methods.list({"customer": customer.id}).data] == [
        first.payment_method
    ]
    assert [row.id for row in account.v1.customers.payment_methods.list(customer.id).data] == [
        first.payment_method
    ]


def test_payment_method_from_a_token(account):
    method = account.v1.payment_methods.create(
        {"type": "card", "card": {"token": "tok_mastercard"}, "billing_details": {"name": "Ann"}}
    )
    assert (method.card.brand, method.billing_details.name) == ("mastercard", "Ann")
    assert account.intent(payment_method=method.id, confirm=True).status == "succeeded"


def test_refunds_in_parts_close_the_charge(account):
    intent = account.paid()
    account.v1.refunds.create({"payment_intent": intent.id, "amount": 400, "metadata": {"r": "1"}})
    account.v1.refunds.create({"charge": intent.latest_charge, "reason": "requested_by_customer"})
    charge = account.v1.charges.retrieve(intent.latest_charge)
    assert (charge.refunded, charge.amount_refunded) == (True, 1000)
    assert [row.amount for row in account.v1.refunds.list({"payment_intent": intent.id}).data] == [600, 400]
    (total,) = account.sandbox.get(f"journal/totals?account={account.id}")
    assert (total["captured"], total["refunded"], total["refunds"], total["net"]) == (1000, 1000, 2, 0)


def test_a_refund_may_fail_after_it_succeeded(account):
    refund = account.v1.refunds.create({"payment_intent": account.paid().id})
    account.sandbox.control("POST", f"refunds/{refund.id}/fail", {})
    assert account.v1.refunds.retrieve(refund.id).status == "failed"
    assert account.v1.charges.retrieve(refund.charge).amount_refunded == 0
    assert account.kinds() == ["charge.captured", "refund.succeeded", "refund.failed"]
    types = [row.type for row in account.v1.balance_transactions.list().data]
    assert types == ["refund_failure", "refund", "charge"]


def test_update_before_confirmation(account):
    intent = account.intent()
    account.v1.payment_intents.update(intent.id, {"amount": 2500, "metadata": {"a": "1"}, "description": "x"})
    done = account.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
    assert (done.amount_received, done.metadata.to_dict(), done.description) == (2500, {"a": "1"}, "x")


def test_lists_page_and_filter(account):
    made = [account.intent(metadata={"n": str(number)}).id for number in range(5)]
    seen = [row.id for row in account.v1.payment_intents.list({"limit": 2}).auto_paging_iter()]
    assert seen == made[::-1]
    first = account.v1.payment_intents.list({"limit": 2})
    before = account.v1.payment_intents.list({"limit": 2, "ending_before": first.data[1].id})
    assert [row.id for row in before.data] == [made[4]]
    created = account.v1.events.list({"type": "payment_intent.created", "limit": 3})
    assert [row.data.object.id for row in created.data] == [made[4], made[3], made[2]]
    assert created.has_more is True
    nothing = account.v1.events.list(
        {"types": ["charge.failed"], "created": {"gte": created.data[0].created}}
    )
    assert nothing.data == []
    event = account.v1.events.retrieve(created.data[0].id)
    assert event.type == "payment_intent.created"


def test_money_with_other_exponents(account):
    assert account.paid(amount=500, currency="jpy").amount_received == 500
    assert account.paid(amount=1230, currency="kwd").amount_received == 1230


def test_answers_carry_the_documented_headers(account):
    intent = account.intent(key="header-key")
    headers = intent.last_response.headers
    assert headers["Request-Id"].startswith("req_")
    assert headers["Stripe-Version"] == "2026-10-28.endive"
    assert headers["Idempotency-Key"] == "header-key"
    assert "Idempotent-Replayed" not in headers


@pytest.mark.parametrize(
    ("token", "first", "last"),
    [("pendingRefund", "pending", "succeeded"), ("sandboxRefundPendingFails", "pending", "failed"),
     ("refundFail", "succeeded", "failed")],
)  # fmt: skip
def test_a_card_says_what_becomes_of_its_refunds(own_sandbox, token, first, last):
    account = Account(own_sandbox())
    intent = account.intent(payment_method=f"pm_card_{token}", confirm=True)
    refund = account.v1.refunds.create({"payment_intent": intent.id, "amount": 400})
    assert refund.status == first
    assert account.v1.charges.retrieve(refund.charge).amount_refunded == 400
    account.sandbox.control("POST", "clock", {"seconds": 86_401})
    assert account.v1.refunds.retrieve(refund.id).status == last
    assert account.v1.charges.retrieve(refund.charge).amount_refunded == (400 if last == "succeeded" else 0)


def test_a_card_that_takes_no_refunds(account):
    intent = account.intent(payment_method="pm_card_sandboxRefundRefused", confirm=True)
    with pytest.raises(stripe.InvalidRequestError):
        account.v1.refunds.create({"payment_intent": intent.id})
    assert account.kinds() == ["charge.captured"]


def test_a_refund_on_the_dashboard_is_a_refund_like_any_other(account):
    intent = account.paid()
    made = account.sandbox.control("POST", f"payment_intents/{intent.id}/refund", {"amount": 300})
    assert account.v1.refunds.retrieve(made["id"]).amount == 300
    account.sandbox.control("POST", f"payment_intents/{intent.id}/refund", {})
    assert account.v1.charges.retrieve(intent.latest_charge).refunded
