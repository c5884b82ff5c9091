"""Paying on the provider's own page, with the sandbox as the provider: from its opening to every end."""

from typing import Any

import pytest

from core import clock
from core.models import Case, OutboxEvent
from ledger.models import JournalEntry
from payments.models import Charge, ChargeLine, PaymentOrder, PspOperation
from tests.payments.conftest import Shop

CREATE, RETRIEVE = "checkout.sessions.create", "checkout.sessions.retrieve"
DAY = 24 * 3600


@pytest.fixture(autouse=True)
def _impatient(settings: Any, hooks: Any) -> None:
    """Silence is given up after half a second; the clock can be moved; nothing is registered inline."""
    settings.PSP_READ_TIMEOUT = 0.5


def hosted(shop: Shop, *orders: dict[str, Any], **other: Any) -> dict[str, Any]:
    """A checkout without a token."""
    body = shop.body(*orders, **other)
    del body["credit_card_info"]
    return body


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


def told(what: str) -> int:
    return OutboxEvent.objects.filter(type=f"payment.{what}").count()


def test_the_page_is_open_before_anybody_is_sent_there(shop: Shop) -> None:
    seen = shop.pay(hosted(shop))
    assert (seen["status"], seen["payment_method"], seen["is_final"]) == ("requires_action", "hosted_page", False)
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


def test_the_answer_tells_where_to_send_the_buyer(shop: Shop) -> None:
    body, key = hosted(shop), "once"
    first = shop.store.post("/v1/payments", body, key=key)
    seen = first.json()
    assert (first.status_code, seen["status"]) == (201, "requires_action")
    assert seen["next_action"]["url"] == charge().redirect_url
    again = shop.store.post("/v1/payments", body, key=key)
    assert (again.content, again.headers["Idempotent-Replayed"]) == (first.content, "true")
    assert seen == shop.checkout(seen["id"])
    assert len(shop.requests(CREATE)) == 1
