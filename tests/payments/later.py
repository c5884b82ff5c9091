"""A store that captures later."""

import uuid
from typing import Any

from core.models import OutboxEvent
from payments.models import PspOperation
from tests.payments.conftest import Shop

__all__ = [
    "CANCEL",
    "CAPTURE",
    "CONFIRM",
    "QUERY",
    "authorized",
    "capture",
    "manual",
    "now",
    "operations",
    "told",
    "void",
]

CAPTURE, CANCEL, CONFIRM, QUERY = (
    f"payment_intents.{name}" for name in ("capture", "cancel", "confirm", "retrieve")
)


def manual(shop: Shop, *orders: dict[str, Any], **other: Any) -> dict[str, Any]:
    """A checkout of 100.00 USD, or of these orders, that is captured later."""
    return shop.body(*(orders or (shop.order(),)), capture="manual", **other)


def authorized(shop: Shop, *orders: dict[str, Any], **other: Any) -> dict[str, Any]:
    """An order whose money is reserved."""
    seen = shop.pay(manual(shop, *orders, **other))
    assert (seen["status"], seen["is_final"], seen["is_payment_done"]) == ("authorized", True, False)
    order: dict[str, Any] = seen["payment_orders"][0]
    return order


def capture(shop: Shop, order: dict[str, Any], amount: str | None = None, **other: Any) -> Any:
    """Ask for the capture of an amount, or of everything."""
    body = other if amount is None else {"amount": amount, **other}
    return shop.store.post(f"/v1/payments/{order['id']}/captures", body or None, key=uuid.uuid4().hex)


def void(shop: Shop, order: dict[str, Any]) -> Any:
    """Take the order back."""
    return shop.store.post(f"/v1/payments/{order['id']}/cancellations", None, key=uuid.uuid4().hex)


def now(shop: Shop, order: dict[str, Any]) -> dict[str, Any]:
    """The order as it is now."""
    answer = shop.store.get(f"/v1/payments/{order['id']}")
    assert answer.status_code == 200, answer.content
    seen: dict[str, Any] = answer.json()
    return seen


def told(order: dict[str, Any]) -> list[str]:
    """What the store was told of the order, oldest first."""
    rows = OutboxEvent.objects.filter(subject=order["id"]).order_by("sequence")
    return [each.removeprefix("payment.") for each in rows.values_list("type", flat=True)]


def operations(kind: str) -> list[str]:
    """The states of all operations of a kind, oldest first."""
    return list(PspOperation.objects.filter(kind=kind).order_by("id").values_list("status", flat=True))
