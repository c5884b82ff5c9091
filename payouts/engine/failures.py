"""A batch whose handling broke: try again more and more slowly, then ask a person, who may replay it."""

from core import clock
from core.dead_letters import bury
from core.drain import Claim
from core.errors import NotFound
from core.ids import parse_public_id
from core.models import DeadLetter
from core.nudges import nudge
from core.retry import Retry, Strategy
from core.transactions import at_edge, requires_transaction
from payouts.locks import lock_batch
from payouts.models import PayoutBatch
from payouts.states import BATCH_OPEN

__all__ = ["QUEUE", "is_without_outcome", "record_failure", "replay_batch"]

QUEUE = "payout_batches"
_RULE = Retry(Strategy.EXPONENTIAL, base=1, cap=60, limit=8)


@at_edge
def record_failure(*, claim: Claim, error: Exception) -> None:
    """Move the batch's next try, or bury it after the last one. Its state stays what it was."""
    batch = lock_batch(batch_id=claim.id)
    if batch.fence != claim.fence or batch.due_at is None:
        return
    batch.attempts += 1
    pause = _RULE.pause(batch.attempts)
    batch.due_at = clock.now() + pause if pause is not None else None
    batch.leased_until, batch.updated_at = None, clock.now()
    batch.error = f"{type(error).__name__}: {error}"[:500]
    batch.save(update_fields=["attempts", "due_at", "leased_until", "updated_at", "error"])
    if pause is None:
        bury(
            queue=QUEUE,
            subject=batch.public_id,
            error=batch.error,
            attempts=batch.attempts,
            merchant_id=batch.merchant_id,
            detail={"batch_id": str(batch.id), "total_minor": batch.total_minor, "currency": batch.currency},
        )


@requires_transaction
def is_without_outcome(letter: DeadLetter) -> bool:
    """Say whether a buried batch still has no outcome: nobody may turn their back on it."""
    batch_id = parse_public_id(letter.subject, "pob")
    if batch_id is None:
        return False
    return PayoutBatch.objects.filter(pk=batch_id, status__in=BATCH_OPEN).exists()


@requires_transaction
def replay_batch(letter: DeadLetter) -> None:
    """Make a buried batch due again, with all its tries; one that has its outcome meanwhile stays."""
    batch_id = parse_public_id(letter.subject, "pob")
    if batch_id is None:
        return
    try:
        batch = lock_batch(batch_id=batch_id)
    except NotFound:
        return
    if batch.status not in BATCH_OPEN:
        return
    batch.attempts, batch.due_at, batch.leased_until = 0, clock.now(), None
    batch.save(update_fields=["attempts", "due_at", "leased_until"])
    nudge(QUEUE)
