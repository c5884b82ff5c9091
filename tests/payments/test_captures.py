"""Authorise now, capture later."""

import uuid
from typing import Any

import pytest

from core.models import Case, OutboxEvent
from payments.models import Charge, PspOperation
from tests.payments.conftest import Shop
from tests.store import error

CAPTURE, CANCEL, CONFIRM, QUERY = (
    f"payment_intents.{name}" for name in ("capture", "cancel", "confirm", "retrieve")
)


@pytest.fixture(autouse=True)
def _impatient(settings: Any, hooks: Any) -> None:
    settings.PSP_READ_TIMEOUT = 0.5


def manual(shop: Shop, *orders: dict[str, Any], **other: Any) -> dict[str, Any]:
    return shop.body(*(orders or (shop.order(),)), capture="manual", **other)


def authorized(shop: Shop, *orders: dict[str, Any], **other: Any) -> dict[str, Any]:
    """An authorised order."""
    seen = shop.pay(manual(shop, *orders, **other))
    assert (seen["status"], seen["is_final"], seen["is_payment_done"]) == ("authorized", True, False)
    return seen["payment_orders"][0]


def capture(shop: Shop, order: dict[str, Any], amount: str | None = None, **other: Any) -> Any:
    body = None if amount is None and not other else ({"amount": amount} if amount else {}) | other
    return shop.store.post(f"/v1/payments/{order['id']}/captures", body, key=uuid.uuid4().hex)


def told(order: dict[str, Any]) -> list[str]:
    rows = OutboxEvent.objects.filter(subject=order["id"]).order_by("sequence")
    return [each.removeprefix("payment.") for each in rows.values_list("type", flat=True)]


def now(shop: Shop, order: dict[str, Any]) -> dict[str, Any]:
    answer = shop.store.get(f"/v1/payments/{order['id']}")
    assert answer.status_code == 200
    return answer.json()


def test_all_of_it(shop: Shop) -> None:
    order = authorized(shop)
    assert (order["authorized"], order["captured"], order["capturable"]) == ("100.00", "0.00", "100.00")
    answer = capture(shop, order)
    assert answer.status_code == 201, answer.content
    assert answer.json()["payment_order_status"] == "AUTHORIZED"
    shop.work()
    seen = now(shop, order)
    assert (seen["payment_order_status"], seen["captured"], seen["capturable"]) == ("SUCCESS", "100.00", "0.00")
    assert told(order) == ["created", "executing", "authorized", "succeeded"]
    assert shop.checkout(order["checkout_id"])["is_payment_done"]
    assert [row["amount"] for row in shop.captures()] == [10000]
