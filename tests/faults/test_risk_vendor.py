"""The slow check on the running system: the sandbox's vendor decides, and payments wait for it."""

import uuid

import pytest
from django.db import transaction

from core.models import Case
from payments.models import Charge
from payments.services import approve_review
from risk.services import set_vendor
from tests.faults.shop import Payment, Shop, assert_audits_are_clean
from tests.risk.rules import BY, policy
from tests.waiting import eventually

pytestmark = pytest.mark.processes


def asked_about(shop: Shop, wish: str) -> Payment:
    """Send a payment of a buyer whose address says what the vendor shall think of them."""
    with transaction.atomic():
        set_vendor(
            merchant_id=shop.merchant_id,
            provider="sandbox",
            base_url=shop.stack.sandbox_url,
            secret_key=f"vk_test_{uuid.uuid4().hex}",
            by=BY,
        )
    policy(shop.merchant_id, external_check=True, external_deadline_seconds=60)
    payment = shop.payment()
    payment.body["buyer_info"] = {"email": f"ann+{wish}@example.com"}
    # The web processes notice a new policy within their bound.
    answer = shop.post_until_accepted(payment)
    assert answer.json["status"] == "in_review", answer.body
    assert answer.json["risk"]["decision"] == "review"
    return payment


def status(shop: Shop, payment: Payment) -> str:
    shown = shop.stack.api("GET", f"/v1/checkouts/{payment.checkout_id}", key=shop.secret)
    return str(shown.json["status"])


def test_the_vendor_lets_it_through(shop: Shop) -> None:
    payment = asked_about(shop, "approved")
    assert not Charge.objects.filter(merchant_id=shop.merchant_id).exists(), "no charge while it is checked"
    eventually(lambda: status(shop, payment) == "succeeded", within=40, what="approved, then paid")
    shop.settle(payment)
    assert [row["amount"] for row in shop.captures(payment)] == [10000]
    assert_audits_are_clean()


def test_the_vendor_refuses(shop: Shop) -> None:
    payment = asked_about(shop, "declined")
    eventually(lambda: status(shop, payment) == "failed", within=40, what="declined")
    shop.settle(payment)
    failures = [order.failure for order in shop.orders(payment)]
    assert [failure and failure["code"] for failure in failures] == ["risk_declined"] * 2
    assert shop.captures(payment) == []
    assert_audits_are_clean()


def test_the_vendor_wants_a_person(shop: Shop) -> None:
    payment = asked_about(shop, "review")
    mine = Case.objects.filter(merchant_id=shop.merchant_id, kind="risk_review")
    eventually(mine.exists, within=40, what="a case for a reviewer")
    order = shop.orders(payment)[0]
    assert (order.status, status(shop, payment)) == ("IN_REVIEW", "in_review")
    with transaction.atomic():
        approve_review(checkout_id=order.checkout_id, by="user:reviewer", reason="known buyer")
    shop.settle(payment)
    assert [row["amount"] for row in shop.captures(payment)] == [10000]
    assert [case.status for case in mine] == ["CLOSED"]
    assert_audits_are_clean()
