"""A buyer in the sandbox's store, on the running system: what store, page, provider and books say."""

import html
import re
import threading
from typing import Any

import pytest
import requests
from django.db import transaction

from ledger.models import JournalEntry
from merchants.services import create_seller
from payments.models import Charge, PaymentOrder
from tests.faults.shop import Shop
from tests.sandbox.store_buyer import Buyer
from tests.waiting import eventually

PAID = "Thank you. Your order is paid."


@pytest.fixture
def buyer(shop: Shop) -> Buyer:
    """The store sells for two sellers of this test's merchant."""
    with transaction.atomic():
        for account in ("ann-books", "bob-bikes"):
            create_seller(
                merchant_id=shop.merchant_id,
                seller_account=account,
                name=account.title(),
                country="US",
                commission_bps=500,
                tax_bps=0,
                by="user:test",
            )
    shop.stack.control("POST", "store/settings", {"api_url": shop.stack.web_url, "api_key": shop.secret})
    return Buyer(shop.stack.sandbox_url)


def until_it_says(buyer: Buyer, number: str, sentence: str) -> None:
    eventually(lambda: buyer.says(number) == sentence, within=30, what=f"{number} says {sentence}")


def status_page(buyer: Buyer, number: str) -> str:
    """The sentence of the buyer's own page, reached as the buyer reaches it."""
    url = re.search(r'href="([^"]+/pay/chk_[^"]+)"', buyer.page(number))[1]
    shown = requests.get(url, timeout=10, headers={"Accept-Language": "en"}).text
    return html.unescape(re.search(r"<h1>(.*?)</h1>", shown)[1])


def took(shop: Shop, number: str) -> list[tuple[str, int]]:
    rows = shop.stack.control("GET", f"journal?metadata.checkout_id={number}")["data"]
    return [(row["kind"], row["amount"]) for row in rows if row["amount"]]


def assert_booked_once(shop: Shop, number: str) -> None:
    [charge] = Charge.objects.filter(merchant_id=shop.merchant_id, checkout__checkout_id=number)
    booked = JournalEntry.objects.filter(merchant_id=shop.merchant_id, source_ref__contains=str(charge.id))
    assert booked.count() == 1
    orders = PaymentOrder.objects.filter(merchant_id=shop.merchant_id, checkout__checkout_id=number)
    assert {(order.status, order.ledger_updated) for order in orders} == {("SUCCESS", True)}


def test_a_double_click_buys_from_two_sellers_once(shop: Shop, buyer: Buyer) -> None:
    """F-A18, with real processes in between."""
    buyer.fill()
    number = buyer.number()
    form: dict[str, Any] = {"number": number, "method": "pm_card_visa"}
    clicks = [threading.Thread(target=buyer.post, args=("/checkout",), kwargs=form) for _ in range(4)]
    for click in clicks:
        click.start()
    for click in clicks:
        click.join(30)
    until_it_says(buyer, number, PAID)
    assert status_page(buyer, number) == "Paid. 100.00 USD to two sellers."
    assert took(shop, number) == [("charge.captured", 10000)]
    assert_booked_once(shop, number)
    eventually(lambda: buyer.page(number).count("WEBHOOK payment.succeeded") == 2, what="two webhooks shown")


def test_the_bank_confirms_and_sends_the_buyer_back(shop: Shop, buyer: Buyer) -> None:
    """3-D Secure, by forms alone: to the bank, back, and the order's page asks the API."""
    number = buyer.order("pm_card_authenticationRequired")
    until_it_says(buyer, number, "One step is left.")
    assert status_page(buyer, number) == "One step is left: confirm 100.00 USD with your bank."
    bank = html.unescape(re.search(r'class="button" href="([^"]+)">Confirm', buyer.page(number))[1])
    back = buyer.browser.post(bank, data={"result": "complete"}, timeout=10)
    assert f"/store/orders/{number}" in back.url
    until_it_says(buyer, number, PAID)
    assert took(shop, number) == [("charge.captured", 10000)]
    assert_booked_once(shop, number)


def test_a_declined_card_charges_nothing_and_can_be_tried_again(shop: Shop, buyer: Buyer) -> None:
    number = buyer.order("pm_card_chargeDeclined")
    until_it_says(buyer, number, "Your payment did not go through.")
    assert status_page(buyer, number) == "Not paid. Nothing was charged."
    assert took(shop, number) == []
    assert "Try again" in buyer.page(number)


def test_a_lost_answer_of_the_provider_ends_in_one_payment(shop: Shop, buyer: Buyer) -> None:
    """F-A3: charged, the answer lost; the buyer presses again and again meanwhile."""
    buyer.fill()
    number = buyer.number()
    for _ in range(3):
        buyer.post("/checkout", number=number, method="pm_card_sandboxChargedButTimeout")
    until_it_says(buyer, number, PAID)
    assert took(shop, number) == [("charge.captured", 10000)]
    assert_booked_once(shop, number)


def test_the_store_bears_a_payment_system_that_dies_while_it_is_asked(shop: Shop, buyer: Buyer) -> None:
    """F-A1: the web process is killed and comes back; the order was written down before it was sent."""
    shop.stack.kill("web")
    number = buyer.order()
    assert buyer.says(number) == "We are sending your order."
    shop.stack.start("web")
    until_it_says(buyer, number, PAID)
    assert took(shop, number) == [("charge.captured", 10000)]
    assert_booked_once(shop, number)
