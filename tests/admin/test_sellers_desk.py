"""The desk of sellers' money: what waits and why, who may look, and a debt that takes two people."""

import pytest
from django.db import transaction
from django.test import Client

from core.ids import public_id
from core.models import Approval
from payments.models import PaymentOrder
from tests.admin.people import console, person
from tests.admin.test_risk_desk import text
from tests.payments.captured import balances, capture, post_taken
from tests.payments.conftest import Shop
from tests.payments.conftest import counter as counter
from tests.payments.test_releases import policy, terms
from wallet.selectors import accounts_of, wallets_of
from wallet.types import WalletData

__all__ = ["counter"]

DESK = "/admin/desks/sellers/"
pytestmark = pytest.mark.database


def wallet_of(order: PaymentOrder) -> WalletData:
    (found,) = wallets_of(merchant_id=order.merchant_id, owner_type="seller", owner_id=order.seller_id)
    return found


def owe(order: PaymentOrder, minor: int) -> str:
    """Put a debt into the seller's wallet; return the desk's page of it."""
    wallet = wallet_of(order)
    accounts = accounts_of(merchant_id=order.merchant_id, wallet_id=wallet.id)
    with transaction.atomic():
        post_taken(merchant_id=order.merchant_id, account=accounts["seller_receivable"], minor=minor)
    return f"{DESK}{public_id('wal', wallet.id)}/"


def test_it_says_what_waits_and_why(counter: Shop) -> None:
    policy(counter, release_on="first", release_proof="banked")
    (order,) = capture(counter, counter.order("100.00"))
    terms(counter, order, reserve_bps=1250, reserve_days=90)
    auditor = console(person("ada", "auditor"))
    page = text(auditor.get(f"{DESK}{public_id('wal', wallet_of(order).id)}/"))
    for said in (
        order.payment_order_id,
        "90.00",
        "12.50 % for 90 days",
        "until",
        "the store to say that it was",
    ):
        assert said in page
    assert " or the store to say that it was delivered and the money on a bank statement" in page
    checkout = text(auditor.get(f"/admin/payments/paymentevent/{order.checkout_id}/change/", follow=True))
    assert "Waits for the settlement delay" in checkout
    assert "What waits to be released" in text(
        auditor.get(f"/admin/wallet/wallet/{wallet_of(order).id}/change/")
    )


def test_a_debt_is_written_off_by_two_people_from_the_desk(counter: Shop) -> None:
    """BOOKS S4; A-E7: maker and checker differ, and each has the right to it."""
    (order,) = capture(counter, counter.order("100.00"))
    url = owe(order, 2600)
    maker, checker = console(person("mia", "finance_maker")), console(person("ned", "finance_checker"))

    def press(who: Client, action: str, **data: str) -> str:
        answer = who.post(url, {"action": action, **data}, follow=True)
        assert answer.status_code == 200
        return " ".join(str(each) for each in answer.context["messages"])

    assert maker.post(url, {"action": "write_off", "reason": " "}).status_code == 422
    assert "A second person was asked" in press(maker, "write_off", reason="gone")
    approval = Approval.objects.get()
    assert maker.post(url, {"action": "approve", "approval": str(approval.pk)}).status_code == 403
    assert "changed meanwhile" in press(checker, "approve", approval="another")
    assert balances(order.seller_id)["receivable"] == 2600
    assert "Approve and write off" in text(checker.get(url))
    assert "is written off" in press(checker, "approve", approval=str(approval.pk))
    assert balances(order.seller_id)["receivable"] == 0
    assert "The seller owes nothing" in text(checker.get(url))


def test_the_checker_cannot_decide_what_they_asked_for(counter: Shop) -> None:
    """A-E7: who may do both sides does only one of them for one request."""
    (order,) = capture(counter, counter.order("100.00"))
    url = owe(order, 2600)
    checker = console(person("ned", "finance_checker"))
    checker.post(url, {"action": "write_off", "reason": "gone"})
    approval = Approval.objects.get()
    assert checker.post(url, {"action": "approve", "approval": str(approval.pk)}).status_code == 403
    other = console(person("ola", "finance_checker"))
    other.post(url, {"action": "reject", "approval": str(approval.pk), "reason": "they will pay"})
    approval.refresh_from_db()
    assert (approval.status, balances(order.seller_id)["receivable"]) == ("REJECTED", 2600)


@pytest.mark.parametrize(
    ("role", "sees"), [("support", 403), ("risk", 403), ("operator", 403), ("auditor", 200)]
)
def test_who_may_look_may_not_act(counter: Shop, role: str, sees: int) -> None:
    (order,) = capture(counter, counter.order("100.00"))
    url = owe(order, 100)
    client = console(person("pat", role))
    assert (client.get(url).status_code, client.get(DESK).status_code) == (sees, sees)
    assert client.post(url, {"action": "write_off", "reason": "x"}).status_code == 403


def test_what_is_no_seller_is_not_found(counter: Shop) -> None:
    client = console(person("ada", "auditor"))
    assert "Nobody owes anything" in text(client.get(DESK))
    for reference in ("wal_nobody", public_id("wal", counter.store.merchant_id), "x"):
        assert client.get(f"{DESK}{reference}/").status_code == 404
    assert client.post(DESK, {"action": "write_off"}).status_code == 404
