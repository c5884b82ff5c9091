"""The merchant behind the sandbox's store, and what must be true of an order in the end."""

from dataclasses import dataclass
from typing import Any

from django.db import transaction

from merchants.services import create_seller
from payments.models import Charge, PaymentEvent, PaymentOrder
from tests.faults.shop import Shop, assert_audits_are_clean, open_shop
from tests.stack import Stack
from tests.waiting import eventually

__all__ = ["Place", "open_place"]

SELLERS = (("ann-books", "Ann's Books"), ("bob-bikes", "Bob's Bikes"))


@dataclass
class Place:
    """A shop of the fault tests, with the store's sellers."""

    shop: Shop

    @property
    def stack(self) -> Stack:
        return self.shop.stack

    @property
    def store_url(self) -> str:
        return f"{self.stack.sandbox_url}/store/"

    def checkout(self, number: str) -> dict[str, Any]:
        """What the API says."""
        answer = self.stack.api("GET", f"/v1/checkouts/{number}", key=self.shop.secret)
        assert answer.status == 200, (answer.status, answer.body)
        body: dict[str, Any] = answer.json
        return body

    def numbers(self) -> list[str]:
        """Every checkout of the merchant, oldest first."""
        rows = PaymentEvent.objects.filter(merchant_id=self.shop.merchant_id).order_by("id")
        return [row.checkout_id for row in rows]

    def captures(self, number: str) -> list[int]:
        """What the provider's journal says it took for a checkout and did not give back."""
        rows = self.stack.control("GET", f"journal?metadata.checkout_id={number}")["data"]
        return [row["amount"] for row in rows if row["kind"] in ("charge.captured", "refund.succeeded")]

    def settled(self, number: str, status: str, *, within: float = 60.0) -> dict[str, Any]:
        """Wait until the API says so and nothing is left to do, then ask the books."""
        eventually(
            lambda: self.checkout(number)["status"] == status, within=within, what=f"{number} {status}"
        )
        eventually(
            lambda: not self._open_work(number), within=within, what=f"nothing left to do for {number}"
        )
        assert_audits_are_clean()
        checkout = self.checkout(number)
        assert checkout["is_final"] is True and checkout["next_action"] is None
        return checkout

    def assert_paid_once(self, number: str, cents: int) -> None:
        """One capture at the provider, one captured charge, every order SUCCESS and in the books."""
        checkout = self.settled(number, "succeeded")
        assert checkout["is_payment_done"] is True
        assert self.captures(number) == [cents]
        charges = Charge.objects.filter(checkout__checkout_id=number, status="CAPTURED")
        assert [charge.captured_minor for charge in charges] == [cents]
        orders = PaymentOrder.objects.filter(checkout__checkout_id=number)
        assert {(order.status, order.wallet_updated, order.ledger_updated) for order in orders} == {
            ("SUCCESS", True, True)
        }

    def assert_nothing_taken(self, number: str, status: str) -> None:
        """No money moved, and none can any more."""
        self.settled(number, status)
        assert self.captures(number) == []
        charges = Charge.objects.filter(checkout__checkout_id=number)
        assert {charge.status for charge in charges} <= {"DECLINED", "CANCELED", "EXPIRED"}

    def _open_work(self, number: str) -> bool:
        return Charge.objects.filter(checkout__checkout_id=number, operations__due_at__isnull=False).exists()


def open_place(stack: Stack) -> Place:
    """Open a merchant and connect the store to it."""
    shop = open_shop(stack)
    with transaction.atomic():
        for account, name in SELLERS:
            create_seller(
                merchant_id=shop.merchant_id,
                seller_account=account,
                name=name,
                country="US",
                commission_bps=1000,
                tax_bps=2000,
                by="user:test",
            )
    stack.control("POST", "store/settings", {"api_url": stack.web_url, "api_key": shop.secret})
    return Place(shop)
