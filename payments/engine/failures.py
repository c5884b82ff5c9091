"""An operation whose handling broke: try again more and more slowly, then ask a person."""

from core import clock
from core.dead_letters import bury
from core.drain import Claim
from core.ids import public_id
from core.retry import Retry, Strategy
from core.transactions import at_edge
from payments.locks import lock_operation

__all__ = ["record_failure"]

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
