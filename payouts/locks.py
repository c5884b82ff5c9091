"""Row locks of pay-out, in one order: batch, payout, attempt, approval; holds and wallets come last.

A destination is locked by who changes it and nothing else; a payout that is about to be sent looks at it
under a shared lock (payouts/sql/destinations.sql), behind all locks of its own.
"""

from collections.abc import Collection
from uuid import UUID

from django.db import connection

from core.errors import NotFound
from core.transactions import requires_transaction
from payouts.models import Destination, Payout, PayoutAttempt, PayoutBatch, PayoutBlock, PayoutSchedule

__all__ = [
    "lock_attempts",
    "lock_batch",
    "lock_block",
    "lock_blocks",
    "lock_destination",
    "lock_destinations",
    "lock_payout",
    "lock_payouts",
    "lock_schedule",
]

_ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtextextended('destinations:' || %s, 0))"


# The same as in payouts/sql/destinations.sql.
_NOTHING_LEAVES = "SELECT pg_advisory_xact_lock(hashtextextended('payout_blocks:' || %s, 0))"


@requires_transaction
def lock_batch(*, batch_id: UUID) -> PayoutBatch:
    """Lock one batch. Raises NotFound."""
    row = PayoutBatch.objects.select_for_update(no_key=True).filter(pk=batch_id).first()
    if row is None:
        raise NotFound()
    return row


@requires_transaction
def lock_payouts(*, payout_ids: Collection[UUID]) -> list[Payout]:
    """Lock payouts, by id."""
    rows = Payout.objects.select_for_update(no_key=True, of=("self",)).filter(pk__in=list(payout_ids))
    return list(rows.select_related("destination", "seller").order_by("pk"))


@requires_transaction
def lock_payout(*, payout_id: UUID, merchant_id: UUID | None = None) -> Payout:
    """Lock one payout. Raises NotFound, also for another merchant's."""
    rows = lock_payouts(payout_ids=[payout_id])
    if not rows or merchant_id not in (None, rows[0].merchant_id):
        raise NotFound()
    return rows[0]


@requires_transaction
def lock_attempts(*, batch_id: UUID, only: UUID | None = None) -> list[PayoutAttempt]:
    """Lock the attempts of a locked batch, or one of them, after their payouts, in their order in it."""
    rows = PayoutAttempt.objects.select_for_update(no_key=True, of=("self",)).filter(batch_id=batch_id)
    rows = rows if only is None else rows.filter(pk=only)
    return list(rows.order_by("position"))


@requires_transaction
def lock_destination(*, merchant_id: UUID, destination_id: UUID) -> Destination:
    """Lock one destination. Raises NotFound, also for another merchant's."""
    rows = Destination.objects.select_for_update(no_key=True, of=("self",))
    row = rows.filter(merchant_id=merchant_id, pk=destination_id).first()
    if row is None:
        raise NotFound()
    return row


@requires_transaction
def lock_destinations(*, merchant_id: UUID, seller_id: UUID) -> list[Destination]:
    """Lock a seller's destinations, also against another one, and return those that are not gone."""
    with connection.cursor() as cursor:
        cursor.execute(_ONE_AT_A_TIME, [str(seller_id)])
    rows = Destination.objects.select_for_update(no_key=True, of=("self",)).filter(
        merchant_id=merchant_id, seller_id=seller_id, status__in=("UNVERIFIED", "VERIFIED")
    )
    return list(rows.order_by("pk"))


@requires_transaction
def lock_blocks(*, merchant_id: UUID) -> None:
    """Wait for what is about to be sent for the merchant, and let nothing of it begin before the commit."""
    with connection.cursor() as cursor:
        cursor.execute(_NOTHING_LEAVES, [str(merchant_id)])


@requires_transaction
def lock_block(*, block_id: UUID) -> PayoutBlock:
    """Lock one block. Raises NotFound."""
    row = PayoutBlock.objects.select_for_update(no_key=True, of=("self",)).filter(pk=block_id).first()
    if row is None:
        raise NotFound()
    return row


@requires_transaction
def lock_schedule(*, merchant_id: UUID) -> PayoutSchedule | None:
    """Lock a merchant's working days; None if nobody said which they are."""
    rows = PayoutSchedule.objects.select_for_update(no_key=True, of=("self",))
    return rows.filter(merchant_id=merchant_id).first()
