"""GET /v1/payment_methods: what a store can show its buyers, and that accept agrees with it."""

from typing import Any

import pytest
from django.db import transaction

from channels.models import Channel
from channels.services import create_channel, set_enabled
from tests.payments.conftest import Shop, hosted, open_shop
from tests.store import error

USD_LIMITS = {
    "payment_methods": ["card"],
    "currencies": ["USD", "JPY"],
    "limits": {"USD": {"min_minor": 50, "max_minor": 9_999}},
}
AMOUNTS = (("0.49", "USD"), ("0.50", "USD"), ("100.00", "USD"), ("7", "JPY"), ("7.00", "EUR"))


def offers(shop: Shop, **query: str) -> dict[str, dict[str, Any]]:
    answer = shop.store.get("/v1/payment_methods", **query)
    assert answer.status_code == 200, answer.content
    listed = answer.json()
    assert (listed["object"], listed["has_more"], listed["next_cursor"]) == ("list", False, None)
    return {offer["payment_method"]: offer for offer in listed["data"]}


def limited(shop: Shop, **capabilities: Any) -> Any:
    """A channel beside the shop's own, with these capabilities."""
    with transaction.atomic():
        return create_channel(
            merchant_id=shop.store.merchant_id,
            name=f"{shop.channel.name}-b",
            provider="stripe",
            secret_key="sk_test_b",
            capabilities=capabilities,
        )


def switch(channel_id: Any, *, on: bool) -> None:
    with transaction.atomic():
        set_enabled(channel_id=channel_id, enabled=on, actor="user:test", reason="test")


def test_a_channel_without_limits_offers_what_its_provider_takes(counter: Shop) -> None:
    found = offers(counter)
    assert list(found) == ["card", "hosted_page"]
    assert (found["card"]["wallets"], found["hosted_page"]["wallets"]) == (["apple_pay", "google_pay"], [])
    assert {"EUR", "JPY", "KWD", "USD"} <= set(found["card"]["currencies"])
    assert found["card"]["currencies"] == sorted(found["card"]["currencies"])
    assert found["card"]["limits"] == []


def test_limits_choose_and_are_shown(counter: Shop) -> None:
    switch(counter.channel.id, on=False)
    limited(counter, **USD_LIMITS)
    assert offers(counter) == {
        "card": {
            "object": "payment_method_offer",
            "payment_method": "card",
            "wallets": ["apple_pay", "google_pay"],
            "currencies": ["JPY", "USD"],
            "limits": [{"currency": "USD", "min_amount": "0.50", "max_amount": "99.99"}],
        }
    }
    for query, expected in (
        ({"currency": "USD"}, ["card"]),
        ({"currency": "EUR"}, []),
        ({"currency": "USD", "amount": "0.49"}, []),
        ({"currency": "USD", "amount": "0.50"}, ["card"]),
        ({"currency": "USD", "amount": "99.99"}, ["card"]),
        ({"currency": "USD", "amount": "100.00"}, []),
        ({"currency": "JPY", "amount": "1000000"}, ["card"]),
    ):
        assert list(offers(counter, **query)) == expected, query


def test_accept_agrees_with_what_is_offered(counter: Shop) -> None:
    switch(counter.channel.id, on=False)
    limited(counter, **USD_LIMITS)
    for amount, currency in AMOUNTS:
        for method, make in (("card", counter.body), ("hosted_page", lambda order: hosted(counter, order))):
            body = make(counter.order(amount, currency=currency))
            answer = counter.store.post("/v1/payments", body, key=body["checkout_id"])
            offered = method in offers(counter, currency=currency, amount=amount)
            assert answer.status_code == (201 if offered else 422), (amount, currency, method)
            if not offered:
                assert error(answer)[1] == "payment_method_unavailable"


def test_several_channels_are_one_offer(counter: Shop) -> None:
    limited(counter, **USD_LIMITS)
    assert offers(counter)["card"]["limits"] == []
    Channel.objects.filter(pk=counter.channel.id).update(
        capabilities={"currencies": ["USD"], "limits": {"USD": {"max_minor": 100}}}
    )
    switch(counter.channel.id, on=True)  # Read anew.
    assert offers(counter)["card"]["limits"] == [
        {"currency": "USD", "min_amount": None, "max_amount": "99.99"}
    ]
    assert list(offers(counter, currency="USD", amount="0.10")) == ["card", "hosted_page"]
    assert list(offers(counter, currency="USD", amount="50.00")) == ["card"]


def test_countries_choose(counter: Shop) -> None:
    switch(counter.channel.id, on=False)
    limited(counter, countries=["DE", "FR"])
    assert list(offers(counter, country="DE")) == ["card", "hosted_page"]
    assert offers(counter, country="US") == {}


def test_nothing_is_offered_by_others_or_by_nobody(counter: Shop) -> None:
    switch(counter.channel.id, on=False)
    assert offers(counter) == {}
    assert offers(open_shop(None, "http://127.0.0.1:9")) != {}


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ({"country": "de"}, "country"),
        ({"country": "ZZ"}, "country"),
        ({"currency": "usd"}, "currency"),
        ({"currency": "XXX"}, "currency"),
        ({"amount": "1.00"}, "currency"),
        ({"currency": "USD", "amount": "1.001"}, "amount"),
        ({"currency": "USD", "amount": "-1"}, "amount"),
        ({"currency": "USD", "amount": "0"}, "amount"),
        ({"currency": "JPY", "amount": "1.0"}, "amount"),
        ({"currency": "USD", "amount": "9" * 30}, "amount"),
    ],
)
def test_bad_query_values_name_their_parameter(counter: Shop, query: dict[str, str], name: str) -> None:
    assert error(counter.store.get("/v1/payment_methods", **query)) == (400, "invalid_parameter", name)
