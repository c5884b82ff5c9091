"""The buyer's page and the way back to it: what it says, what it never says, and what it does not believe."""

import ast
import gettext
import re
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction
from django.http import HttpResponse
from django.test import Client

from core import clock
from core.ids import parse_public_id, public_id
from merchants.services import create_seller
from payments.models import ChargeLine, PaymentEvent, PaymentOrder, PspOperation
from payments.pages.facts import PageFacts, PageOrder, page_facts
from payments.pages.wording import says
from payments.services import hurry_checkout
from payments.states import PAYMENT_ORDER
from tests.payments.conftest import Shop

CATALOGUE = settings.BASE_DIR / "locale" / "zh_Hans" / "LC_MESSAGES"


def get(path: str, language: str = "en", **query: str) -> HttpResponse:
    return Client().get(path, query, headers={"accept-language": language, "accept": "text/html"})


def page_of(checkout: dict[str, Any], language: str = "en", part: str = "") -> str:
    answer = get(f"/pay/{checkout['id']}{part}", language)
    assert answer.status_code == 200
    return answer.content.decode()


def words(html: str) -> str:
    """The text that a person reads."""
    body = re.sub(r"(?s)<(head|noscript|script).*?</\1>", " ", html)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body)).strip()


def headline(html: str) -> str:
    return re.search(r"<h1[^>]*>(.*?)</h1>", html)[1].replace("&#x27;", "'")


def facts(status: str, *statuses: str, **other: Any) -> PageFacts:
    """A page about two orders of 90.00 and 10.00 USD."""
    states = statuses or ("EXECUTING", "EXECUTING")
    orders = tuple(
        PageOrder(name, minor, "USD", state, 0, 0, False, "card_declined" if state == "FAILED" else "")
        for name, minor, state in zip(("Ann", "Bob"), (9000, 1000), states, strict=True)
    )
    known = {
        "reference": "chk_x",
        "status": status,
        "is_final": False,
        "is_test": True,
        "merchant_name": "Acme",
        "payment_method": "card",
        "orders": orders,
        "continue_url": "",
        "has_store": False,
        "is_closing": False,
        "has_late_money": False,
        "started_at": clock.now(),
        "changed_at": clock.now(),
        "expires_at": clock.now(),
    }
    return PageFacts(**known | other)


@pytest.fixture
def waiting(shop: Shop) -> dict[str, Any]:
    """A checkout whose buyer was sent to the bank, last looked at a minute ago."""
    body = shop.body(
        token="pm_card_authenticationRequired", return_url="https://store.example/back?cart=7#top"
    )
    paid = shop.pay(body)
    assert paid["status"] == "requires_action"
    operations().update(
        updated_at=clock.now() - timedelta(minutes=1), due_at=clock.now() + timedelta(minutes=5)
    )
    return paid


def operations() -> Any:
    return PspOperation.objects.filter(kind="confirm")


# --- What the page says ---------------------------------------------------------------------------


def test_a_payment_from_the_first_second_to_the_last(shop: Shop) -> None:
    accepted = shop.accept(shop.body())
    before = page_of(accepted)
    assert headline(before) == "Your payment of 100.00 USD is being prepared."
    assert 'http-equiv="refresh"' in before and 'data-final="no"' in before
    assert "Paying again is not needed" in before

    shop.work()
    after = page_of(accepted)
    assert headline(after) == "Paid. 100.00 USD to two sellers."
    assert 'http-equiv="refresh"' not in after and 'data-final="yes"' in after
    assert "Ann 90.00 USD Paid Bob 10.00 USD Paid Total 100.00 USD" in words(after)


def test_one_seller_is_named(shop: Shop) -> None:
    paid = shop.pay(shop.body(shop.order("25.50")))
    assert headline(page_of(paid)) == "Paid. 25.50 USD to Ann."


