"""A merchant's orders as a list: newest first, by filters that each have an index to walk along."""

from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from channels.selectors import get_channel
from core.api.pagination import Page
from core.errors import NotFound
from merchants.selectors import find_seller
from payments.models import ChargeLine, PaymentEvent, PaymentOrder
from payments.references import checkout_key
from payments.snapshots import order_object
from payments.types import OrderFilters

__all__ = ["current_lines", "list_payment_orders"]


def list_payment_orders(
    *, merchant_id: UUID, limit: int, filters: OrderFilters, after: UUID | None = None
) -> Page[dict[str, Any]]:
    """Return one page of payment_order objects without their timelines, from behind the order `after`.

    The orders of one checkout are as old as each other and come in no particular order, the same each time.
    A seller or checkout that the merchant does not have gives an empty page, whoever's it is.
    """
    try:
        rows = _behind(_wanted(merchant_id, filters), after)
    except NotFound:
        return Page(items=[], last=None)
    found = list(rows.order_by("-created_at", "-pk")[: limit + 1])
    page = found[:limit]
    return Page(items=_shown(page), last=page[-1].pk if len(found) > limit else None)


def current_lines(order_ids: list[UUID]) -> dict[UUID, ChargeLine]:
    """Return the newest line of each order, the live one before all."""
    lines = ChargeLine.objects.filter(order_id__in=order_ids).select_related("charge").order_by("live", "id")
    return {line.order_id: line for line in lines}


def _wanted(merchant_id: UUID, filters: OrderFilters) -> QuerySet[PaymentOrder]:
    wanted: dict[str, Any] = {
        "status": filters.status,
        "created_at__gte": filters.created_gte,
        "created_at__lt": filters.created_lt,
    }
    if filters.seller_account is not None:
        wanted["seller_id"] = find_seller(merchant_id=merchant_id, reference=filters.seller_account).id
    if filters.checkout is not None:
        wanted["checkout_id"] = checkout_key(merchant_id=merchant_id, reference=filters.checkout)
    return PaymentOrder.objects.filter(
        merchant_id=merchant_id, **{name: value for name, value in wanted.items() if value is not None}
    )


def _behind(rows: QuerySet[PaymentOrder], after: UUID | None) -> QuerySet[PaymentOrder]:
    if after is None:
        return rows
    last = PaymentOrder.objects.filter(pk=after).values_list("created_at", flat=True).first()
    if last is None:
        raise NotFound()
    # The first condition is where the walk along the index begins, the second one settles what is as old.
    return rows.filter(Q(created_at__lte=last), Q(created_at__lt=last) | Q(pk__lt=after))


def _shown(orders: list[PaymentOrder]) -> list[dict[str, Any]]:
    # Not the whole checkouts: they hold what is encrypted.
    checkouts = PaymentEvent.objects.only("checkout_id").in_bulk({order.checkout_id for order in orders})
    lines = current_lines([order.id for order in orders])
    shown = []
    for order in orders:
        line = lines.get(order.id)
        charge = line.charge if line else None
        name = get_channel(channel_id=charge.channel_id).name if charge else None
        shown.append(order_object(order, checkouts[order.checkout_id], charge, name))
    return shown
