"""Blocks: one person, or whatever found something wrong, stops money; another person lets it go again."""

from collections.abc import Collection, Mapping
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from core import clock
from core.approvals import FourEyesRequired
from core.audit_trail import is_person, record_audit, required_reason
from core.errors import InvalidState
from core.money import check_currency
from core.transactions import UNIQUE_VIOLATION, requires_transaction, sqlstate
from merchants.selectors import get_seller
from payouts.destinations.facts import block_data
from payouts.destinations.types import BlockData
from payouts.locks import lock_block, lock_blocks
from payouts.models import PayoutBlock

__all__ = ["lift_block", "list_blocks", "place_block", "standing_block", "standing_blocks"]


@requires_transaction
def place_block(
    *,
    merchant_id: UUID,
    seller_id: UUID | None,
    source: str,
    reason: str,
    by: str,
    currency: str = "",
    source_ref: str = "",
) -> BlockData:
    """Stop payouts of a seller, or of all sellers of the merchant, in one currency or in all of them ("").

    What is not sent when this commits waits until it is lifted. `source` and `source_ref` name what found the
    reason ("reconciliation", "dsc_…"): the same one again returns the block that stands. Raises NotFound,
    ReasonRequired, InvalidCurrency.
    """
    if seller_id is not None:
        get_seller(merchant_id=merchant_id, seller_id=seller_id)
    reason = required_reason(reason)
    lock_blocks(merchant_id=merchant_id)
    row = PayoutBlock(
        merchant_id=merchant_id,
        seller_id=seller_id,
        currency=check_currency(currency) if currency else "",
        source=source,
        source_ref=source_ref,
        reason=reason,
        placed_by=by,
        placed_at=clock.now(),
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        if sqlstate(error) != UNIQUE_VIOLATION:
            raise
        standing = PayoutBlock.objects.filter(merchant_id=merchant_id, source=source, lifted_at=None)
        return block_data(standing.get(source_ref=source_ref))
    _record(row, "payout_block.place", by, row.reason)
    return block_data(row)


@requires_transaction
def lift_block(*, block_id: UUID, by: str, reason: str) -> BlockData:
    """Let money go again, as another person than who stopped it.

    Raises NotFound, ReasonRequired, FourEyesRequired, InvalidState (lifted already).
    """
    reason = required_reason(reason)
    row = lock_block(block_id=block_id)
    if row.lifted_at is not None:
        raise InvalidState("This block was lifted already.")
    if not is_person(by) or by == row.placed_by:
        raise FourEyesRequired
    row.lifted_by, row.lifted_at, row.lifted_because = by, clock.now(), reason
    row.save(update_fields=["lifted_by", "lifted_at", "lifted_because"])
    _record(row, "payout_block.lift", by, reason)
    return block_data(row)


def standing_block(*, merchant_id: UUID, seller_id: UUID, currency: str) -> BlockData | None:
    """Return the oldest block that stops a seller's money of a currency now; None when nothing does."""
    rows = _standing(merchant_id).filter(Q(seller_id=None) | Q(seller_id=seller_id))
    row = rows.filter(currency__in=["", currency]).order_by("pk").first()
    return block_data(row) if row else None


def standing_blocks(
    *, merchant_id: UUID, seller_ids: Collection[UUID], currency: str
) -> Mapping[UUID, BlockData]:
    """Return the same for each of many sellers, in one query: by seller, those whom something stops."""
    rows = _standing(merchant_id).filter(Q(seller_id=None) | Q(seller_id__in=seller_ids))
    found: dict[UUID, BlockData] = {}
    for row in rows.filter(currency__in=["", currency]).order_by("pk"):
        data = block_data(row)
        for seller_id in seller_ids if row.seller_id is None else (row.seller_id,):
            found.setdefault(seller_id, data)
    return found


def list_blocks(*, merchant_id: UUID, limit: int = 100) -> list[BlockData]:
    """Return the blocks of a merchant that stand, oldest first."""
    return [block_data(row) for row in _standing(merchant_id).order_by("pk")[:limit]]


def _standing(merchant_id: UUID) -> QuerySet[PayoutBlock]:
    return PayoutBlock.objects.filter(merchant_id=merchant_id, lifted_at=None)


def _record(row: PayoutBlock, action: str, by: str, reason: str) -> None:
    record_audit(
        actor=by,
        action=action,
        subject=f"payout_block:{row.pk}",
        reason=reason,
        detail={"seller": str(row.seller_id or ""), "currency": row.currency, "source": row.source},
        merchant_id=row.merchant_id,
    )