def test_a_refusal_says_that_no_money_moved_and_what_to_do(shop: Shop) -> None:
    body = shop.body(token="pm_card_chargeDeclinedFraudulent", return_url="https://store.example/back")
    said = words(page_of(shop.pay(body)))
    assert "Not paid. Nothing was charged." in said
    assert "The bank did not approve the payment. No money was taken. Go back to the store" in said
    assert "fraud" not in said.lower()


def test_the_bank_s_step_is_offered_as_a_link(waiting: dict[str, Any]) -> None:
    shown = page_of(waiting)
    assert headline(shown) == "One step is left: confirm 100.00 USD with your bank."
    url = waiting["next_action"]["url"].replace("&", "&amp;")
    assert f'<a class="button" href="{url}">Continue to your bank</a>' in shown


def test_every_state_of_an_order_and_of_a_checkout_has_words() -> None:
    """A new state without words must not reach a buyer as an error."""
    for state in PAYMENT_ORDER.states:
        for status in (
            *("open", "in_review", "requires_action", "processing", "authorized", "succeeded"),
            *("partially_succeeded", "canceled", "expired", "failed"),
        ):
            said = says(facts(status, state, state))
            assert said.headline and said.text


@pytest.mark.parametrize(
    ("given", "headline_is"),
    [
        (facts("processing"), "Your payment of 100.00 USD is being confirmed."),
        (facts("in_review", "IN_REVIEW", "IN_REVIEW"), "Your payment of 100.00 USD is being checked."),
        (facts("authorized", "AUTHORIZED", "FAILED"), "Reserved. 90.00 USD is set aside for your order."),
        (facts("partially_succeeded", "SUCCESS", "FAILED"), "Partly paid. 90.00 USD of 100.00 USD."),
        (facts("canceled", "CANCELED", "CANCELED", is_final=True), "Cancelled. Nothing was charged."),
        (facts("expired", "EXPIRED", "EXPIRED", is_final=True), "Expired. Nothing was charged."),
        (facts("processing", is_closing=True), "Being cancelled."),
        (
            facts("expired", "EXPIRED", "EXPIRED", is_final=True, has_late_money=True),
            "Your payment came too late and goes back to you.",
        ),
        (
            facts("requires_action", "REQUIRES_ACTION", "REQUIRES_ACTION", payment_method="hosted_page"),
            "One step is left: pay 100.00 USD on the payment page.",
        ),
    ],
)
def test_headlines(given: PageFacts, headline_is: str) -> None:
    assert says(given).headline == headline_is


def test_what_takes_long_is_said_with_a_warning_not_to_pay_again() -> None:
    slow = says(facts("processing", changed_at=clock.now() - timedelta(minutes=3)))
    assert "longer than usual" in slow.text and "Please do not pay again" in slow.text
    assert "longer" not in says(facts("processing")).text


@pytest.mark.parametrize(
    ("currency", "amount", "shown"),
    [("JPY", "12345", "12,345 JPY"), ("KWD", "1.230", "1.230 KWD"), ("USD", "1234.5", "1,234.50 USD")],
)
def test_amounts_have_exactly_their_currency_s_decimals(
    counter: Shop, currency: str, amount: str, shown: str
) -> None:
    accepted = counter.accept(counter.body(counter.order(amount, currency=currency)))
    assert shown in headline(page_of(accepted))


def test_several_currencies_are_not_added_up(counter: Shop) -> None:
    body = counter.body(
        counter.order("5.00"), counter.order("700", "bob", currency="JPY"), multi_order_policy="best_effort"
    )
    assert "5.00 USD + 700 JPY" in headline(page_of(counter.accept(body)))


def test_times_are_exact_for_the_script_and_in_utc_for_everybody(counter: Shop) -> None:
    accepted = counter.accept(counter.body())
    at = PaymentEvent.objects.get(id=parse_public_id(accepted["id"], "chk")).created_at
    assert f'<time datetime="{at:%Y-%m-%dT%H:%M:%S}' in page_of(accepted)
    assert f'title="{at:%Y-%m-%d %H:%M:%S} UTC"' in page_of(accepted)


