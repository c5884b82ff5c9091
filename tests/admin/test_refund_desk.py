"""The refund desk: small refunds at once, larger ones by two people, and everything to see about each."""

from typing import Any

import pytest
from django.test import Client

from core.models import Approval, AuditRecord
from ledger.models import JournalEntry
from payments.models import PaymentOrder, PspOperation, Refund
from tests.admin.people import console, person
from tests.admin.test_risk_desk import text
from tests.payments.conftest import Shop, provider
from tests.payments.conftest import shop as shop
from tests.payments.purses import open_purse
from tests.payments.refunding import paid, state
from tests.racing import race

__all__ = ["provider", "shop"]

DESK = "/admin/desks/refunds/"
ROLES = ("support", "finance_maker", "finance_checker", "risk", "operator", "auditor")


def new(client: Client, order: dict[str, Any], amount: str, **more: str) -> Any:
    body = {"amount": amount, "destination": "instrument", "reason": "the buyer called", **more}
    return client.post(f"{DESK}of/{order['id']}/", body)


def act(client: Client, reference: str, action: str, reason: str = "looked at it", **more: str) -> Any:
    return client.post(f"{DESK}{reference}/", {"action": action, "reason": reason, **more})


def held(shop: Shop, maker: Client, amount: str = "600.00", **more: str) -> tuple[dict[str, Any], str]:
    """An order of 1000 with a refund that waits for a second person: the order and the refund's id."""
    order = paid(shop, "1000.00", buyer_info={"buyer_account": "ben"})
    answer = new(maker, order, amount, **more)
    assert answer.status_code == 302, text(answer)
    return order, answer.url.rstrip("/").rpartition("/")[2]


def approval() -> str:
    return str(Approval.objects.get(status="PENDING").pk)


def test_a_small_refund_is_made_at_once_and_shown_whole(shop: Shop) -> None:
    order, maker = paid(shop), console(person("mia", "finance_maker"))
    page = text(maker.get(f"{DESK}of/{order['id']}/"))
    for words in ("100.00 USD", order["payment_order_id"], "500.00 USD", "second person"):
        assert words in page, words
    assert new(maker, order, "100.01").status_code == 422
    assert new(maker, order, "40.00", reason=" ").status_code == 422
    assert Refund.objects.count() == 0
    answer = new(maker, order, "40.00")
    shop.work()
    page = text(maker.get(answer.url))
    for words in ("40.00 USD", "36.00 USD", "3.33 USD", "0.67 USD", "refund_accepted", "refund_netted"):
        assert words in page, words
    assert "the buyer called" in page
    record = AuditRecord.objects.get(action="refund.request")
    assert (record.reason, record.detail["amount_minor"]) == ("the buyer called", 40_00)
    checkout = text(
        maker.get(
            f"/admin/payments/paymentevent/{PaymentOrder.objects.get().checkout_id}/change/", follow=True
        )
    )
    assert "40.00 USD" in checkout
    assert "the buyer called" in checkout


def test_a_large_refund_takes_two_people(shop: Shop) -> None:
    """I30, A-E7: reserved at once, sent after the yes of another person, once however often it is pressed."""
    maker, checker = console(person("mia", "finance_maker")), console(person("cora", "finance_checker"))
    order, reference = held(shop, maker)
    shop.work()
    assert (Refund.objects.get().status, PspOperation.objects.filter(kind="refund").count()) == (
        "IN_REVIEW",
        0,
    )
    assert state(shop, order) == ("0.00", "600.00")
    assert JournalEntry.objects.filter(source="refund").count() == 1
    waiting = approval()
    assert act(maker, reference, "approve", approval=waiting).status_code == 403
    act(checker, reference, "approve", approval="0")
    assert Refund.objects.get().status == "IN_REVIEW"
    race([lambda: act(checker, reference, "approve", approval=waiting)] * 3)
    shop.work()
    assert (Refund.objects.get().status, state(shop, order)) == ("SUCCESS", ("600.00", "0.00"))
    assert PspOperation.objects.filter(kind="refund").count() == 1


