"""How the desks read destinations and blocks, whosever they are."""

from uuid import UUID

from django.db.models import QuerySet

from payouts.destinations.facts import block_data, destination_data
from payouts.destinations.types import BlockData, DestinationData
from payouts.models import Destination, Payout, PayoutBlock

__all__ = ["blocks_at_desk", "destinations_at_desk", "find_block", "find_destination", "payouts_to"]


def destinations_at_desk(*, limit: int = 100) -> list[DestinationData]:
    """Return accounts that nobody has verified yet, the oldest first."""
    rows = _destinations().filter(status="UNVERIFIED").order_by("pk")[:limit]
    return [destination_data(row, row.seller.seller_account) for row in rows]


def find_destination(*, destination_id: UUID) -> DestinationData | None:
    """Return one destination, or None."""
    row = _destinations().filter(pk=destination_id).first()
    return destination_data(row, row.seller.seller_account) if row else None


def payouts_to(*, destination_id: UUID) -> dict[str, int]:
    """Return how many payouts were sent to a destination, and how many wait for it."""
    rows = Payout.objects.filter(destination_id=destination_id)
    waiting = ("REQUESTED", "IN_REVIEW", "APPROVED", "BLOCKED")
    return {
        "sent": rows.filter(sent_at__isnull=False).count(),
        "waiting": rows.filter(status__in=waiting).count(),
    }


def blocks_at_desk(*, limit: int = 100) -> list[BlockData]:
    """Return what stops money now, the oldest first."""
    return [block_data(row) for row in PayoutBlock.objects.filter(lifted_at=None).order_by("pk")[:limit]]


def find_block(*, block_id: UUID) -> BlockData | None:
    """Return one block, or None."""
    row = PayoutBlock.objects.filter(pk=block_id).first()
    return block_data(row) if row else None


def _destinations() -> QuerySet[Destination]:
    return Destination.objects.select_related("seller")