# --- What it never says ---------------------------------------------------------------------------


def test_nothing_of_the_buyer_and_nothing_of_the_trade_is_shown(shop: Shop) -> None:
    """A-H: the page opens for whoever holds its address."""
    secret = {
        "buyer_account": "buyer-4711",
        "email": "zoe@example.org",
        "name": "Zoe Quartz",
        "phone": "+15550100",
        "ip": "203.0.113.9",
        "billing_address": {"line1": "7 Hidden Lane"},
    }
    body = shop.body(buyer_info=secret, metadata={"note": "for-the-store-only"})
    paid = shop.pay(body)
    for part in ("", "/state"):
        shown = page_of(paid, part=part)
        private = [*map(str, secret.values()), "Hidden Lane", "for-the-store-only", shop.channel.name]
        private += [paid["payment_orders"][0]["psp"]["reference"], "pm_card_visa", paid["checkout_id"]]
        assert [each for each in private if each in shown] == []
    for jargon in ("PaymentIntent", "psp", "stripe", "charge_id", "capture", "EXECUTING", "SUCCESS"):
        assert jargon.lower() not in words(page_of(paid)).lower()


@pytest.mark.parametrize("part", ["", "/state", "/return"])
@pytest.mark.parametrize(
    "reference",
    [
        public_id("chk", uuid.UUID(int=1)),
        public_id("pay", uuid.UUID(int=1)),
        "chk_",
        "chk_" + "z" * 26,
        "nonsense",
        "%00",
        "x" * 3000,
        "<script>alert(1)</script>".replace("/", "%2F"),
    ],
)
@pytest.mark.django_db
def test_an_unknown_id_is_a_page_of_its_own(reference: str, part: str) -> None:
    answer = get(f"/pay/{reference}{part}")
    assert answer.status_code == 404
    assert "script>alert" not in answer.content.decode()


@pytest.mark.django_db
def test_the_unknown_page_helps() -> None:
    shown = get("/pay/chk_nothing").content.decode()
    assert headline(shown) == "There is no such payment."
    assert "Open it again from the store" in shown


def test_the_store_s_own_id_opens_nothing(counter: Shop) -> None:
    """It can be guessed; ours cannot."""
    accepted = counter.accept(counter.body())
    assert get(f"/pay/{accepted['checkout_id']}").status_code == 404


def test_names_are_escaped(counter: Shop) -> None:
    with transaction.atomic():
        create_seller(
            merchant_id=counter.store.merchant_id,
            seller_account="eve",
            name="<b>Eve</b>",
            country="US",
            commission_bps=0,
            tax_bps=0,
            by="user:test",
        )
    shown = page_of(counter.accept(counter.body(counter.order(seller="eve"))))
    assert "&lt;b&gt;Eve&lt;/b&gt;" in shown and "<b>Eve" not in shown


