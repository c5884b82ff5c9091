"""Paying on the provider's own page, with the sandbox as the provider: from its opening to every end."""

from typing import Any

import pytest

from core.models import Case, OutboxEvent, StatusChange
from core.transactions import at_edge
from ledger.models import JournalEntry
from payments.models import Charge, ChargeLine, PaymentOrder, PspOperation
from payments.services import hurry_checkout
from tests.payments.conftest import Shop, hosted

CREATE, RETRIEVE = "checkout.sessions.create", "checkout.sessions.retrieve"
HOUR = 3600


@pytest.fixture(autouse=True)
def _impatient(settings: Any, hooks: Any) -> None:
    """Silence is given up after half a second; the clock can be moved; only the worker opens pages."""
    settings.PSP_READ_TIMEOUT = 0.5
    settings.INLINE_REGISTRATIONS = 0


def charge() -> Charge:
    return Charge.objects.get()


def register() -> PspOperation:
    return PspOperation.objects.get(kind="register")


def orders() -> set[str]:
    return set(PaymentOrder.objects.values_list("status", flat=True))


def buy(shop: Shop, token: str = "pm_card_visa") -> dict[str, Any]:
    """The buyer pays on the page."""
    path = f"checkout_sessions/{charge().session_reference}/payment"
    return shop.provider.control("POST", path, {"token": token})


def client(shop: Shop) -> Any:
    """The merchant's own access to the provider."""
    return shop.provider.client(shop.account_key).v1


def session(shop: Shop) -> Any:
    """The page as the provider has it."""
    return client(shop).checkout.sessions.retrieve(charge().session_reference)


def told(what: str) -> int:
    return OutboxEvent.objects.filter(type=f"payment.{what}").count()


def test_the_page_is_open_before_anybody_is_sent_there(shop: Shop) -> None:
    seen = shop.pay(hosted(shop))
    assert (seen["status"], seen["payment_method"], seen["is_final"]) == (
        "requires_action",
        "hosted_page",
        False,
    )
    assert seen["next_action"] == {"type": "redirect_to_url", "url": charge().redirect_url}
    assert seen["next_action"]["url"] == f"{shop.provider.url}/c/pay/{charge().session_reference}"
    assert (charge().status, charge().psp_reference) == ("REQUIRES_ACTION", None)
    assert (register().status, register().due_at is not None) == ("PENDING", True)
    assert (orders(), told("requires_action")) == ({"REQUIRES_ACTION"}, 2)
    assert shop.captures() == []


def test_a_buyer_pays_on_the_page(shop: Shop) -> None:
    seen = shop.pay(hosted(shop))
    buy(shop)
    shop.later(2)
    seen = shop.checkout(seen["id"])
    assert (seen["status"], seen["is_payment_done"], seen["next_action"]) == ("succeeded", True, None)
    assert (charge().status, register().status, orders()) == ("CAPTURED", "SUCCEEDED", {"SUCCESS"})
    (taken,) = shop.captures()
    assert (taken["amount"], taken["payment_intent"]) == (10000, charge().psp_reference)
    assert seen["payment_orders"][0]["psp"]["reference"] == charge().psp_reference
    assert JournalEntry.objects.filter(source="charge").count() == 1
    assert len(shop.requests(CREATE)) == 1


@pytest.mark.parametrize("result", ["complete", "fail"])
def test_three_d_secure_happens_on_the_page(shop: Shop, result: str) -> None:
    """Nothing of it shows here: it is the page that is paid or not."""
    shop.pay(hosted(shop))
    buy(shop, "pm_card_threeDSecure2Required")
    shop.later(2)
    assert (orders(), charge().status) == ({"REQUIRES_ACTION"}, "REQUIRES_ACTION")
    page = session(shop)
    shop.provider.control("POST", f"payment_intents/{page.payment_intent}/authentication", {"result": result})
    shop.later(20)
    assert orders() == {"SUCCESS" if result == "complete" else "REQUIRES_ACTION"}
    assert len(shop.captures()) == (result == "complete")


def test_a_refused_card_changes_nothing_and_another_one_pays(shop: Shop) -> None:
    seen = shop.pay(hosted(shop))
    before = StatusChange.objects.count()
    for _ in range(2):
        buy(shop, "pm_card_chargeDeclined")
        shop.later(20)
    assert StatusChange.objects.count() == before, "a refusal on the page is not told as a failure"
    assert (orders(), charge().status, told("failed")) == ({"REQUIRES_ACTION"}, "REQUIRES_ACTION", 0)
    assert shop.checkout(seen["id"])["next_action"]["url"] == charge().redirect_url
    buy(shop)
    shop.later(20)
    assert shop.checkout(seen["id"])["status"] == "succeeded"
    assert len(shop.captures()) == 1


