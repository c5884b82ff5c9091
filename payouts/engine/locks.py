"""Locks of what is sent together, and of what is asked for at once; in the order of payouts/locks.py."""

from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from core.transactions import requires_transaction
from payouts.locks import lock_attempts, lock_batch, lock_payouts
from payouts.models import PayoutAttempt, PayoutBatch

__all__ = ["BatchScope", "lock_one_sending", "lock_requests", "lock_sending"]

_REQUESTS = "SELECT pg_advisory_xact_lock(hashtextextended('payouts:' || %s, 0))"


@dataclass
class BatchScope:
    """A locked batch and its locked attempts, in their order in it, each with its locked payout."""

    batch: PayoutBatch
    attempts: list[PayoutAttempt]


@requires_transaction
def lock_sending(*, batch_id: UUID) -> BatchScope:
    """Lock a batch and everything in it: batch, payouts by id, attempts. Raises NotFound."""
    batch = lock_batch(batch_id=batch_id)
    keys = PayoutAttempt.objects.filter(batch_id=batch_id).values_list("payout_id", flat=True)
    payouts = {row.id: row for row in lock_payouts(payout_ids=set(keys))}
    attempts = lock_attempts(batch_id=batch_id)
    for attempt in attempts:
        attempt.payout = payouts[attempt.payout_id]
    return BatchScope(batch, attempts)


@requires_transaction
def lock_one_sending(*, attempt: PayoutAttempt) -> BatchScope:
    """Lock a batch with one of its attempts and its payout, in the same order; the others stay free."""
    batch = lock_batch(batch_id=attempt.batch_id)
    [payout] = lock_payouts(payout_ids=[attempt.payout_id])
    [locked] = lock_attempts(batch_id=attempt.batch_id, only=attempt.pk)
    locked.payout = payout
    return BatchScope(batch, [locked])


@requires_transaction
def lock_requests(*, seller_id: UUID) -> None:
    """Let requests for payouts of one seller wait for each other until the transaction ends.

    Before any row is locked: what they look at are the payouts that others are about to ask for.
    """
    with connection.cursor() as cursor:
        cursor.execute(_REQUESTS, [str(seller_id)])
