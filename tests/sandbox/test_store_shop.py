"""The store as an example: one order makes one payment, whatever buyers, browsers and networks do to it."""

from __future__ import annotations

import json
import re
import signal
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.sandbox.store_api import Api
from tests.sandbox.store_buyer import Buyer
from tests.sandbox.test_store import headers

KEY = "sk_test_0123456789abcdef"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture
def api() -> Iterator[Api]:
    server = Api()
    yield server
    server.server.shutdown()
    server.server.server_close()


@pytest.fixture
def shop(sandbox: Any, api: Api) -> Iterator[Any]:
    """The store of the sandbox, connected to the payment system of the test."""
    sandbox.control("POST", "store/settings", {"api_url": api.url, "api_key": KEY})
    sandbox.control("POST", "store/secrets", {"secret": SECRET})
    yield sandbox
    sandbox.control("POST", "reset", {})


@pytest.fixture
def buyer(shop: Any) -> Buyer:
    return Buyer(shop.url)


# --- One payment --------------------------------------------------------------------------------


def test_two_sellers_are_paid_by_one_request(buyer: Buyer, api: Api) -> None:
    number = buyer.order()
    [sent] = api.posts()
    assert (sent["key"], sent["auth"]) == (f"{number}/1", f"Bearer {KEY}")
    assert sent["body"]["payment_orders"] == [
        {
            "payment_order_id": f"{number}-{seller}",
            "seller_account": seller,
            "amount": amount,
            "currency": "USD",
        }
        for seller, amount in (("ann-books", "34.00"), ("bob-bikes", "66.00"))
    ]
    assert sent["body"]["credit_card_info"] == {"token": "pm_card_visa"}
    assert sent["body"]["return_url"].endswith(f"/store/orders/{number}")
    api.turn(number, "succeeded")
    assert buyer.says(number) == "Thank you. Your order is paid."
    assert buyer.get("/cart").text.count("Pannier bag") == 0


def test_the_payment_page_is_where_the_buyer_is_sent(buyer: Buyer, api: Api) -> None:
    api.becomes = "requires_action"
    api.next_action = {"type": "redirect_to_url", "url": "https://pay.example/cs_1"}
    buyer.fill()
    number = buyer.number()
    answer = buyer.post("/checkout", number=number, method="hosted_page")
    assert (answer.status_code, answer.headers["Location"]) == (303, "https://pay.example/cs_1")
    assert api.posts()[0]["body"]["payment_method"] == "hosted_page"
    assert "credit_card_info" not in api.posts()[0]["body"]

    # Back, and "Pay" once more: the order is there already.
    again = buyer.post("/checkout", number=number, method="hosted_page")
    assert again.headers["Location"] == f"/store/orders/{number}"
    assert 'href="https://pay.example/cs_1">Continue to the payment page' in buyer.page(number)
    assert len(api.posts()) == 1


def test_a_page_that_is_registered_later_is_offered_on_the_order(buyer: Buyer, api: Api) -> None:
    number = buyer.order("hosted_page")
    assert "Continue" not in buyer.page(number)
    api.turn(number, "requires_action", {"type": "redirect_to_url", "url": "https://pay.example/cs_2"})
    assert 'href="https://pay.example/cs_2"' in buyer.page(number)


def test_double_click_reload_and_two_tabs_make_one_payment(buyer: Buyer, api: Api) -> None:
    """F-A18. The clicks overlap: the payment system is slow, and every click is there before it answers."""
    buyer.fill()
    number = buyer.number()
    api.held = threading.Event()
    clicks = [
        threading.Thread(target=buyer.post, args=("/checkout",), kwargs={"number": number, "method": method})
        for method in ("pm_card_visa", "pm_card_visa", "hosted_page", "pm_card_visa")
    ]
    for click in clicks:
        click.start()
    clicks[1].join(5)
    api.held.set()
    for click in clicks:
        click.join(10)
    buyer.post("/checkout", number=number, method="pm_card_visa")

    assert {sent["key"] for sent in api.posts()} == {f"{number}/1"}
    assert len({sent["raw"] for sent in api.posts()}) == 1
    assert len(api.checkouts) == 1


