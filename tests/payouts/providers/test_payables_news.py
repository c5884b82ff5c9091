"""What a payables API's words mean, whatever they are."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from core.money import ISO_EXPONENTS, format_minor
from payouts.providers.contract import NewsKind
from payouts.providers.payables_news import news_of_item, news_of_payment
from payouts.providers.sandbox import SandboxPayables
from tests.payouts.providers.orders import instruction

PROVIDER = SandboxPayables()

PAYMENT = {
    "id": "bpm_1", "ref_code": "po1-1", "payee_ref": "dst_1", "state": "paid", "amount": "10.00",
    "currency": "EUR", "changed_at": "2026-11-30T10:00:00Z", "reason": None,
}  # fmt: skip


def test_a_callback_is_news() -> None:
    (news,) = PROVIDER.read(None, {"id": "bev_1", "type": "payment.paid", "data": PAYMENT})  # type: ignore[arg-type]
    assert (news.reference, news.kind, news.amount_minor, news.currency, news.provider_reference) == (
        "po1-1", NewsKind.PAID, 1000, "EUR", "bpm_1",
    )  # fmt: skip
    assert news.occurred_at is not None and news.occurred_at.utcoffset() == timedelta(0)
    back = {**PAYMENT, "state": "returned", "reason": {"code": "AC04"}}
    (news,) = PROVIDER.read(None, {"id": "bev_2", "type": "payment.returned", "data": back})  # type: ignore[arg-type]
    assert news.failure is not None and news.failure.code == "destination_closed"
    assert PROVIDER.read(None, {"type": "payment.paid", "data": back}) == ()  # type: ignore[arg-type]
    taken = {**PAYMENT, "state": "submitted"}
    assert PROVIDER.read(None, {"type": "payment.submitted", "data": taken}) == (), "the answer told it"  # type: ignore[arg-type]
    assert PROVIDER.read(None, {"type": "payee.changed", "data": {"payee_ref": "dst_1"}}) == ()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "change",
    [
        {"amount": 10}, {"amount": "10.001"}, {"amount": "-1.00"}, {"amount": "1e3"}, {"amount": None},
        {"currency": "XXQ"}, {"currency": None}, {"state": "sent"}, {"state": None},
    ],
)  # fmt: skip
def test_words_that_cannot_be_read_are_unknown(change: dict[str, Any]) -> None:
    """F-F12"""
    news = news_of_payment({**PAYMENT, **change})
    assert news is not None and (news.reference, news.kind) == ("po1-1", NewsKind.UNKNOWN)


@pytest.mark.parametrize(
    "item",
    [
        None, [], {}, {"status": "accepted"}, {"status": "accepted", "payment": []},
        {"status": "conflict", "payment": PAYMENT}, {"status": "new", "payment": PAYMENT},
        {"status": "accepted", "payment": {**PAYMENT, "payee_ref": "dst_2"}},
        {"status": "accepted", "payment": {**PAYMENT, "ref_code": "po2-1"}},
    ],
)  # fmt: skip
def test_a_line_that_is_not_ours_is_unknown(item: object) -> None:
    ours = instruction(reference="po1-1", payee_reference="dst_1")
    assert news_of_item(ours, item).kind is NewsKind.UNKNOWN
    assert news_of_item(ours, {"status": "duplicate", "payment": PAYMENT}).kind is NewsKind.PAID


NAMES = st.sampled_from([*PAYMENT, "payment", "status", "type", "data", "code"])
VALUES = (
    st.none() | st.booleans() | st.integers() | st.text(max_size=10) | st.sampled_from([*PAYMENT.values()])
)
JSON = st.recursive(
    VALUES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=6),
    max_leaves=6,
)  # fmt: skip


@given(payload=st.dictionaries(st.sampled_from(["id", "type", "data", "created"]), JSON))
@hypothesis_settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_no_callback_breaks_the_reader(payload: dict[str, Any]) -> None:
    """Whatever comes, it is news of a payment with a reference, or nothing."""
    for news in PROVIDER.read(None, payload):  # type: ignore[arg-type]
        assert news.reference
        assert news.kind is NewsKind.UNKNOWN or news.amount_minor is not None


@given(amount=st.integers(1, 10**14), currency=st.sampled_from(sorted(ISO_EXPONENTS)))
def test_an_amount_comes_back_as_it_left(amount: int, currency: str) -> None:
    """F-F12"""
    news = news_of_payment({**PAYMENT, "amount": format_minor(amount, currency), "currency": currency})
    assert news is not None and (news.amount_minor, news.currency) == (amount, currency)