def test_headers(counter: Shop) -> None:
    accepted = counter.accept(counter.body())
    for part in ("", "/state", "/return"):
        answer = get(f"/pay/{accepted['id']}{part}")
        assert answer["Cache-Control"] == "no-store"
        assert "noindex" in answer["X-Robots-Tag"]
        assert answer["Referrer-Policy"] == "no-referrer"
        assert "Set-Cookie" not in answer
        policy = answer["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "form-action 'none'" in policy
        assert "unsafe" not in policy and "http" not in policy


def test_the_page_loads_nothing_from_elsewhere_and_runs_nothing_inline(waiting: dict[str, Any]) -> None:
    shown = page_of(waiting)
    assert re.findall(r'(?:src|<link[^>]* href)="(?!/static/)', shown) == []
    assert re.findall(r"<script(?![^>]* src=)", shown) == []
    assert re.findall(r"\s(?:style|on\w+)=", shown) == []


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_nothing_can_be_sent_to_it(counter: Shop, method: str) -> None:
    accepted = counter.accept(counter.body())
    for part in ("", "/state", "/return"):
        assert getattr(Client(), method)(f"/pay/{accepted['id']}{part}").status_code == 405


def test_how_many_queries_a_look_costs(counter: Shop, django_assert_max_num_queries: Any) -> None:
    """Every open page asks again and again."""
    accepted = counter.accept(counter.body())
    with django_assert_max_num_queries(5):
        page_of(accepted, part="/state")


# --- The language ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "got"), [("zh-CN,zh;q=0.9,en;q=0.5", "zh-hans"), ("zh-Hans", "zh-hans"), ("de, en;q=0.5", "en")]
)
def test_the_page_speaks_the_browser_s_language(counter: Shop, asked: str, got: str) -> None:
    answer = get(f"/pay/{counter.accept(counter.body())['id']}", asked)
    assert answer["Content-Language"] == got
    assert f'<html lang="{got}">' in answer.content.decode()
    assert "Accept-Language" in answer["Vary"]


def test_nothing_is_left_in_english(shop: Shop) -> None:
    accepted = shop.accept(shop.body(return_url="https://store.example/back"))
    for _ in range(2):
        said = words(page_of(accepted, "zh-CN")).replace(accepted["id"], "")
        assert re.findall(r"[A-Za-z]{2,}", re.sub(r"USD|UTC|Ann|Bob|Acme", "", said)) == []
        shop.work()
    assert "已付款。已向两位卖家支付 100.00 USD。" in said


def test_every_word_of_the_pages_is_in_the_catalogue() -> None:
    """Whatever the pages can say, in Chinese as well; and the compiled catalogue is the written one."""
    written = _written()
    with (CATALOGUE / "django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    for (context, text), translated in written.items():
        found = compiled.pgettext(context, text) if context else compiled.gettext(text)
        assert found == translated
    assert _said() - {text for _, text in written} == set()
    assert {text for _, text in written} - _said() == set()


def _written() -> dict[tuple[str, str], str]:
    """What the .po file says, plurals by their singular; one line a text."""
    text = (CATALOGUE / "django.po").read_text(encoding="utf-8")
    entry = re.compile(
        r'(?:msgctxt "(.*)"\n)?msgid "(.+)"\n(?:msgid_plural ".*"\n)?msgstr(?:\[0\])? "(.+)"\n'
    )
    return {(context, text): translated for context, text, translated in entry.findall(text)}


def _said() -> set[str]:
    """Every text that the templates and the wording give to gettext."""
    found = set()
    for template in (settings.BASE_DIR / "templates" / "pay").glob("*.html"):
        html = template.read_text(encoding="utf-8")
        found |= set(re.findall(r'{% translate "(.*?)" %}', html))
        for block in re.findall(
            r"{% blocktranslate.*?%}(.*?)(?:{% plural %}.*?)?{% endblocktranslate %}", html
        ):
            found.add(re.sub(r"{{ (\w+) }}", r"%(\1)s", block))
    wording = Path(settings.BASE_DIR / "payments" / "pages" / "wording.py").read_text(encoding="utf-8")
    for call in ast.walk(ast.parse(wording)):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name):
            place = {"_": 0, "ngettext": 0, "pgettext": 1}.get(call.func.id)
            if place is not None:
                found.add(ast.literal_eval(call.args[place]))
    return found


# --- The way back ---------------------------------------------------------------------------------


def test_the_way_back_leads_to_the_store(waiting: dict[str, Any]) -> None:
    answer = get(f"/pay/{waiting['id']}/return")
    assert answer.status_code == 303
    expected = f"https://store.example/back?cart=7&checkout_id={waiting['checkout_id']}#top"
    assert answer["Location"] == expected


