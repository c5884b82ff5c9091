"""Where a seller wants the money, and what stops it from leaving."""

from datetime import datetime
from uuid import UUID

from django.db.models import Q

from core import clock
from core.ids import parse_public_id
from payouts.errors import (
    DestinationCoolingDown,
    DestinationCurrencyMismatch,
    DestinationUnknown,
    DestinationUnverified,
)
from payouts.models import Destination, PayoutBlock

__all__ = ["is_usable", "standing_block", "usable_destination"]


def usable_destination(
    *, merchant_id: UUID, seller_id: UUID, currency: str, reference: str | None
) -> Destination:
    """Return the seller's destination that is named, or the default one of the currency.

    Raises DestinationUnknown, DestinationCurrencyMismatch, DestinationUnverified, DestinationCoolingDown.
    """
    mine = Destination.objects.filter(merchant_id=merchant_id, seller_id=seller_id).exclude(status="REMOVED")
    if reference is None:
        found = mine.filter(currency=currency, is_default=True).first()
    else:
        key = parse_public_id(reference, "dst")
        found = mine.filter(pk=key).first() if key else None
    if found is None:
        raise DestinationUnknown(param="destination")
    if found.currency != currency:
        raise DestinationCurrencyMismatch(param="destination")
    if found.status != "VERIFIED":
        raise DestinationUnverified(param="destination")
    if not is_usable(found, at=clock.now()):
        raise DestinationCoolingDown(param="destination")
    return found


def is_usable(destination: Destination, *, at: datetime) -> bool:
    """Say whether money may be sent there at a moment."""
    return destination.status == "VERIFIED" and destination.usable_from <= at


def standing_block(*, merchant_id: UUID, seller_id: UUID, currency: str) -> PayoutBlock | None:
    """Return what stops payouts to the seller in the currency, if anything does."""
    return (
        PayoutBlock.objects.filter(
            Q(seller=None) | Q(seller_id=seller_id),
            Q(currency="") | Q(currency=currency),
            merchant_id=merchant_id,
            lifted_at=None,
        )
        .order_by("pk")
        .first()
    )