@pytest.mark.parametrize(("result", "state"), [("succeed", "SUCCESS"), ("fail", "FAILED")])
def test_a_result_that_takes_hours(shop: Shop, result: str, state: str) -> None:
    """F-C6: no webhook comes; what is processing is asked about for as long as it takes."""
    seen = shop.pay(hosted(shop))
    buy(shop, "pm_card_sandboxProcessing")
    shop.later(2)
    assert (orders(), charge().status, register().status) == ({"EXECUTING"}, "PENDING", "PENDING")
    assert charge().psp_reference == session(shop).payment_intent
    assert shop.checkout(seen["id"])["next_action"] is None, "the buyer has done their part"
    for _ in range(5):
        shop.later(HOUR)
    assert (orders(), charge().status) == ({"EXECUTING"}, "PENDING")
    shop.provider.control("POST", f"payment_intents/{charge().psp_reference}/settlement", {"result": result})
    shop.later(HOUR)
    assert orders() == {state}
    assert len(shop.captures()) == (state == "SUCCESS")
    if state == "FAILED":
        assert (charge().status, register().status) == ("DECLINED", "DECLINED")
        assert shop.checkout(seen["id"])["payment_orders"][0]["failure"]["code"] == "card_declined"


@pytest.mark.parametrize(("asked_to_cancel", "state"), [(False, "EXPIRED"), (True, "CANCELED")])
def test_a_page_that_ends_unpaid(shop: Shop, asked_to_cancel: bool, state: str) -> None:
    seen = shop.pay(hosted(shop))
    buy(shop, "pm_card_chargeDeclined")
    if asked_to_cancel:
        at_edge(PaymentOrder.objects.update)(cancel_requested_at=charge().created_at)
    client(shop).checkout.sessions.expire(charge().session_reference)
    shop.later(2)
    assert (orders(), charge().status, register().status) == ({state}, "EXPIRED", "CANCELED")
    assert not ChargeLine.objects.filter(live=True).exists()
    seen = shop.checkout(seen["id"])
    assert (seen["status"], seen["is_final"], seen["next_action"]) == (state.lower(), True, None)
    assert (told(state.lower()), shop.captures()) == (2, [])
    asked = len(shop.requests())
    shop.later(HOUR)
    assert len(shop.requests()) == asked, "there is nothing more to ask"


@pytest.mark.parametrize("kind", ["charged_but_timeout", "not_charged_timeout", "empty_500", "broken_json"])
def test_an_opening_without_an_answer_is_sent_again_under_its_key_f_a5(shop: Shop, kind: str) -> None:
    """F-A5, F-A8: at most one page; what was opened in silence is the page that the buyer is sent to."""
    shop.arm(kind, operation=CREATE)
    seen = shop.pay(hosted(shop))
    assert (orders(), charge().status, register().status) == ({"EXECUTING"}, "CREATED", "UNKNOWN")
    assert (seen["status"], seen["next_action"]) == ("processing", None)
    shop.later(2)
    assert (orders(), charge().status, register().status) == (
        {"REQUIRES_ACTION"},
        "REQUIRES_ACTION",
        "PENDING",
    )
    assert {each["idempotency_key"] for each in shop.requests(CREATE)} == {register().nonce}
    assert len(client(shop).checkout.sessions.list().data) == 1
    buy(shop)
    shop.later(2)
    assert shop.checkout(seen["id"])["status"] == "succeeded"


def test_a_page_that_was_never_opened_fails_the_payment_f_a6(shop: Shop, settings: Any) -> None:
    settings.PSP_BREAKER_FAILURES = 1000
    shop.arm("http_429", operation=CREATE, times=None)
    seen = shop.pay(hosted(shop))
    assert register().status == "NOT_SENT"
    for _ in range(5):
        shop.later(200)
    failure = shop.checkout(seen["id"])["payment_orders"][0]["failure"]
    assert (orders(), charge().status, failure["code"]) == ({"FAILED"}, "CANCELED", "psp_unavailable")


def test_an_opening_older_than_the_providers_memory_is_never_sent_again_f_a16(shop: Shop) -> None:
    """Nobody was told of a page that was perhaps opened then, so nobody can pay on it."""
    shop.arm("not_charged_timeout", operation=CREATE)
    shop.pay(hosted(shop))
    assert register().status == "UNKNOWN"
    shop.later(25 * HOUR)
    assert len(shop.requests(CREATE)) == 1
    assert (orders(), charge().status) == ({"FAILED"}, "CANCELED")


