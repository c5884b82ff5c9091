"""The desk of authorised payments: two people capture or give back, and everybody else only looks."""

from typing import Any

import pytest
from django.test import Client

from core import clock
from core.ids import public_id
from core.models import Approval, AuditRecord
from payments.models import Charge, PspOperation
from tests.admin.people import console, person
from tests.admin.test_risk_desk import text
from tests.payments.conftest import Shop, provider
from tests.payments.conftest import shop as shop
from tests.payments.later import authorized, capture, now

__all__ = ["provider", "shop"]

DESK = "/admin/desks/authorized/"


@pytest.fixture
def maker(transactional_db: None) -> Client:
    return console(person("mia", "finance_maker"))


@pytest.fixture
def checker(transactional_db: None) -> Client:
    return console(person("cem", "finance_checker"))


def reserve(shop: Shop) -> tuple[dict[str, Any], str]:
    order = authorized(shop)
    return order, public_id("chg", Charge.objects.get().id)


def act(client: Client, reference: str, action: str, reason: str = "asked by phone", **more: str) -> Any:
    answer = client.post(f"{DESK}{reference}/", {"action": action, "reason": reason, **more}, follow=True)
    said = " ".join(str(each) for each in (answer.context or {}).get("messages", []))
    return answer.status_code, f"{said} {text(answer)}"


def waiting() -> dict[str, str]:
    return {"approval": str(Approval.objects.get(status="PENDING").pk)}


def test_it_shows_what_is_reserved_and_what_would_be_posted(shop: Shop, maker: Client) -> None:
    assert "No money is reserved" in text(maker.get(DESK))
    order, reference = reserve(shop)
    page = text(maker.get(DESK))
    for words in (
        "100.00 USD",
        reference,
        shop.channel.name,
        "Reserved",
        "90.00",
        "8.33",
        "1.67",
        "Ask for a yes: capture",
    ):
        assert words in page, words
    clock_text = text(maker.get(f"/admin/payments/paymentevent/?q={order['checkout_id']}"))
    assert "Authorized" in clock_text
    checkout = Charge.objects.get().checkout_id
    story = maker.get(f"/admin/payments/paymentevent/{checkout}/change/", follow=True)
    assert "capture or give back until" in text(story) and reference in story.content.decode()


def test_two_people_capture_a_part(shop: Shop, maker: Client, checker: Client) -> None:
    """A-E7: who asks cannot decide; what is decided is exactly what was asked."""
    order, reference = reserve(shop)
    assert act(maker, reference, "capture", amount="100.01")[0] == 422
    assert act(maker, reference, "capture", reason="", amount="40.00")[0] == 422
    status, page = act(maker, reference, "capture", amount="40.00")
    assert status == 200 and "You asked for it; somebody else must decide." in page
    assert act(maker, reference, "approve", **waiting())[0] == 403
    assert not PspOperation.objects.filter(kind="capture").exists()
    page = text(checker.get(f"{DESK}{reference}/"))
    for words in ("asked by phone", "40.00 USD", "60.00 USD go back", "36.00", "3.33", "0.67"):
        assert words in page, words
    status, page = act(checker, reference, "approve", **waiting())
    assert status == 200 and "Being captured" in page
    shop.work()
    assert (now(shop, order)["captured"], [row["amount"] for row in shop.captures()]) == ("40.00", [4000])
    record = AuditRecord.objects.get(action="charge.capture")
    assert (record.reason, record.detail["amount_minor"]) == ("asked by phone", 4000)
    assert PspOperation.objects.get(kind="capture").status == "SUCCEEDED"


def test_two_people_give_it_back(shop: Shop, maker: Client, checker: Client) -> None:
    order, reference = reserve(shop)
    act(maker, reference, "void")
    act(checker, reference, "approve", **waiting())
    shop.work()
    assert (now(shop, order)["payment_order_status"], shop.captures()) == ("CANCELED", [])
    assert "Nothing is reserved any more" in text(checker.get(f"{DESK}{reference}/"))


def test_a_rejected_request_leaves_it_reserved(shop: Shop, maker: Client, checker: Client) -> None:
    order, reference = reserve(shop)
    act(maker, reference, "void")
    request = waiting()
    assert act(checker, reference, "reject", reason="", **request)[0] == 422
    assert act(checker, reference, "reject", reason="the store decides", **request)[0] == 200
    assert "changed meanwhile" in act(checker, reference, "approve", **request)[1]
    assert now(shop, order)["payment_order_status"] == "AUTHORIZED"


def test_a_request_that_the_store_overtook(shop: Shop, maker: Client, checker: Client) -> None:
    """A-D2: the store captures between the two people: the second one is told, and nothing happens twice."""
    order, reference = reserve(shop)
    act(maker, reference, "capture")
    request = waiting()
    assert capture(shop, order, "70.00").status_code == 201
    assert "not in a state" in act(checker, reference, "approve", **request)[1]
    shop.work()
    assert [row["amount"] for row in shop.captures()] == [7000]


def test_roles(shop: Shop) -> None:
    """A-E3: everybody of the staff looks, finance acts, and only a checker decides."""
    _, reference = reserve(shop)
    for role in ("support", "risk", "operator", "auditor"):
        client = console(person(role, role))
        page = client.get(f"{DESK}{reference}/")
        assert page.status_code == 200 and "You may look. Finance acts." in text(page), role
        assert act(client, reference, "capture")[0] == 403, role
    asks = console(person("mia", "finance_maker"))
    act(asks, reference, "capture")
    other = console(person("max", "finance_maker"))
    assert act(other, reference, "approve", **waiting())[0] == 403
    assert Client().get(DESK).status_code == 302
    assert clock.now() < Charge.objects.get().capture_before