@pytest.mark.parametrize("destination", ["instrument", "wallet"])
@pytest.mark.parametrize("who", ["checker", "maker"])
def test_a_refund_that_is_not_wanted_leaves_nothing(shop: Shop, destination: str, who: str) -> None:
    maker, checker = console(person("mia", "finance_maker")), console(person("cora", "finance_checker"))
    order, reference = held(shop, maker, destination=destination)
    if who == "checker":
        assert act(checker, reference, "reject", " ", approval=approval()).status_code == 422
        act(checker, reference, "reject", "the goods did not come", approval=approval())
    else:
        act(maker, reference, "cancel", "wrong order")
    assert (Refund.objects.get().status, state(shop, order)) == ("CANCELED", ("0.00", "0.00"))
    assert set(Approval.objects.values_list("status", flat=True)) <= {"REJECTED", "VOID"}
    assert new(maker, order, "100.00").status_code == 302
    shop.work()


def test_a_large_refund_to_the_wallet_waits_too(shop: Shop) -> None:
    maker, checker = console(person("mia", "finance_maker")), console(person("cora", "finance_checker"))
    _, reference = held(shop, maker, destination="wallet")
    assert shop.store.get("/v1/buyers/ben/wallets").json()["data"][0]["available"] == "0.00"
    act(checker, reference, "approve", approval=approval())
    assert Refund.objects.get().status == "SUCCESS"
    assert shop.store.get("/v1/buyers/ben/wallets").json()["data"][0]["available"] == "600.00"


def test_what_a_balance_paid_goes_back_to_its_wallets(shop: Shop) -> None:
    """W7b, W7c: one way alone is offered; the desk shows before the yes which wallets get what."""
    purse = open_purse(shop, cash=900_00)
    purse.give("points", 2_000)
    body = purse.body(shop.order("900.00"), wallet_kinds=["points", "cash"])
    order = shop.accept(body)["payment_orders"][0]
    maker, checker = console(person("mia", "finance_maker")), console(person("cora", "finance_checker"))
    asked = maker.get(f"{DESK}of/{order['id']}/")
    assert "Points, Cash" in text(asked)
    ways = [way for way in ("instrument", "wallet", "balance") if f'value="{way}"' in asked.content.decode()]
    assert ways == ["balance"]
    assert new(maker, order, "450.00").status_code == 422
    reference = new(maker, order, "900.00", destination="balance").url.rstrip("/").rpartition("/")[2]
    page = text(checker.get(f"{DESK}{reference}/"))
    for words in ("the wallets that paid, at once", "2,000 PTS", "20.00 USD", "880.00 USD"):
        assert words in page, words
    assert purse.left() == (20_00, 0)
    act(checker, reference, "approve", approval=approval())
    assert (purse.left(), purse.left("points")) == ((900_00, 0), (2_000, 0))
    assert "refund_to_balance" in text(checker.get(f"{DESK}{reference}/"))


def test_roles(shop: Shop) -> None:
    """A-E3: everybody of the staff looks; finance asks; a checker decides."""
    order, reference = held(shop, console(person("mia", "finance_maker")))
    for role in ROLES:
        client, is_finance = console(person(role, role)), role.startswith("finance")
        assert client.get(f"{DESK}{reference}/").status_code == 200, role
        assert client.get(DESK).status_code == 200, role
        assert client.get(f"{DESK}of/{order['id']}/").status_code == (200 if is_finance else 403), role
        if not is_finance:
            assert new(client, order, "1.00").status_code == 403, role
            assert act(client, reference, "cancel").status_code == 403, role
        if role != "finance_checker":
            assert act(client, reference, "approve", approval=approval()).status_code == 403, role
    assert Client().get(DESK).status_code == 302
    assert console(person("una")).get(DESK).status_code == 403
    maker = console(person("mona", "finance_maker"))
    assert maker.get(f"{DESK}re_unknown/").status_code == 404
    assert maker.get(f"{DESK}of/pay_unknown/").status_code == 404
