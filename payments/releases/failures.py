"""An order that cannot be released: again more and more slowly, then a person, who may replay it."""

from core import clock
from core.dead_letters import bury
from core.drain import Claim
from core.ids import parse_public_id, public_id
from core.models import DeadLetter
from core.nudges import nudge
from core.retry import Retry, Strategy
from core.transactions import at_edge, requires_transaction
from payments.releases.locks import lock_orders_with_shares
from payments.releases.plan import unreleased_minor

__all__ = ["QUEUE", "is_unreleased", "record_release_failure", "replay_release"]

QUEUE = "releases"
_RULE = Retry(Strategy.EXPONENTIAL, base=2, cap=300, limit=8)


@at_edge
def record_release_failure(*, claim: Claim, error: Exception) -> None:
    """Move the next try, or bury the release after the last one."""
    share = next(iter(lock_orders_with_shares(order_ids=[claim.id])), None)
    if share is None or share.fence != claim.fence or share.due_at is None:
        return
    share.attempts += 1
    pause = _RULE.pause(share.attempts)
    share.due_at = clock.now() + pause if pause is not None else None
    share.leased_until = None
    share.save(update_fields=["attempts", "due_at", "leased_until"])
    if pause is None:
        bury(
            queue=QUEUE,
            subject=public_id("pay", claim.id),
            error=f"{type(error).__name__}: {error}"[:500],
            attempts=share.attempts,
            merchant_id=share.merchant_id,
            detail={"order_id": str(claim.id)},
        )


@requires_transaction
def is_unreleased(letter: DeadLetter) -> bool:
    """Say whether the seller still waits for money of a buried release: nobody may turn their back on it."""
    order_id = parse_public_id(letter.subject, "pay")
    shares = lock_orders_with_shares(order_ids=[order_id]) if order_id else []
    return any(unreleased_minor(share) for share in shares)


@requires_transaction
def replay_release(letter: DeadLetter) -> None:
    """Make a buried release due again, with all its tries."""
    order_id = parse_public_id(letter.subject, "pay")
    for share in lock_orders_with_shares(order_ids=[order_id]) if order_id else []:
        if unreleased_minor(share):
            share.attempts, share.due_at, share.leased_until = 0, clock.now(), None
            share.save(update_fields=["attempts", "due_at", "leased_until"])
            nudge(QUEUE)
