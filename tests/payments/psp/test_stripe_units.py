"""Stripe's minor units and objects, without a network."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.errors import UnsupportedAmount
from channels.selectors import from_stripe, to_stripe
from channels.types import Exchange
from core.currencies import ISO_EXPONENTS
from payments.api.shapes import FAILURES
from payments.psp.contract import OutcomeKind
from payments.psp.declines import DECLINES
from payments.psp.stripe_adapter import StripeAdapter
from payments.psp.stripe_declines import _OURS, decline_of
from payments.psp.stripe_objects import Unreadable, read_intent
from payments.psp.stripe_outcomes import of_state, outcome_of
from tests.payments.psp.scripted import intent

PAYMENTS = Path(__file__).resolve().parents[3] / "payments"


@pytest.mark.parametrize(
    ("minor", "currency", "wire"),
    [
        (1050, "USD", 1050),
        (500, "JPY", 500),
        (1230, "KWD", 1230),
        (500, "ISK", 50_000),
        (500, "UGX", 50_000),
        (500, "MGA", 5),
        (12_345, "HUF", 12_345),
    ],
)
def test_units_differ_by_currency(minor: int, currency: str, wire: int) -> None:
    assert to_stripe(minor, currency) == wire
    assert from_stripe(wire, currency) == minor


@pytest.mark.parametrize(
    ("minor", "currency", "code"),
    [
        (1231, "KWD", "amount_not_supported"),
        (501, "MGA", "amount_not_supported"),
        (100, "CLF", "currency_not_supported"),
        (100, "IQD", "currency_not_supported"),
        (100, "PTS", "currency_not_supported"),
        (100, "usd", "currency_not_supported"),
        (100, "", "currency_not_supported"),
    ],
)
def test_what_does_not_fit_is_refused(minor: int, currency: str, code: str) -> None:
    with pytest.raises(UnsupportedAmount) as refusal:
        to_stripe(minor, currency)
    assert refusal.value.code == code


@given(st.sampled_from(sorted(ISO_EXPONENTS)), st.integers(min_value=1, max_value=10**12))
def test_an_amount_is_never_changed(currency: str, minor: int) -> None:
    try:
        wire = to_stripe(minor, currency)
    except UnsupportedAmount:
        return
    assert from_stripe(wire, currency) == minor


def test_a_fraction_from_the_wire_is_not_rounded() -> None:
    with pytest.raises(UnsupportedAmount):
        from_stripe(50_001, "ISK")


def test_every_word_of_stripe_has_one_of_our_codes() -> None:
    assert set(_OURS.values()) <= set(DECLINES)
    assert decline_of({"code": "card_declined", "decline_code": "never_heard_of"}).code == "card_declined"
    assert decline_of({}).code == "card_declined"
    assert decline_of({"decline_code": "lost_card"}).message == decline_of({}).message


def test_every_code_of_a_failure_is_documented() -> None:
    """Whatever pay-in says about a payment that brought no money, the page of errors explains."""
    sources = [path.read_text() for folder in ("engine", "psp") for path in (PAYMENTS / folder).rglob("*.py")]
    lines = [line for text in sources for line in text.splitlines() if re.search(r'\bcode"?(=|: | = )', line)]
    said = {code for line in lines for code in re.findall(r'(?:code"?(?:=|: | = )|else )"(\w+)"', line)}
    assert {"risk_declined", "psp_unavailable", "payment_canceled", "card_declined"} <= said
    assert said | set(DECLINES) == set(FAILURES)


def test_a_buyer_reads_nothing_of_what_is_suspected() -> None:
    secret = {code for code, told in FAILURES.items() if told.is_secret}
    assert secret == {"fraud_suspected", "risk_declined"}
    assert DECLINES["fraud_suspected"][0] == DECLINES["card_declined"][0]


def test_an_authorisation_that_ran_out_is_expired() -> None:
    assert read_intent(intent("canceled", cancellation_reason="automatic")).status == "expired"
    assert read_intent(intent("canceled", cancellation_reason="requested_by_customer")).status == "canceled"


def test_an_expanded_charge_is_read_like_its_id() -> None:
    assert read_intent(intent("succeeded", latest_charge={"id": "ch_9"})).charge_reference == "ch_9"


def test_the_card_that_was_tried_goes_before_the_one_that_is_to_pay() -> None:
    """What a charge tells, with the bank's checks, is more than what the method does."""
    card = {"fingerprint": "f-method", "brand": "visa", "country": "US", "checks": None}
    seen = read_intent(intent("requires_confirmation", payment_method={"id": "pm_1", "card": card})).card
    assert (seen.fingerprint, seen.brand, seen.country, seen.cvc) == ("f-method", "visa", "US", "")
    tried = {"id": "ch_1", "payment_method_details": {"card": {"fingerprint": "f-charge"}}}
    both = intent("succeeded", payment_method={"id": "pm_1", "card": card}, latest_charge=tried)
    assert read_intent(both).card.fingerprint == "f-charge"
    for nothing in (None, "pm_1", {}, {"card": None}, {"id": "pm_1", "type": "sepa_debit"}):
        assert read_intent(intent("requires_confirmation", payment_method=nothing)).card is None
    assert "f-method" not in repr(seen)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


class Answer:
    def __init__(self, data: Any) -> None:
        self.data = data


@given(st.sampled_from(sorted(intent())), JSON, st.sampled_from(["succeeded", "requires_action", "canceled"]))
def test_no_answer_makes_the_adapter_raise(field: str, value: Any, status: str) -> None:
    """F-A8: any JSON in any field is read, or it is unknown."""
    data = {**intent(status), field: value}
    exchange = Exchange(result=Answer(data), error=None, sent=True, calls=())
    outcome = outcome_of(exchange, meaning=of_state)
    try:
        seen = read_intent(data)
    except Unreadable:
        assert outcome.kind is OutcomeKind.UNKNOWN and outcome.object is None
    else:
        assert outcome.object == seen


@given(JSON)
def test_no_event_makes_the_adapter_raise(value: Any) -> None:
    """F-C11"""
    adapter = StripeAdapter()
    for payload in ({"type": "payment_intent.succeeded", "data": value}, {"type": value}, {}):
        assert adapter.read_event(payload=payload) is None
    assert adapter.read_event(payload={"type": "payment_intent.new_thing", "data": {"object": intent()}})
    assert (
        adapter.read_event(payload={"type": "charge.dispute.created", "data": {"object": intent()}}) is None
    )
