"""POST /v1/payments without a token: when a page of the provider is offered, and what is stored."""

from typing import Any

import pytest

from channels.models import Channel
from channels.rows import forget
from payments.models import Charge, ChargeLine, PaymentEvent, PspOperation
from tests.payments.conftest import Shop, hosted
from tests.payments.test_accept_api import refusal

REFUSAL = (422, "payment_method_unavailable", "payment_method")


def limit(shop: Shop, **capabilities: Any) -> None:
    """Say what the shop's channel can take."""
    Channel.objects.filter(id=shop.channel.id).update(capabilities=capabilities)
    forget()


@pytest.mark.parametrize("other", [{}, {"payment_method": "hosted_page"}], ids=["by default", "by name"])
@pytest.mark.parametrize("count", [1, 3])
def test_one_charge_and_its_registration_are_stored(counter: Shop, other: dict[str, Any], count: int) -> None:
    address = "https://shop.example/thanks?order=1"
    orders = [counter.order("1.00") for _ in range(count)]
    seen = counter.accept(hosted(counter, *orders, return_url=address, **other))
    assert (seen["status"], seen["payment_method"], seen["next_action"]) == ("open", "hosted_page", None)
    charge, checkout, operation = Charge.objects.get(), PaymentEvent.objects.get(), PspOperation.objects.get()
    assert (charge.status, charge.payment_method, charge.amount_minor) == (
        "CREATED",
        "hosted_page",
        100 * count,
    )
    assert (operation.kind, operation.status, operation.leased_until) == ("register", "CREATED", None)
    assert (checkout.payment_method, checkout.token, checkout.return_url) == ("hosted_page", "", address)
    assert ChargeLine.objects.filter(charge=charge, live=True).count() == count


def test_one_order_may_ask_for_best_effort(counter: Shop) -> None:
    body = hosted(counter, counter.order(), multi_order_policy="best_effort")
    assert counter.accept(body)["payment_method"] == "hosted_page"


def test_orders_that_succeed_one_by_one_need_a_token(counter: Shop) -> None:
    body = hosted(counter, multi_order_policy="best_effort")
    assert refusal(counter, body) == (422, "multi_order_policy_unsupported", "multi_order_policy")


def test_a_token_and_a_page_contradict_each_other(counter: Shop) -> None:
    body = counter.body(payment_method="hosted_page")
    assert refusal(counter, body) == (422, "payment_method_conflict", "payment_method")


def test_a_channel_that_has_no_page(counter: Shop) -> None:
    limit(counter, payment_methods=["card"])
    assert refusal(counter, hosted(counter)) == REFUSAL
    assert counter.accept(counter.body())["payment_method"] == "card"


def test_a_channel_that_is_switched_off(counter: Shop) -> None:
    Channel.objects.filter(id=counter.channel.id).update(is_enabled=False)
    forget()
    assert refusal(counter, hosted(counter)) == REFUSAL


def test_a_currency_that_the_channel_does_not_take(counter: Shop) -> None:
    limit(counter, currencies=["EUR", "JPY"])
    assert refusal(counter, hosted(counter)) == REFUSAL
    assert counter.accept(hosted(counter, counter.order("5", currency="JPY")))["status"] == "open"


@pytest.mark.parametrize(
    ("amount", "is_taken"), [("0.49", False), ("0.50", True), ("99.99", True), ("100.00", False)]
)
def test_amounts_beyond_the_limits_of_the_channel(counter: Shop, amount: str, is_taken: bool) -> None:
    limit(counter, limits={"USD": {"min_minor": 50, "max_minor": 9999}})
    body = hosted(counter, counter.order(amount))
    if is_taken:
        assert counter.accept(body)["status"] == "open"
    else:
        assert refusal(counter, body) == REFUSAL


@pytest.mark.parametrize(("policy", "is_taken"), [("all_or_nothing", False), ("best_effort", True)])
def test_limits_are_for_each_charge(counter: Shop, policy: str, is_taken: bool) -> None:
    limit(counter, limits={"USD": {"max_minor": 6000}})
    body = counter.body(counter.order("50.00"), counter.order("50.00", "bob"), multi_order_policy=policy)
    if is_taken:
        assert counter.accept(body)["status"] == "open"
    else:
        assert refusal(counter, body) == REFUSAL
