"""A merchant's disputes, one and as a list, and what the desk shows of them."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from core.api.pagination import Page
from core.errors import NotFound
from payments.models import Dispute, DisputeLine, PaymentOrder
from payments.references import dispute_key, order_keys
from payments.snapshots import dispute_object
from payments.types import DisputeFilters

__all__ = ["get_dispute", "list_disputes"]


def get_dispute(*, merchant_id: UUID, reference: str) -> dict[str, Any]:
    """Return one dispute object by its dp_… id. Raises NotFound, also for another merchant's."""
    dispute = Dispute.objects.get(pk=dispute_key(merchant_id=merchant_id, reference=reference))
    return _shown([dispute])[0]


def list_disputes(
    *, merchant_id: UUID, limit: int, filters: DisputeFilters, after: UUID | None = None
) -> Page[dict[str, Any]]:
    """Return one page of dispute objects, newest first, from behind the dispute `after`.

    An order that the merchant does not have gives an empty page, whoever's it is.
    """
    try:
        rows = _wanted(merchant_id, filters)
    except NotFound:
        return Page(items=[], last=None)
    if after is not None:
        rows = rows.filter(pk__lt=after)
    found = list(rows.order_by("-pk")[: limit + 1])
    page = found[:limit]
    return Page(items=_shown(page), last=page[-1].pk if len(found) > limit else None)


def _wanted(merchant_id: UUID, filters: DisputeFilters) -> QuerySet[Dispute]:
    wanted: dict[str, Any] = {
        "status": filters.status,
        "created_at__gte": filters.created_gte,
        "created_at__lt": filters.created_lt,
    }
    rows = Dispute.objects.filter(
        merchant_id=merchant_id, **{name: value for name, value in wanted.items() if value is not None}
    )
    if filters.order is not None:
        order_id, _ = order_keys(merchant_id=merchant_id, reference=filters.order)
        rows = rows.filter(pk__in=DisputeLine.objects.filter(order_id=order_id).values("dispute_id"))
    return rows


def _shown(disputes: list[Dispute]) -> list[dict[str, Any]]:
    lines: dict[UUID, list[DisputeLine]] = {}
    for line in DisputeLine.objects.filter(dispute__in=disputes).order_by("order_id"):
        lines.setdefault(line.dispute_id, []).append(line)
    keys = {line.order_id for each in lines.values() for line in each}
    orders = PaymentOrder.objects.only("payment_order_id").in_bulk(keys)
    return [dispute_object(each, lines.get(each.id, []), orders) for each in disputes]
