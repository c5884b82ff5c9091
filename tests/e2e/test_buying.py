"""A buyer pays two sellers in the store: every way that ends well, and every way that does not."""

import pytest
from playwright.sync_api import expect

from tests.e2e.buyer import DECLINED, GOOD, PRICE, THREE_D_SECURE, Buyer

pytestmark = [pytest.mark.processes]

PAID = ("Thank you. Your order is paid.", "Paid. 48.00 USD to two sellers.")
CANCELED = ("Your order is cancelled.", "Cancelled. Nothing was charged.")
EXPIRED = ("The time to pay is over.", "Expired. Nothing was charged.")


def test_a_card_on_the_providers_page(anybody: Buyer) -> None:
    buyer = anybody
    number = buyer.pay_in_store()
    buyer.picture("provider")
    buyer.enter_card(GOOD)
    buyer.press_pay()
    buyer.sees_everywhere(*PAID)
    buyer.place.assert_paid_once(number, PRICE)


def test_three_d_secure_on_the_providers_page(anybody: Buyer) -> None:
    buyer = anybody
    number = buyer.pay_in_store()
    buyer.enter_card(THREE_D_SECURE)
    buyer.press_pay()
    buyer.sees("Is this payment yours?")
    buyer.picture("bank")
    buyer.page.get_by_role("button", name="Confirm payment").click()
    buyer.sees_everywhere(*PAID)
    buyer.place.assert_paid_once(number, PRICE)


def test_declined_then_another_card(anybody: Buyer) -> None:
    """A decline on the provider's page ends nothing: the buyer tries another card on the same page."""
    buyer = anybody
    number = buyer.pay_in_store()
    buyer.enter_card(DECLINED)
    buyer.press_pay()
    expect(buyer.page.get_by_role("alert")).to_contain_text("declined")
    buyer.picture("declined")
    assert buyer.place.checkout(number)["status"] == "requires_action"
    buyer.enter_card(GOOD)
    buyer.press_pay()
    buyer.sees_everywhere(*PAID)
    buyer.place.assert_paid_once(number, PRICE)


def test_a_token_with_three_d_secure(buyer: Buyer) -> None:
    number = buyer.pay_in_store("Visa with 3-D Secure")
    buyer.page.get_by_role("link", name="Confirm with your bank").click()
    buyer.sees("Is this payment yours?")
    buyer.page.get_by_role("button", name="Confirm payment").click()
    buyer.sees_everywhere(*PAID)
    buyer.place.assert_paid_once(number, PRICE)


def test_a_declined_token_then_another_attempt(buyer: Buyer) -> None:
    number = buyer.pay_in_store("Declined card")
    buyer.sees("Your payment did not go through.")
    buyer.picture("failed")
    buyer.page.get_by_role("radio", name="Visa works at once").check()
    buyer.page.get_by_role("button", name="Try again").click()
    buyer.sees_everywhere(*PAID)
    buyer.place.assert_paid_once(number, PRICE)


def test_cancelled_in_the_store_after_a_look_at_the_providers_page(buyer: Buyer) -> None:
    number = buyer.pay_in_store()
    buyer.page.get_by_text("Cancel and go back to Sandbox Shop").click()
    buyer.sees("One step is left.")
    buyer.picture("one-step-left")
    buyer.page.get_by_role("button", name="Cancel this order").click()
    buyer.sees_everywhere(*CANCELED)
    buyer.place.assert_nothing_taken(number, "canceled")


def test_the_answer_gets_lost(buyer: Buyer) -> None:
    """The provider charged and its answer never came: the page says what is pending, then that it is paid."""
    number = buyer.pay_in_store("Lost answer")
    buyer.sees_everywhere(*PAID)
    buyer.place.assert_paid_once(number, PRICE)


def test_the_time_to_pay_runs_out_on_the_providers_page(buyer: Buyer) -> None:
    number = buyer.pay_in_store()
    buyer.place.stack.control("POST", "clock", {"seconds": 25 * 3600})
    try:
        buyer.enter_card(GOOD)
        buyer.press_pay()
        buyer.picture("too-late")
        buyer.place.assert_nothing_taken(number, "expired")
    finally:
        buyer.place.stack.control("POST", "clock", {"seconds": -25 * 3600})
    buyer.page.goto(f"{buyer.place.store_url}orders/{number}")
    buyer.sees_everywhere(*EXPIRED)


def test_the_back_button(buyer: Buyer) -> None:
    """Paid, then back to the form and once more: the provider says that it is paid, and takes nothing."""
    number = buyer.pay_in_store()
    buyer.enter_card(GOOD)
    buyer.press_pay()
    buyer.sees(PAID[0])
    buyer.page.go_back()
    buyer.page.reload()
    buyer.picture("back")
    assert buyer.page.get_by_role("button", name="Pay 48.00 USD").count() == 0
    buyer.page.goto(f"{buyer.place.store_url}orders/{number}")
    buyer.sees_everywhere(*PAID)
    buyer.place.assert_paid_once(number, PRICE)


def test_a_double_click_in_the_store(buyer: Buyer) -> None:
    buyer.to_checkout("Visa works at once")
    buyer.page.get_by_role("button", name="Pay 48.00 USD").dblclick()
    buyer.sees_everywhere(*PAID)
    buyer.place.assert_paid_once(buyer.number(), PRICE)


def test_a_double_click_at_the_provider(buyer: Buyer) -> None:
    number = buyer.pay_in_store()
    buyer.enter_card(GOOD)
    buyer.page.get_by_role("button", name="Pay 48.00 USD").dblclick()
    buyer.sees_everywhere(*PAID)
    buyer.place.assert_paid_once(number, PRICE)


def test_two_tabs(buyer: Buyer) -> None:
    """F-A18: the same order is paid in two tabs; the provider takes it once."""
    number = buyer.pay_in_store()
    other = buyer.new_tab()
    other.goto(buyer.page.url)
    for tab in (buyer.page, other):
        buyer.enter_card(GOOD, tab)
    buyer.press_pay()
    buyer.sees(PAID[0])
    buyer.press_pay(other)
    buyer.picture("second-tab", other)
    other.goto(f"{buyer.place.store_url}orders/{number}")
    buyer.sees(PAID[0], other)
    buyer.sees_everywhere(*PAID)
    buyer.place.assert_paid_once(number, PRICE)


def test_the_address_claims_that_it_is_paid(buyer: Buyer) -> None:
    """A-B16: what an address says is not believed, in the store or on the payment's page."""
    number = buyer.pay_in_store()
    page = buyer.place.checkout(number)["id"]
    claims = "payment_intent=pi_1&redirect_status=succeeded&status=SUCCESS"
    buyer.page.goto(f"{buyer.place.stack.web_url}/pay/{page}/return?{claims}")
    buyer.sees("One step is left.")
    buyer.page.goto(f"{buyer.place.stack.web_url}/pay/{page}?{claims}")
    expect(buyer.page.get_by_role("heading", level=1)).not_to_contain_text("Paid")
    assert buyer.place.checkout(number)["status"] == "requires_action"


def test_without_scripts(patient_buyer: Buyer) -> None:
    """Plain forms all the way; the pages load themselves again until they know."""
    buyer = patient_buyer
    number = buyer.pay_in_store()
    buyer.enter_card(THREE_D_SECURE)
    buyer.press_pay()
    buyer.page.get_by_role("button", name="Confirm payment").click()
    buyer.sees_everywhere(*PAID)
    buyer.place.assert_paid_once(number, PRICE)