def test_a_tab_with_an_older_cart_orders_nothing(buyer: Buyer, api: Api) -> None:
    """F-A18: the buyer must never pay for another cart than the one they saw."""
    buyer.fill()
    old = buyer.number()
    buyer.fill("bell")
    answer = buyer.post("/checkout", number=old, method="pm_card_visa")
    assert answer.headers["Location"] == "/store/checkout?changed"
    assert "Your cart changed in the meantime" in buyer.get("/checkout?changed").text
    assert api.posts() == []
    assert buyer.number() != old


@pytest.mark.parametrize(
    "trouble",
    [
        [(429, {"Retry-After": "1"})],
        [(503, {"Retry-After": "1"}), (500, {})],
        [None],
        [None, (503, {}), None],
    ],
    ids=["busy", "unavailable", "answer lost", "all of it"],
)
def test_without_an_answer_the_same_bytes_go_under_the_same_key(
    buyer: Buyer, api: Api, until: Any, trouble: list[Any]
) -> None:
    """F-A1, F-A3: `None` is done and not answered."""
    api.answers = list(trouble)
    number = buyer.order()
    until(lambda: buyer.says(number) == "Your payment is being confirmed.")
    sent = api.posts()
    assert len(sent) == len(trouble) + 1
    assert {each["key"] for each in sent} == {f"{number}/1"}
    assert len({each["raw"] for each in sent}) == 1
    assert len(api.checkouts) == 1


def test_an_order_is_sent_when_the_payment_system_is_back(
    buyer: Buyer, shop: Any, api: Api, until: Any
) -> None:
    """Nobody looks at the page, and still it is sent."""
    shop.control("POST", "store/settings", {"api_url": "http://127.0.0.1:9"})
    number = buyer.order()
    assert buyer.says(number) == "We are sending your order."
    shop.control("POST", "store/settings", {"api_url": api.url})
    until(lambda: len(api.posts()) == 1)
    assert api.posts()[0]["key"] == f"{number}/1"


def test_a_store_that_is_killed_goes_on_with_its_orders(own_sandbox: Any, api: Api, until: Any) -> None:
    """F-A9: killed between writing the order down and hearing the answer."""
    box = own_sandbox()
    box.control("POST", "store/settings", {"api_url": api.url, "api_key": KEY})
    buyer = Buyer(box.url)
    buyer.fill()
    number = buyer.number()
    api.held = threading.Event()
    click = threading.Thread(
        target=_ignore(buyer.post), args=("/checkout",), kwargs={"number": number, "method": "pm_card_visa"}
    )
    click.start()
    until(lambda: f"/orders/{number}" in buyer.get("/orders").text)
    box.end(signal.SIGKILL)
    click.join(10)
    api.held.set()
    box.start()
    until(lambda: number in api.checkouts)
    until(lambda: Buyer(box.url).says(number) == "Your payment is being confirmed.")
    assert {sent["key"] for sent in api.posts()} == {f"{number}/1"}
    assert len(api.checkouts) == 1


def _ignore(call: Any) -> Any:
    def act(*args: Any, **options: Any) -> None:
        try:
            call(*args, **options)
        except requests.RequestException:
            return

    return act


# --- What is believed ---------------------------------------------------------------------------


def test_the_redirect_is_not_believed(buyer: Buyer, api: Api) -> None:
    """F-A14, A-B16."""
    number = buyer.order()
    lie = buyer.get(f"/orders/{number}?redirect_status=succeeded&status=succeeded&checkout_id={number}")
    assert "Your payment is being confirmed." in lie.text and "is paid" not in lie.text


def webhook(shop: Any, number: str, *, secret: str = SECRET, status: str = "SUCCESS") -> requests.Response:
    event = {
        "type": "payment.succeeded",
        "data": {"object": {"checkout_id": number, "payment_order_status": status}},
    }
    body = json.dumps(event).encode()
    return requests.post(
        f"{shop.url}/store/webhooks", data=body, headers=headers(secret, body=body), timeout=5
    )


