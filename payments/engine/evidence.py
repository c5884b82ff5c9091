"""What a reviewer sees of a payment, and how other payments ended."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from core.errors import NotFound
from payments.models import PaymentEvent, PaymentOrder
from payments.snapshots import checkout_status

__all__ = ["HeldOrder", "HeldPayment", "held_payment", "payment_briefs"]


@dataclass(frozen=True)
class HeldOrder:
    """One seller's part."""

    payment_order_id: str
    seller_account: str
    amount_minor: int
    currency: str
    status: str


@dataclass(frozen=True)
class HeldPayment:
    """A checkout with what the store told of the buyer; `totals` in minor units by currency."""

    checkout_id: str
    payment_method: str
    created_at: datetime
    expires_at: datetime
    orders: tuple[HeldOrder, ...]
    totals: Mapping[str, int]
    buyer: Mapping[str, Any] = field(repr=False)


def held_payment(*, merchant_id: UUID, checkout_id: UUID) -> HeldPayment:
    """Return one checkout for its reviewer. Raises NotFound."""
    checkout = PaymentEvent.objects.filter(merchant_id=merchant_id, pk=checkout_id).first()
    if checkout is None:
        raise NotFound()
    orders = tuple(
        HeldOrder(
            order.payment_order_id,
            order.seller_account,
            order.amount_minor,
            str(order.amount_currency),
            order.status,
        )
        for order in PaymentOrder.objects.filter(checkout=checkout).order_by("position")
    )
    totals: dict[str, int] = {}
    for order in orders:
        totals[order.currency] = totals.get(order.currency, 0) + order.amount_minor
    return HeldPayment(
        checkout_id=checkout.checkout_id,
        payment_method=checkout.payment_method,
        created_at=checkout.created_at,
        expires_at=checkout.expires_at,
        orders=orders,
        totals=totals,
        buyer=checkout.buyer_info or {},
    )


def payment_briefs(*, merchant_id: UUID, checkout_ids: Collection[UUID]) -> Mapping[UUID, str]:
    """Return the status of each of these checkouts, in one query; unknown ones are absent."""
    rows = PaymentOrder.objects.filter(merchant_id=merchant_id, checkout_id__in=set(checkout_ids))
    found: dict[UUID, list[str]] = {}
    for checkout_id, status in rows.values_list("checkout_id", "status"):
        found.setdefault(checkout_id, []).append(status)
    return {checkout_id: checkout_status(statuses) for checkout_id, statuses in found.items()}
