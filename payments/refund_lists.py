"""A merchant's refunds, one and as a list: newest first, by filters that each have an index to walk along."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from core.api.pagination import Page
from core.errors import NotFound
from core.ids import parse_public_id
from merchants.selectors import find_seller
from payments.models import Refund, RefundPart
from payments.references import order_keys
from payments.snapshots import refund_object
from payments.types import RefundFilters

__all__ = ["get_refund", "list_refunds"]


def get_refund(*, merchant_id: UUID, reference: str) -> dict[str, Any]:
    """Return one refund object by its re_… id. Raises NotFound, also for another merchant's."""
    key = parse_public_id(reference, "re") if len(reference) <= 64 else None
    if key is None:
        raise NotFound()
    found = Refund.objects.filter(merchant_id=merchant_id, pk=key).select_related("order").first()
    if found is None:
        raise NotFound()
    return refund_object(found, found.order, _parts([found])[found.pk])


def list_refunds(
    *, merchant_id: UUID, limit: int, filters: RefundFilters, after: UUID | None = None
) -> Page[dict[str, Any]]:
    """Return one page of refund objects, from behind the refund `after`.

    A seller or order that the merchant does not have gives an empty page, whoever's it is.
    """
    try:
        rows = _behind(_wanted(merchant_id, filters), after)
    except NotFound:
        return Page(items=[], last=None)
    found = list(rows.select_related("order").order_by("-created_at", "-pk")[: limit + 1])
    page = found[:limit]
    parts = _parts(page)
    shown = [refund_object(refund, refund.order, parts[refund.pk]) for refund in page]
    return Page(items=shown, last=page[-1].pk if len(found) > limit else None)


def _parts(refunds: Sequence[Refund]) -> dict[UUID, list[RefundPart]]:
    """What each refund gives back to the wallets that paid, in order of payment."""
    found: dict[UUID, list[RefundPart]] = {refund.pk: [] for refund in refunds}
    to_balance = [refund.pk for refund in refunds if refund.destination == "balance"]
    if to_balance:
        rows = RefundPart.objects.filter(refund_id__in=to_balance).select_related("balance_part")
        for part in rows.order_by("balance_part__position", "id"):
            found[part.refund_id].append(part)
    return found


def _wanted(merchant_id: UUID, filters: RefundFilters) -> QuerySet[Refund]:
    wanted: dict[str, Any] = {
        "status": filters.status,
        "created_at__gte": filters.created_gte,
        "created_at__lt": filters.created_lt,
    }
    if filters.seller_account is not None:
        seller = find_seller(merchant_id=merchant_id, reference=filters.seller_account)
        wanted["order__seller_id"] = seller.id
    if filters.order is not None:
        wanted["order_id"], _ = order_keys(merchant_id=merchant_id, reference=filters.order)
    return Refund.objects.filter(
        merchant_id=merchant_id, **{name: value for name, value in wanted.items() if value is not None}
    )


def _behind(rows: QuerySet[Refund], after: UUID | None) -> QuerySet[Refund]:
    if after is None:
        return rows
    last = Refund.objects.filter(pk=after).values_list("created_at", flat=True).first()
    if last is None:
        raise NotFound()
    # The first condition is where the walk along the index begins, the second one settles what is as old.
    return rows.filter(Q(created_at__lte=last), Q(created_at__lt=last) | Q(pk__lt=after))