def test_a_webhook_makes_the_store_ask(buyer: Buyer, shop: Any, api: Api, until: Any) -> None:
    """Nobody looks at the page. What the webhook says is not copied: the API is asked."""
    number = buyer.order("pm_card_sandboxProcessing")
    looks = len(api.requests)
    api.turn(number, "failed")
    assert webhook(shop, number).status_code == 204
    until(lambda: len(api.requests) > looks)
    until(lambda: "Not paid" in buyer.get("/orders").text)
    assert "payment.succeeded" in buyer.page(number)


def test_a_forged_webhook_moves_nothing(buyer: Buyer, shop: Any, api: Api) -> None:
    number = buyer.order()
    forged = "whsec_" + "A" * 32
    assert webhook(shop, number, secret=forged).status_code == 400
    assert "WEBHOOK" not in buyer.page(number)
    assert buyer.says(number) == "Your payment is being confirmed."


@pytest.mark.parametrize(
    "body", [b"[]", b"{}", b'{"type": 1, "data": null}', b"\xff", b'{"data": {"object": 7}}']
)
def test_a_genuine_webhook_of_any_shape_is_taken(shop: Any, body: bytes) -> None:
    answer = requests.post(
        f"{shop.url}/store/webhooks", data=body, headers=headers(SECRET, body=body), timeout=5
    )
    assert answer.status_code == 204


def test_without_webhooks_the_store_asks_by_itself(buyer: Buyer, api: Api, until: Any) -> None:
    """F-A15: every webhook is lost and the buyer has closed the browser."""
    number = buyer.order()
    api.turn(number, "succeeded")
    until(lambda: "Paid" in buyer.get("/orders").text)


# --- Again, and not at all ------------------------------------------------------------------------


def test_a_failed_payment_is_tried_again_once_however_often_it_is_pressed(buyer: Buyer, api: Api) -> None:
    api.becomes = "failed"
    number = buyer.order("pm_card_chargeDeclined")
    shown = buyer.page(number)
    assert "The card was declined." in shown
    n = re.search(r'name="n" value="(\d+)"', shown)[1]
    api.becomes = "succeeded"
    for _ in range(3):
        buyer.post(f"/orders/{number}/again", n=n, method="pm_card_visa")
    [attempt] = api.posts(f"/v1/checkouts/{number}/attempts")
    assert attempt["key"] == f"{number}/2"
    assert attempt["body"]["credit_card_info"] == {"token": "pm_card_visa"}
    assert buyer.says(number) == "Thank you. Your order is paid."


def test_a_refused_request_is_explained_and_can_be_sent_in_another_way(buyer: Buyer, api: Api) -> None:
    """Nothing was accepted, so the next try is a payment again, under a key of its own."""
    api.answers = [(422, {})]
    number = buyer.order("hosted_page")
    assert buyer.says(number) == "Your payment could not be started."
    assert "It is refused." in buyer.page(number)
    buyer.post(f"/orders/{number}/again", n="2", method="pm_card_visa")
    first, second = api.posts()
    assert (first["key"], second["key"]) == (f"{number}/1", f"{number}/2")
    assert second["body"]["checkout_id"] == number
    assert buyer.says(number) == "Your payment is being confirmed."


def test_an_open_payment_can_be_cancelled(buyer: Buyer, api: Api) -> None:
    number = buyer.order()
    n = re.search(r'name="n" value="(\d+)"', buyer.page(number))[1]
    for _ in range(2):
        buyer.post(f"/orders/{number}/cancel", n=n)
    assert len(api.posts(f"/v1/checkouts/{number}/cancellations")) == 1
    assert buyer.says(number) == "Your order is cancelled."


def test_a_refused_cancellation_is_said(buyer: Buyer, api: Api) -> None:
    number = buyer.order()
    api.answers = [(409, {})]
    buyer.post(f"/orders/{number}/cancel", n="2")
    assert "It is refused." in buyer.page(number)
    assert buyer.says(number) == "Your payment is being confirmed."


