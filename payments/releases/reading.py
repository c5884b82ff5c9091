"""What waits to be released and why, and what was released, for people and for the order's timeline."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import F

from core import clock
from core.history import SYSTEM
from core.money import format_minor
from payments.models import OrderRelease, OrderShare, PaymentOrder
from payments.releases.plan import Wait, unreleased_minor, waits_for
from payments.snapshots import moment

__all__ = ["WaitingOrder", "release_steps", "waiting_of_orders", "waiting_of_seller"]


@dataclass(frozen=True)
class WaitingOrder:
    """What of one order's money is not released, and what it waits for; nothing of it while it is due.

    Amounts in minor units of `currency`; `is_stopped` when its release failed and a person must look at it.
    """

    order_id: UUID
    checkout_id: UUID
    payment_order_id: str
    currency: str
    earned_minor: int
    released_minor: int
    reserved_minor: int
    unreleased_minor: int
    waits: tuple[Wait, ...]
    due_at: datetime | None
    is_stopped: bool


def waiting_of_orders(*, order_ids: Collection[UUID]) -> dict[UUID, WaitingOrder]:
    """Return how the release of each captured order stands, by order; others are absent."""
    shares = OrderShare.objects.filter(order_id__in=order_ids).select_related("order")
    return {share.order_id: _waiting(share) for share in shares}


def waiting_of_seller(*, seller_id: UUID, currency: str, limit: int = 25) -> list[WaitingOrder]:
    """Return the seller's orders in a currency that have something pending, newest first: at most `limit`."""
    orders = PaymentOrder.objects.filter(
        seller_id=seller_id,
        amount_currency=currency,
        share__seller_net_minor__gt=F("share__released_minor") + F("share__pending_used_minor"),
    )
    found = orders.select_related("share").order_by("-created_at", "-id")[:limit]
    return [_waiting(order.share) for order in found]


def release_steps(order: PaymentOrder) -> list[tuple[datetime, dict[str, Any]]]:
    """Return the steps of an order's timeline about fulfilment and releases, with when we learned of each."""
    currency = order.amount_currency
    steps = []
    share = OrderShare.objects.filter(order=order).first()
    if share is not None and share.fulfilled_at and share.fulfillment_recorded_at:
        said = {"at": moment(share.fulfilled_at), "what": "fulfillment", "from": None, "to": "FULFILLED"}
        step = said | {"reason": "the store says so", "actor": share.fulfilled_by}
        steps.append((share.fulfillment_recorded_at, step))
    for release in OrderRelease.objects.filter(order=order).order_by("id"):
        reason = f"{format_minor(release.amount_minor, currency)} {currency} to the seller"
        if release.reserve_minor and release.reserve_until:
            kept = format_minor(release.reserve_minor, currency)
            reason += f", {kept} of it in reserve until {release.reserve_until:%Y-%m-%d}"
        said = {"at": moment(release.released_at), "what": "release", "from": None, "to": "RELEASED"}
        steps.append((release.released_at, said | {"reason": reason, "actor": SYSTEM}))
    return sorted(steps, key=lambda each: each[0])


def _waiting(share: OrderShare) -> WaitingOrder:
    order, rest = share.order, unreleased_minor(share)
    waits = tuple(waits_for(share, clock.now())) if rest else ()
    return WaitingOrder(
        order_id=order.id,
        checkout_id=order.checkout_id,
        payment_order_id=order.payment_order_id,
        currency=str(order.amount_currency),
        earned_minor=share.seller_net_minor,
        released_minor=share.released_minor,
        reserved_minor=share.reserved_minor,
        unreleased_minor=rest,
        waits=waits,
        due_at=share.due_at,
        is_stopped=bool(rest) and not waits and share.due_at is None,
    )
