"""A merchant's payouts, one and as a list: newest first, by filters that each have an index to walk along."""

from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from core.api.pagination import Page
from core.errors import NotFound
from core.ids import parse_public_id
from core.models import StatusChange
from merchants.selectors import find_seller
from payouts.models import Payout
from payouts.snapshots import moment, payout_object
from payouts.types import PayoutFilters

__all__ = ["get_payout", "list_payouts"]


def get_payout(*, merchant_id: UUID, reference: str) -> dict[str, Any]:
    """Return one payout object by its po_… id, with its timeline. Raises NotFound, also for another's."""
    key = parse_public_id(reference, "po") if len(reference) <= 64 else None
    if key is None:
        raise NotFound()
    found = Payout.objects.filter(merchant_id=merchant_id, pk=key).select_related("seller").first()
    if found is None:
        raise NotFound()
    return {**payout_object(found), "timeline": _timeline(found)}


def list_payouts(
    *, merchant_id: UUID, limit: int, filters: PayoutFilters, after: UUID | None = None
) -> Page[dict[str, Any]]:
    """Return one page of payout objects, from behind the payout `after`.

    A seller that the merchant does not have gives an empty page, whoever's it is.
    """
    try:
        rows = _behind(_wanted(merchant_id, filters), after)
    except NotFound:
        return Page(items=[], last=None)
    found = list(rows.select_related("seller").order_by("-created_at", "-pk")[: limit + 1])
    page = found[:limit]
    shown = [payout_object(payout) for payout in page]
    return Page(items=shown, last=page[-1].pk if len(found) > limit else None)


def _timeline(payout: Payout) -> list[dict[str, Any]]:
    changes = StatusChange.objects.filter(subject_id=payout.pk, subject_type="payouts.payout").order_by("pk")
    return [
        {
            "at": moment(change.occurred_at),
            "what": "payout",
            "from": change.from_state or None,
            "to": change.to_state,
            "reason": change.reason,
            "actor": change.actor,
        }
        for change in changes
    ]


def _wanted(merchant_id: UUID, filters: PayoutFilters) -> QuerySet[Payout]:
    wanted: dict[str, Any] = {
        "status": filters.status,
        "created_at__gte": filters.created_gte,
        "created_at__lt": filters.created_lt,
    }
    if filters.seller_account is not None:
        wanted["seller_id"] = find_seller(merchant_id=merchant_id, reference=filters.seller_account).id
    return Payout.objects.filter(
        merchant_id=merchant_id, **{name: value for name, value in wanted.items() if value is not None}
    )


def _behind(rows: QuerySet[Payout], after: UUID | None) -> QuerySet[Payout]:
    if after is None:
        return rows
    last = Payout.objects.filter(pk=after).values_list("created_at", flat=True).first()
    if last is None:
        raise NotFound()
    # The first condition is where the walk along the index begins, the second one settles what is as old.
    return rows.filter(Q(created_at__lte=last), Q(created_at__lt=last) | Q(pk__lt=after))