def test_without_an_address_of_the_store_it_leads_to_the_page(counter: Shop) -> None:
    accepted = counter.accept(counter.body())
    answer = get(f"/pay/{accepted['id']}/return", redirect_status="succeeded")
    assert (answer.status_code, answer["Location"]) == (303, f"/pay/{accepted['id']}")


FORGERIES = [
    {"redirect_status": "succeeded", "payment_intent": "pi_forged"},
    {"status": "SUCCESS", "paid": "true", "amount": "0.01"},
    {"checkout_id": "another", "return_url": "https://evil.example/", "next": "//evil.example"},
    {"session_id": "cs_forged", "payment_intent_client_secret": "x" * 2000},
]


@pytest.mark.parametrize("forged", FORGERIES)
def test_what_the_address_says_is_not_believed(shop: Shop, waiting: dict[str, Any], forged: Any) -> None:
    """A-B16, F-A14: no state moves, nothing is booked, and the buyer goes where they would go anyway."""
    honest = get(f"/pay/{waiting['id']}/return")["Location"]
    before = _rows(waiting)
    answer = get(f"/pay/{waiting['id']}/return", **forged)
    assert answer["Location"] == honest
    assert _rows(waiting) == before
    shop.work()
    assert shop.checkout(waiting["checkout_id"])["status"] == "requires_action"
    assert shop.captures() == []


def _rows(checkout: dict[str, Any]) -> list[Any]:
    key = parse_public_id(checkout["id"], "chk")
    orders = (
        PaymentOrder.objects.filter(checkout_id=key).order_by("id").values_list("status", "captured_minor")
    )
    charges = ChargeLine.objects.filter(order__checkout_id=key).values_list("charge__status", "live")
    return [*orders, *charges, *operations().values_list("status")]


def test_coming_back_makes_us_ask_at_once(shop: Shop, waiting: dict[str, Any]) -> None:
    """F-A15: the webhook is late or lost; the provider is asked because the buyer is back."""
    intent = waiting["payment_orders"][0]["psp"]["reference"]
    shop.provider.control("POST", f"payment_intents/{intent}/authentication", {"result": "complete"})
    shop.work()
    assert shop.checkout(waiting["checkout_id"])["status"] == "requires_action"

    get(f"/pay/{waiting['id']}/return")
    shop.work()
    assert headline(page_of(waiting)) == "Paid. 100.00 USD to two sellers."


def test_coming_back_again_and_again_asks_no_oftener(shop: Shop, waiting: dict[str, Any]) -> None:
    def asked() -> int:
        return len(shop.requests("payment_intents.retrieve"))

    before = asked()
    for _ in range(5):
        get(f"/pay/{waiting['id']}/return")
        shop.work()
    assert asked() == before + 1


def test_coming_back_for_minutes_does_not_wear_out_our_own_looks(shop: Shop, waiting: dict[str, Any]) -> None:
    """Our looks become rarer with their number; the looks that others ask for must not count."""
    asked = operations().get().asked
    for _ in range(5):
        get(f"/pay/{waiting['id']}/return")
        assert shop.work() == 1
        operations().update(updated_at=clock.now() - timedelta(seconds=3))
    assert operations().get().asked == asked


def test_looking_at_the_page_asks_nobody(shop: Shop, waiting: dict[str, Any]) -> None:
    before = len(shop.requests())
    for part in ("", "/state"):
        page_of(waiting, part=part)
    assert shop.work() == 0
    assert len(shop.requests()) == before


def test_only_what_may_still_move_money_is_hurried(shop: Shop) -> None:
    paid = shop.pay()
    checkout = PaymentEvent.objects.get(id=parse_public_id(paid["id"], "chk"))
    operations().update(updated_at=clock.now() - timedelta(minutes=1))
    with transaction.atomic():
        assert hurry_checkout(checkout_id=checkout.id) == 0
    assert page_facts(checkout).status == "succeeded"
