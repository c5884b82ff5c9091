"""The hosted page of a Checkout Session, as a browser without JavaScript meets it."""

from __future__ import annotations

import re
import time
import urllib.error
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from html import unescape

import pytest

from sandbox.psp.cards import CARDS, find_card
from sandbox.psp.numbers import NUMBERS, grouped, passes_luhn
from tests.sandbox.conftest import Account

FORM = {
    "email": "buyer@example.com", "number": "4242 4242 4242 4242", "expiry": "12 / 34", "cvc": "123",
    "name": "Ann Buyer", "country": "US", "postal_code": "94103",
}  # fmt: skip


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args, **kwargs):
        return None


def ask(url, form=None, *, timeout=10):
    """Status, where to go next, and the page."""
    body = None if form is None else urllib.parse.urlencode(form).encode()
    opener = urllib.request.build_opener(NoRedirect)
    try:
        with opener.open(url, body, timeout=timeout) as answer:
            return answer.status, answer.headers.get("Location"), answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers.get("Location"), error.read().decode()


def wrong_fields(page):
    """The fields marked as wrong, and what is said of each."""
    found = {}
    for name in re.findall(r'name="(\w+)"[^>]*aria-invalid="true"', page):
        found[name] = unescape(re.search(rf'id="{name}-error">([^<]*)<', page)[1])
    return found


def intent_of(account, session):
    params = {"expand": ["payment_intent.latest_charge"]}
    return account.v1.checkout.sessions.retrieve(session.id, params).payment_intent


def test_the_page_says_who_is_paid_for_what(account):
    session = account.session(branding_settings={"display_name": "Tea & Co <b>"})
    status, _, page = ask(session.url)
    assert status == 200
    for text in ("Tea &amp; Co &lt;b&gt;", "Mug", "4.00 USD", "2 × 3.00 USD", "Pay 10.00 USD", "SANDBOX"):
        assert text in page, text
    assert f'href="{session.cancel_url}"' in page


def test_every_field_has_a_label_and_a_place_for_its_error(account):
    page = ask(account.session(billing_address_collection="required").url)[2]
    names = re.findall(r'<(?:input|select) id="(\w+)"', page)
    assert names == ["email", "number", "expiry", "cvc", "name", "line1", "city", "country", "postal_code"]
    for name in names:
        assert f'<label for="{name}">' in page
        assert f'id="{name}-error"' in page
        assert re.search(rf'id="{name}"[^>]*aria-describedby="{name}-error', page)


def test_nothing_comes_from_elsewhere(account):
    page = ask(account.session().url)[2]
    assert re.findall(r'(?:src|srcset)=|@import|url\(|<link(?! rel="icon" href="data:,")', page) == []


