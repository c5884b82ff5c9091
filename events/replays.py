"""Putting webhooks that stopped back to work: one piece, or many that stopped in the same way.

Handling is idempotent, so that what was applied meanwhile is applied no second time.
"""

from uuid import UUID

from core import clock, dead_letters
from core.audit_trail import record_audit, required_reason
from core.dead_letters import DeadLetterDecided
from core.history import move
from core.models import DeadLetter
from core.nudges import nudge
from core.transactions import requires_transaction
from events import locks
from events.errors import WebhookHandled
from events.inbox import QUEUE
from events.models import InboxWork

__all__ = ["MOST_AT_ONCE", "replay_stopped", "replay_work"]

MOST_AT_ONCE = 100


@requires_transaction
def replay_work(*, work_id: UUID, by: str, reason: str) -> None:
    """Hand a webhook to its subscriber again, now: one that is dead, parked, or waits for its next try.

    The dead letter of a dead one is decided with it. Raises ReasonRequired, NotFound, WebhookHandled when it
    was handled meanwhile, DeadLetterDecided when somebody else is just deciding.
    """
    reason = required_reason(reason)
    letter = DeadLetter.objects.filter(queue=QUEUE, subject=str(work_id), status="OPEN").first()
    if letter is not None:
        dead_letters.replay(dead_letter_id=letter.pk, actor=by, reason=reason)
        return
    work = locks.lock_inbox_work(work_id=work_id)
    if work.status == "DONE":
        raise WebhookHandled
    before = work.status
    if before == "DEAD":
        move(work, work.to_received, why=reason[:200], by=by, due_at=clock.now())
    else:
        work.due_at, work.leased_until = clock.now(), None
        work.save(update_fields=["due_at", "leased_until"])
    record_audit(
        actor=by,
        action="inbox.replay",
        subject=f"inbox:{work.inbox_id}",
        reason=reason,
        detail={"work": str(work.pk), "subscriber": work.subscriber, "from": before},
        merchant_id=work.merchant_id,
    )
    nudge(QUEUE)


@requires_transaction
def replay_stopped(*, status: str, by: str, reason: str, limit: int = MOST_AT_ONCE) -> int:
    """Replay what is DEAD or PARKED, the oldest first, at most `limit` of it; return how many.

    Raises ReasonRequired, ValueError for another status.
    """
    if status not in ("DEAD", "PARKED"):
        raise ValueError("only what is dead or parked is replayed together")
    reason, done = required_reason(reason), 0
    rows = InboxWork.objects.filter(status=status).order_by("inbox", "pk")
    for work_id in list(rows.values_list("pk", flat=True)[: min(limit, MOST_AT_ONCE)]):
        try:
            replay_work(work_id=work_id, by=by, reason=reason)
        except (DeadLetterDecided, WebhookHandled):
            continue  # Somebody was faster; theirs is as good as ours.
        done += 1
    return done