def test_a_paid_order_offers_neither(buyer: Buyer, api: Api) -> None:
    api.becomes = "succeeded"
    number = buyer.order()
    buyer.post(f"/orders/{number}/again", n="2", method="pm_card_visa")
    buyer.post(f"/orders/{number}/cancel", n="2")
    assert len(api.posts()) == 1 and len(api.checkouts) == 1
    assert [each["path"] for each in api.requests if each["method"] == "POST"] == ["/v1/payments"]


def test_only_its_buyer_can_act_on_an_order(buyer: Buyer, shop: Any, api: Api) -> None:
    api.becomes = "failed"
    number = buyer.order()
    stranger = Buyer(shop.url)
    assert "Try again" not in stranger.page(number)
    for part in ("again", "cancel"):
        stranger.post(f"/orders/{number}/{part}", n="2", method="pm_card_visa")
    assert len([each for each in api.requests if each["method"] == "POST"]) == 1


# --- The pages ----------------------------------------------------------------------------------


def test_every_page_works_without_scripts_and_loads_nothing_from_elsewhere(buyer: Buyer, api: Api) -> None:
    number = buyer.order()
    buyer.fill()
    for path in ("/", "/cart", "/checkout", "/orders", f"/orders/{number}", "/nowhere"):
        answer = buyer.get(path)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy
        assert answer.headers["Cache-Control"] == "no-store"
        assert re.findall(r'(?:src|<link[^>]* href)="(?!/store/|data:)', answer.text) == []
        assert re.findall(r"<script(?![^>]* src=)|\sstyle=|\son\w+=", answer.text) == []
        assert re.findall(r"<input(?![^>]*(?:hidden|radio|id=))", answer.text) == []
    assert '<noscript><meta http-equiv="refresh"' in buyer.page(number)
    assert buyer.get("/nowhere").status_code == 404


def test_the_cookie_is_the_store_s_alone(buyer: Buyer) -> None:
    given = buyer.post("/cart", sku="bell").headers["Set-Cookie"]
    assert "HttpOnly" in given and "SameSite=Lax" in given and "Path=/store" in given


def test_the_cart_bears_any_input(buyer: Buyer) -> None:
    for form in (
        {"sku": "nothing"},
        {"sku": "bell", "quantity": "-1"},
        {"sku": "bell", "quantity": "9" * 50},
        {"quantity": "1"},
        {},
    ):
        assert buyer.post("/cart", **form).status_code == 303
    assert "It is empty." in buyer.get("/cart").text
    buyer.post("/cart", sku="bell", quantity="999")
    assert 'value="20"' in buyer.get("/cart").text
    assert buyer.post("/checkout", number="order-0", method="nonsense").status_code == 303
    buyer.browser.cookies.set("store_visitor", "x' OR 1=1", path="/store")
    assert buyer.get("/").status_code == 200


def test_the_developer_view_shows_what_was_said_and_no_secret(
    buyer: Buyer, shop: Any, api: Api, until: Any
) -> None:
    number = buyer.order()
    webhook(shop, number)
    shown = buyer.page(number)
    assert "POST /v1/payments" in shown and f"{number}/1" in shown
    assert "← WEBHOOK payment.succeeded" in shown
    assert KEY not in shown and SECRET not in shown


def test_looks_that_saw_nothing_new_are_counted_not_listed(buyer: Buyer, api: Api) -> None:
    number = buyer.order()
    for _ in range(4):
        shown = buyer.page(number)
    assert shown.count(f"GET /v1/checkouts/{number}") == 1
    assert re.search(r"\d times", shown)


def test_settings_are_checked_and_the_key_is_not_shown(shop: Any) -> None:
    shown = shop.control("GET", "store/settings")
    assert shown["is_connected"] and KEY not in json.dumps(shown)
    shop.control("POST", "store/settings", {"api_url": "ftp://x"}, status=400)
    shop.control("POST", "store/settings", {"colour": "red"}, status=400)
    shop.control("POST", "store/settings", {"api_key": 5}, status=400)


def test_a_store_that_is_not_connected_says_so(own_sandbox: Any) -> None:
    buyer = Buyer(own_sandbox().url)
    assert "not connected to a payment system" in buyer.get("/").text
    number = buyer.order()
    assert buyer.says(number) == "We are sending your order."