def test_a_card_pays_and_the_buyer_goes_back_to_the_shop(account):
    session = account.session()
    status, location, _ = ask(session.url, FORM)
    assert (status, location) == (303, f"http://shop.example/done?session={session.id}")
    intent = intent_of(account, session)
    card = intent.latest_charge.payment_method_details.card
    assert (intent.status, card.last4, card.exp_month, card.exp_year) == ("succeeded", "4242", 12, 2034)
    assert card.checks.to_dict() == {
        "address_line1_check": None, "address_postal_code_check": "pass", "cvc_check": "pass",
    }  # fmt: skip
    assert intent.latest_charge.billing_details.name == "Ann Buyer"
    details = account.v1.checkout.sessions.retrieve(session.id).customer_details
    assert (details.email, details.name, details.address.postal_code) == (
        "buyer@example.com", "Ann Buyer", "94103",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("email", "", "email address"),
        ("email", "nobody", "email address"),
        ("number", "", "Enter your card number"),
        ("number", "4242 4242 4242 4241", "not valid"),
        ("number", "4242 4242 4242 42", "incomplete"),
        ("number", "4242 4242 4242 424x", "not valid"),
        ("number", "4012 8888 8888 1881", "only its test cards"),
        ("expiry", "", "MM / YY"),
        ("expiry", "13 / 30", "01 to 12"),
        ("expiry", "01 / 20", "expired"),
        ("expiry", "01 / 99", "too far"),
        ("cvc", "", "3 digits"),
        ("cvc", "1234", "3 digits"),
        ("name", "", "name on the card"),
        ("country", "XX", "Choose a country"),
        ("postal_code", "", "ZIP"),
        ("postal_code", "abc", "ZIP"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_is_charged(account, field, value, says):
    session = account.session()
    status, _, page = ask(session.url, {**FORM, field: value})
    assert status == 422
    errors = wrong_fields(page)
    assert list(errors) == [field]
    assert says in errors[field]
    assert re.search(rf'name="{field}"[^>]* autofocus', page)
    assert (account.journal(), intent_of(account, session)) == ([], None)
    assert ask(session.url, FORM)[0] == 303


def test_the_first_of_several_errors_has_the_focus(account):
    page = ask(account.session().url, {})[2]
    assert list(wrong_fields(page)) == ["email", "number", "expiry", "cvc", "name", "country"]
    assert page.count(" autofocus") == 1
    assert re.search(r'name="email"[^>]* autofocus', page)
    assert 'role="alert"' in page


def test_amex_has_four_digits(account):
    form = {**FORM, "number": "3714 496353 98431"}
    assert wrong_fields(ask(account.session().url, form)[2])["cvc"].startswith("Enter the 4 digits")
    assert ask(account.session().url, {**form, "cvc": "1234"})[0] == 303


def test_what_was_typed_comes_back_except_the_security_code(account):
    page = ask(account.session().url, {**FORM, "cvc": "98", "name": 'Ann "x"'})[2]
    assert 'value="4242 4242 4242 4242"' in page
    assert 'value="Ann &quot;x&quot;"' in page
    assert not re.search(r'name="cvc" value="[^"]', page)
    assert "4012" not in ask(account.session().url, {**FORM, "number": "4012888888881881"})[2]


def test_a_click_in_the_drawer_fills_the_form_without_paying(account):
    session = account.session()
    status, _, page = ask(session.url, {"fill": "chargeDeclined"})
    assert status == 200
    assert 'value="4000 0000 0000 0002"' in page
    assert account.v1.checkout.sessions.retrieve(session.id).payment_intent is None


def test_decline_then_another_card(account):
    session = account.session()
    status, location, _ = ask(session.url, {**FORM, "number": "4000000000009995"})
    assert (status, location) == (303, f"/c/pay/{session.id}")
    page = ask(session.url)[2]
    assert "Your card has insufficient funds." in page
    assert "Nothing was charged" in page
    assert re.search(r'name="number"[^>]* autofocus aria-describedby="number-error decline"', page)
    assert 'value="buyer@example.com"' in page
    assert ask(session.url, FORM)[1].startswith("http://shop.example/done")
    assert account.kinds() == ["charge.declined", "charge.captured"]


@pytest.mark.parametrize(("result", "goes"), [("complete", "http://shop.example/done"), ("fail", "/c/pay/")])
def test_three_d_secure_is_a_page_of_the_bank(account, result, goes):
    session = account.session(branding_settings={"display_name": "Tea & Co"})
    bank = ask(session.url, {**FORM, "number": "4000000000003220"})[1]
    page = ask(bank)[2]
    for text in ("Sandbox Bank", "Tea &amp; Co", "10.00 USD", "Visa •••• 3220"):
        assert text in page, text
    assert "Your bank is waiting for you" in ask(session.url)[2]
    status, location, _ = ask(bank, {"result": result})
    assert status == 303
    assert location.startswith(f"{session.url}/return?")
    status, location, _ = ask(location)
    assert status == 303
    assert location.startswith(goes)
    if result == "fail":
        assert "authentication of this payment failed" in ask(session.url)[2]
        assert ask(session.url, FORM)[1].startswith("http://shop.example/done")
    assert account.kinds() == ["charge.captured"]
    assert ask(bank)[0] == 410
    assert f"{session.url}/return" in ask(bank)[2]


def test_a_step_left_open_is_dead_once_another_tab_has_paid(account):
    session = account.session()
    bank = ask(session.url, {**FORM, "number": "4000000000003220"})[1]
    assert ask(session.url, FORM)[0] == 303
    assert ask(bank, {"result": "complete"})[0] == 410
    assert account.kinds() == ["charge.captured"]


def test_a_second_press_pays_nothing_and_goes_to_the_shop(account):
    session = account.session()
    assert ask(session.url, FORM)[1] == ask(session.url, FORM)[1]
    assert account.kinds() == ["charge.captured"]
    status, _, page = ask(session.url)
    assert status == 200
    assert "This is already paid" in page
    assert f"http://shop.example/done?session={session.id}" in page
    assert "<form" not in page


def test_eight_presses_at_once_make_one_charge(account):
    session = account.session()
    account.arm("slow", operation="checkout.pay", seconds=0.2, times=None)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: ask(session.url, FORM), range(8)))
    assert {(status, location) for status, location, _ in answers} == {
        (303, f"http://shop.example/done?session={session.id}")
    }
    assert account.kinds() == ["charge.captured"]


@pytest.mark.parametrize(
    ("kind", "token", "last4"),
    [("apple_pay", "sandboxApplePay", "4242"), ("google_pay", "sandboxGooglePay", "4444")],
)
def test_wallets_pay(account, kind, token, last4):
    session = account.session()
    sheet = f"{session.url}/wallet/{kind}"
    assert "Pay 10.00 USD" in ask(sheet)[2]
    assert ask(sheet, {"token": f"{token}Declined"})[1] == f"/c/pay/{session.id}"
    assert ask(sheet, {"token": token})[1].startswith("http://shop.example/done")
    card = intent_of(account, session).latest_charge.payment_method_details.card
    assert (card.wallet.type, card.last4, card.checks.cvc_check) == (kind, last4, None)
    assert account.kinds() == ["charge.declined", "charge.captured"]


