"""How others read top-ups."""

from typing import Any
from uuid import UUID

from channels.selectors import get_channel
from core.api.pagination import Page
from core.errors import NotFound
from core.ids import parse_public_id
from payments.models import Charge, TopUp
from payments.snapshots import top_up_object
from wallet.selectors import get_wallet

__all__ = ["get_top_up", "list_top_ups", "top_up_as_started"]


def get_top_up(*, merchant_id: UUID, reference: str) -> dict[str, Any]:
    """Return one top_up object. Raises NotFound, also for another merchant's."""
    key = parse_public_id(reference, "top")
    row = TopUp.objects.filter(merchant_id=merchant_id, pk=key).first() if key else None
    if row is None:
        raise NotFound()
    return _shown(row, Charge.objects.filter(top_up=row).first())


def list_top_ups(
    *, merchant_id: UUID, wallet: str, limit: int, after: UUID | None = None
) -> Page[dict[str, Any]]:
    """Return one page of top_up objects of a wallet, newest first. Raises NotFound for an unknown wallet."""
    key = parse_public_id(wallet, "wal")
    if key is None:
        raise NotFound()
    get_wallet(merchant_id=merchant_id, wallet_id=key)
    rows = TopUp.objects.filter(merchant_id=merchant_id, wallet_id=key)
    if after is not None:
        rows = rows.filter(pk__lt=after)
    found = list(rows.order_by("-pk")[: limit + 1])
    charges = {each.top_up_id: each for each in Charge.objects.filter(top_up__in=found[:limit])}
    return Page(
        items=[_shown(row, charges.get(row.id)) for row in found[:limit]],
        last=found[limit - 1].pk if len(found) > limit else None,
    )


def top_up_as_started(*, top_up: TopUp) -> dict[str, Any]:
    """Return the top_up object of a top-up that was just stored, without another query."""
    return top_up_object(top_up, None, None)


def _shown(row: TopUp, charge: Charge | None) -> dict[str, Any]:
    name = get_channel(channel_id=charge.channel_id).name if charge else None
    return top_up_object(row, charge, name)
