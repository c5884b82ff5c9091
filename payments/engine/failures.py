"""An operation whose handling broke: try again more and more slowly, then ask a person, who may replay it."""

from core import clock
from core.dead_letters import bury
from core.drain import Claim
from core.ids import parse_public_id, public_id
from core.models import DeadLetter
from core.nudges import nudge
from core.retry import Retry, Strategy
from core.transactions import at_edge, requires_transaction
from payments.locks import lock_operation
from payments.models import PspOperation
from payments.states import OPERATION_OPEN

__all__ = ["is_without_outcome", "record_failure", "replay_operation"]

_RULE = Retry(Strategy.EXPONENTIAL, base=1.0, cap=60.0, limit=8)


@at_edge
def record_failure(*, claim: Claim, error: Exception) -> None:
    """Move the operation's next try, or bury it after the last one. Its state stays what it was."""
    scope = lock_operation(operation_id=claim.id)
    if scope is None:
        return
    operation = scope.operation(claim.id)
    if operation.fence != claim.fence or operation.due_at is None:
        return
    operation.attempts += 1
    pause = _RULE.pause(operation.attempts)
    operation.due_at = clock.now() + pause if pause is not None else None
    operation.leased_until = None
    operation.error = f"{type(error).__name__}: {error}"[:500]
    operation.save(update_fields=["attempts", "due_at", "leased_until", "error"])
    if pause is None:
        bury(
            queue="operations",
            subject=public_id("op", operation.id),
            error=operation.error,
            attempts=operation.attempts,
            merchant_id=operation.merchant_id,
            detail={"operation_id": str(operation.id)},
        )


@requires_transaction
def is_without_outcome(letter: DeadLetter) -> bool:
    """Say whether a buried operation still has no outcome: nobody may turn their back on it."""
    operation_id = parse_public_id(letter.subject, "op")
    if operation_id is None:
        return False
    return PspOperation.objects.filter(pk=operation_id, status__in=OPERATION_OPEN).exists()


@requires_transaction
def replay_operation(letter: DeadLetter) -> None:
    """Make a buried operation due again, with all its tries; one that has its outcome meanwhile stays."""
    operation_id = parse_public_id(letter.subject, "op")
    scope = lock_operation(operation_id=operation_id) if operation_id else None
    if scope is None or operation_id is None:
        return
    operation = scope.operation(operation_id)
    if operation.status not in OPERATION_OPEN:
        return
    operation.attempts = 0
    operation.due_at = clock.now()
    operation.leased_until = None
    operation.save(update_fields=["attempts", "due_at", "leased_until"])
    nudge("operations")