def test_a_wallet_takes_no_other_card(account):
    session = account.session()
    sheet = f"{session.url}/wallet/apple_pay"
    assert ask(sheet, {"token": "visa"})[1] == session.url
    assert ask(f"{session.url}/wallet/other")[0] == 404
    assert account.journal() == []


def test_an_expired_page_takes_no_money(account):
    session = account.session()
    account.v1.checkout.sessions.expire(session.id)
    for form in (None, FORM):
        status, _, page = ask(session.url, form)
        assert status == 410
        assert "has expired" in page
        assert 'href="http://shop.example/basket"' in page
    assert account.journal() == []


def test_the_page_expires_by_the_sandbox_clock(own_sandbox):
    box = own_sandbox()
    account = Account(box)
    session = account.session(expires_at=int(time.time()) + 3600)
    assert ask(session.url)[0] == 200
    box.control("POST", "clock", {"seconds": 3700})
    assert ask(session.url, FORM)[0] == 410
    assert account.journal() == []


@pytest.mark.parametrize("result", ["succeed", "fail"])
def test_a_payment_that_takes_its_time_says_so(account, result):
    session = account.session()
    assert ask(session.url, {**FORM, "number": "4000009999069100"})[1].startswith("http://shop.example/done")
    assert "being processed" in ask(session.url)[2]
    path = f"payment_intents/{intent_of(account, session).id}/settlement"
    account.sandbox.control("POST", path, {"result": result})
    says = {"succeed": "already paid", "fail": "did not succeed"}[result]
    assert says in ask(session.url)[2]


def test_an_email_that_is_known_is_not_asked_again(account):
    session = account.session(customer_email="known@example.com")
    assert re.search(r'value="known@example.com"[^>]* readonly', ask(session.url)[2])
    ask(session.url, {**FORM, "email": "other@example.com"})
    details = account.v1.checkout.sessions.retrieve(session.id).customer_details
    assert details.email == "known@example.com"


def test_pages_that_do_not_exist(account):
    base = f"{account.sandbox.url}/c/pay/"
    intent = account.intent().id
    for path in ("cs_test_000000000001000000000000", "nothing", intent, f"{account.session().id}/other"):
        assert ask(base + path)[0] == 404, path


def test_the_first_page_opens_a_demonstration(account):
    assert 'action="/c/pay/demo"' in ask(account.sandbox.url + "/")[2]
    status, location, _ = ask(f"{account.sandbox.url}/c/pay/demo", {})
    assert status == 303
    assert "Harbour Market" in ask(location)[2]
    status, back, _ = ask(location, FORM)
    assert status == 303
    assert "Back at the shop" in ask(back)[2]


@pytest.mark.parametrize("number", NUMBERS)
def test_every_number_behaves_as_its_token(number):
    name, card = find_card(f"pm_card_{NUMBERS[number]}")
    assert name in CARDS
    assert passes_luhn(number)
    assert number.endswith(card.last4)
    assert grouped(number).replace(" ", "") == number


def test_a_fault_of_the_provider_reaches_the_buyer_too(account):
    session = account.session()
    account.arm("charged_but_timeout", operation="checkout.pay", seconds=30)
    with pytest.raises(TimeoutError):
        ask(session.url, FORM, timeout=0.5)
    assert "already paid" in ask(session.url)[2]
    other = account.session()
    account.arm("http_500", operation="checkout.pay")
    status, _, page = ask(other.url, FORM)
    assert status == 500
    assert "may or may not have been charged" in page
    assert ask(other.url, FORM)[0] == 303
    assert account.kinds() == ["charge.captured"] * 2


def test_no_card_number_is_kept_anywhere(own_sandbox, tmp_path):
    box = own_sandbox()
    account = Account(box)
    numbers = ["4000000000009995", "4242424242424242", "4012888888881881", "4242424242424241"]
    for number in numbers:
        for text in (number, grouped(number)):
            ask(account.session().url, {**FORM, "number": text, "cvc": "739"})
    ask(account.session().url, {**FORM, "number": "4242424242424242", "name": ""})
    seen = "".join(
        str(box.get(name)) for name in ("journal", "requests", "events", "deliveries", "store/webhooks")
    )
    assert "charge.captured" in seen
    assert box.end() == 0
    kept = b"".join(path.read_bytes() for path in sorted(box.data.iterdir())) + seen.encode()
    for number in numbers:
        for text in (number, grouped(number), urllib.parse.quote_plus(grouped(number))):
            assert text.encode() not in kept, text
    assert b"buyer@example.com" in kept
    # Standing alone: an id or a time may have these digits in it.
    assert not re.search(rb"(?<![\w.])739(?![\w.])", kept)
