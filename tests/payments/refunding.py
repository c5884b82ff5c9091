"""What tests of refunds ask for and look at."""

import uuid
from typing import Any

from django.http import HttpResponse

from ledger.selectors import trial_balance
from payments.models import Charge, Refund
from tests.payments.conftest import Shop
from tests.payments.deliveries import deliver, process
from wallet.selectors import wallets_of

__all__ = [
    "ask",
    "balances",
    "intent_of",
    "moved",
    "paid",
    "refunded_there",
    "refunds_of",
    "seller_wallet",
    "state",
    "tell",
    "told_refunds",
]


def paid(shop: Shop, amount: str = "100.00", seller: str = "ann", **other: Any) -> dict[str, Any]:
    """A paid order of a checkout of its own: its object."""
    checkout = shop.pay(shop.body(shop.order(amount, seller), **other))
    assert checkout["status"] == "succeeded", checkout
    order: dict[str, Any] = checkout["payment_orders"][0]
    return order


def ask(shop: Shop, order: dict[str, Any], amount: str | None = None, **other: Any) -> HttpResponse:
    """POST a refund."""
    body = {"payment_order_id": order["payment_order_id"]} | other
    if amount is not None:
        body["amount"] = amount
    return shop.store.post("/v1/refunds", body, key=uuid.uuid4().hex)


def refunds_of(shop: Shop, order: dict[str, Any]) -> list[dict[str, Any]]:
    """The refunds of an order, newest first."""
    found: list[dict[str, Any]] = shop.store.get(
        "/v1/refunds", payment_order_id=order["payment_order_id"]
    ).json()["data"]
    return found


def state(shop: Shop, order: dict[str, Any]) -> tuple[str, str]:
    """What of an order is refunded, and what is on its way."""
    seen = shop.store.get(f"/v1/payments/{order['payment_order_id']}").json()
    return seen["refunded"], seen["refund_pending"]


def balances(shop: Shop) -> dict[str, int]:
    """What stands on the accounts of each role."""
    found: dict[str, int] = {}
    for row in trial_balance(merchant_id=shop.store.merchant_id):
        found[row.role] = found.get(row.role, 0) + row.balance_minor
    return {role: minor for role, minor in found.items() if minor}


def moved(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    """What the balances of roles changed by; those that are as they were are left out."""
    changed = {role: after.get(role, 0) - before.get(role, 0) for role in {*before, *after}}
    return {role: minor for role, minor in changed.items() if minor}


def refunded_there(shop: Shop) -> int:
    """What the provider gave back and keeps given, in minor units, by its own journal."""
    totals = shop.provider.get(f"journal/totals?account={shop.account}")
    return sum(row["refunded"] for row in totals)


def told_refunds(shop: Shop, *types: str) -> list[dict[str, Any]]:
    """The provider's events about refunds, oldest first."""
    events = shop.provider.control("GET", f"events?account={shop.account_id}")["data"]
    wanted = types or ("refund.", "charge.refund")
    return [
        {key: value for key, value in event.items() if key != "account"}
        for event in events
        if event["type"].startswith(wanted)
    ]


def tell(shop: Shop, *events: dict[str, Any], times: int = 1) -> None:
    """Deliver events, each under a new id, and let the worker read them."""
    for event in events:
        for _ in range(times):
            assert deliver(shop, event, id=f"evt_{uuid.uuid4().hex}") == 200
    process()


def seller_wallet(shop: Shop) -> Any:
    """The wallet of the seller of the newest refund's order."""
    refund = Refund.objects.select_related("order").latest("created_at")
    (found,) = wallets_of(
        merchant_id=shop.store.merchant_id, owner_type="seller", owner_id=refund.order.seller_id
    )
    return found


def intent_of(order: dict[str, Any]) -> str:
    """The provider's name of what paid an order."""
    charge = Charge.objects.get(lines__order__payment_order_id=order["payment_order_id"], lines__live=True)
    assert charge.psp_reference
    return charge.psp_reference