def test_a_page_is_asked_about_after_a_day_and_never_opened_again_f_a16(shop: Shop) -> None:
    shop.pay(hosted(shop))
    buy(shop)
    shop.later(25 * HOUR)
    assert (orders(), len(shop.requests(CREATE)), len(shop.captures())) == ({"SUCCESS"}, 1, 1)


def test_an_answer_that_cannot_be_read_leaves_the_page_open_f_a8(shop: Shop) -> None:
    shop.pay(hosted(shop))
    buy(shop)
    for kind in ("truncated_json", "http_503", "wrong_content_type", "http_409"):
        shop.arm(kind, operation=RETRIEVE)
        shop.later(20)
        assert (orders(), charge().status, register().status) == (
            {"REQUIRES_ACTION"},
            "REQUIRES_ACTION",
            "PENDING",
        )
    shop.later(20)
    assert orders() == {"SUCCESS"}


@pytest.mark.parametrize("fault", [{"short_by": 100}, {"currency": "eur"}, {"amount": 10}])
def test_another_amount_than_asked_is_a_conflict_f_a13(shop: Shop, fault: dict[str, Any]) -> None:
    seen = shop.pay(hosted(shop))
    shop.arm("partial_approval", operation="checkout.pay", **fault)
    buy(shop)
    shop.later(2)
    assert (charge().status, register().status) == ("CONFLICTED", "CONFLICTED")
    assert Case.objects.get().kind == "charge_conflict"
    assert ChargeLine.objects.filter(live=True).exists(), "nothing else may cover the orders"
    seen = shop.checkout(seen["id"])
    assert (orders(), seen["status"], seen["next_action"]) == ({"EXECUTING"}, "processing", None)
    shop.later(HOUR)
    assert not JournalEntry.objects.exists()


def test_an_amount_that_the_provider_does_not_take_is_a_final_refusal(shop: Shop) -> None:
    seen = shop.pay(hosted(shop, shop.order("0.01")))
    assert seen["payment_orders"][0]["failure"]["code"] == "amount_not_supported"
    assert (charge().status, register().status) == ("CANCELED", "DECLINED")


def test_the_provider_sends_the_buyer_back_to_us_only(shop: Shop, settings: Any) -> None:
    """Whatever the store wants: the redirect ends at our own page, which believes nothing (A-B16)."""
    seen = shop.pay(hosted(shop, return_url="https://shop.example/thanks?paid=1"))
    page = session(shop)
    hop = f"{settings.PUBLIC_URL}/pay/{seen['id']}/return"
    assert (page.success_url, page.cancel_url) == (hop, hop)
    assert (page.client_reference_id, page.metadata.charge_id) == (page.metadata.charge_id,) * 2
    assert page.metadata.checkout_id == seen["checkout_id"]
    assert 23 * HOUR < page.expires_at - page.created <= 24 * HOUR


def test_a_buyer_who_comes_back_has_the_provider_asked_at_once(shop: Shop) -> None:
    """Once in two seconds at most, and only about what is open."""
    seen = shop.pay(hosted(shop))
    checkout_id = charge().checkout_id
    for _ in range(6):
        shop.later(20)
    asked = len(shop.requests(RETRIEVE))
    assert at_edge(hurry_checkout)(checkout_id=checkout_id) == 0, "it was looked at a moment ago"
    shop.later(3)
    assert len(shop.requests(RETRIEVE)) == asked, "and is not due yet"
    buy(shop)
    assert at_edge(hurry_checkout)(checkout_id=checkout_id) == 1
    shop.work()
    assert (len(shop.requests(RETRIEVE)), shop.checkout(seen["id"])["status"]) == (asked + 1, "succeeded")
    shop.later(3)
    assert at_edge(hurry_checkout)(checkout_id=checkout_id) == 0


def test_one_page_for_the_orders_of_all_sellers(shop: Shop) -> None:
    shop.pay(hosted(shop, shop.order("1.00"), shop.order("2.50", "bob"), shop.order("3.00")))
    assert (session(shop).amount_total, Charge.objects.count()) == (650, 1)
    buy(shop)
    shop.later(2)
    assert (orders(), shop.captures()[0]["amount"]) == ({"SUCCESS"}, 650)


@pytest.mark.parametrize(("currency", "amount", "wire"), [("JPY", "1000", 1000), ("KWD", "12.340", 12340)])
def test_amounts_reach_the_page_in_the_providers_units(
    shop: Shop, currency: str, amount: str, wire: int
) -> None:
    shop.pay(hosted(shop, shop.order(amount, currency=currency)))
    assert session(shop).amount_total == wire
    buy(shop)
    shop.later(2)
    assert orders() == {"SUCCESS"}
