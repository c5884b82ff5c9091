"""From rows to the values that cross, and to the events that tell of them."""

from core.history import Fact
from payouts.destinations.names import masked
from payouts.destinations.types import BlockData, DestinationData
from payouts.models import Destination, PayoutBlock

__all__ = ["block_data", "destination_data", "destination_fact"]


def destination_data(row: Destination, seller_account: str) -> DestinationData:
    """Return the value of a row: what an account is recognised by."""
    name = row.details.get("holder_name")
    return DestinationData(
        id=row.pk,
        merchant_id=row.merchant_id,
        seller_id=row.seller_id,
        seller_account=seller_account,
        kind=row.kind,
        country=row.country,
        currency=row.currency,
        holder_name=masked(name) if name else None,
        last4=row.last4,
        bank=row.bank,
        fingerprint=bytes(row.fingerprint).hex(),
        name_match=row.name_match,
        is_default=row.is_default,
        status=row.status,
        added_by=row.added_by,
        verified_by=row.verified_by,
        usable_from=row.usable_from,
        created_at=row.created_at,
    )


def destination_fact(row: Destination, seller_account: str, what: str) -> Fact:
    """Return the event about a destination, with the object as it is after the change."""
    return Fact(
        type=f"destination.{what}",
        subject=row.public_id,
        data=lambda: {"object": destination_data(row, seller_account).as_object()},
    )


def block_data(row: PayoutBlock) -> BlockData:
    """Return the value of a row."""
    return BlockData(
        id=row.pk,
        merchant_id=row.merchant_id,
        seller_id=row.seller_id,
        currency=row.currency,
        source=row.source,
        source_ref=row.source_ref,
        reason=row.reason,
        placed_by=row.placed_by,
        placed_at=row.placed_at,
        lifted_by=row.lifted_by,
        lifted_at=row.lifted_at,
    )
