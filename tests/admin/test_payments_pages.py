"""Payments in the console: found by every name, told as one story, and why one failed in one sentence."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core import dead_letters
from core.ids import parse_public_id
from core.models import DeadLetter
from core.transactions import at_edge
from core.watch import watch_kernel
from payments.models import PaymentOrder
from tests.admin.people import console, person
from tests.admin.test_risk_desk import text
from tests.payments.conftest import Shop, provider
from tests.payments.conftest import shop as shop
from tests.payments.deliveries import deliver, process, told

__all__ = ["provider", "shop"]

CHECKOUTS, ORDERS = "/admin/payments/paymentevent/", "/admin/payments/paymentorder/"


def page_of(checkout: dict[str, Any]) -> str:
    return f"/admin/desks/payments/{checkout['id']}/"


def test_the_story_of_a_payment_from_request_to_books(shop: Shop) -> None:
    paid = shop.pay()
    for event in told(shop, paid["checkout_id"]):
        assert deliver(shop, event) == 200
    process()
    shown = text(console(person("finn", "finance_checker")).get(page_of(paid)))
    places = [
        shown.index(words)
        for words in (
            f"The store asked for it: {paid['checkout_id']}",
            "Risk: approve",
            "call confirm",
            "ann: pending Moved",
            "Books: ",
        )
    ]
    assert places == sorted(places)
    for words in (
        "Webhook payment_intent.succeeded",
        "payments Done",
        "seller pending",
        "psp clearing",
        "USD cash",
    ):
        assert words.lower() in shown.lower(), words


def test_why_it_failed_in_one_sentence(shop: Shop) -> None:
    failed = shop.pay(shop.body(token="pm_card_chargeDeclinedInsufficientFunds"))
    shown = text(console(person("sue", "support")).get(page_of(failed)))
    says = "The card had not enough funds. No money moved. The buyer pays with another card,"
    assert says in shown and "insufficient_funds" in shown
    assert "Books: " not in shown and "Trial balance" not in shown and "Wallets" not in shown


def test_lists_find_by_every_name(shop: Shop) -> None:
    first, other = shop.pay(), shop.pay(shop.body(token="pm_card_chargeDeclined"))
    client = console(person("sue", "support"))
    order = first["payment_orders"][0]
    for address, query, is_found in (
        (CHECKOUTS, f"q={first['checkout_id']}", True),
        (CHECKOUTS, f"q={first['id']}", True),
        (CHECKOUTS, f"q={other['checkout_id']}", False),
        (CHECKOUTS, "status=SUCCESS", True),
        (CHECKOUTS, "status=FAILED&since=24", False),
        (ORDERS, f"q={order['payment_order_id']}", True),
        (ORDERS, f"q={order['id']}", True),
        (ORDERS, "q=ann&status=SUCCESS", True),
        (ORDERS, "status=FAILED", False),
    ):
        answer = client.get(f"{address}?{query}")
        name = first["checkout_id"] if address == CHECKOUTS else order["payment_order_id"]
        assert answer.status_code == 200, query
        assert (f">{name}<" in answer.content.decode()) is is_found, (address, query)
    key = PaymentOrder.objects.get(payment_order_id=order["payment_order_id"]).pk
    assert client.get(f"{ORDERS}{key}/change/").url == f"/admin/desks/payments/{order['id']}/"
    checkout = parse_public_id(first["id"], "chk")
    assert client.get(f"{CHECKOUTS}{checkout}/change/").url == page_of(first)


@pytest.mark.parametrize("address", [CHECKOUTS, ORDERS])
def test_a_list_takes_the_same_queries_however_long(shop: Shop, address: str) -> None:
    client = console(person("sue", "support"))
    shop.pay()
    client.get(address)
    with CaptureQueriesContext(connection) as few:
        client.get(address)
    for _ in range(4):
        shop.accept(shop.body())
    shop.work()
    with CaptureQueriesContext(connection) as many:
        client.get(address)
    assert len(many) == len(few)
    assert not any("COUNT(" in each["sql"] for each in many)


def test_the_first_page_says_what_is_wrong(shop: Shop) -> None:
    at_edge(dead_letters.bury)(queue="expiry", subject="chk_x", error="<b>boom</b>", attempts=1)
    at_edge(watch_kernel)()
    page = console(person("ola", "operator")).get("/admin/").content.decode()
    for words in (
        "Work failed for good",
        "runbooks.md#dead-letters",
        "Unknown outcomes",
        "Risk reviews waiting",
    ):
        assert words in page, words
    letter = DeadLetter.objects.get()
    at_edge(dead_letters.drop)(dead_letter_id=letter.pk, actor="user:1", reason="x")
    at_edge(watch_kernel)()
    assert "Work failed for good" not in console(person("oli", "operator")).get("/admin/").content.decode()
