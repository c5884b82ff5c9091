"""The drain of the inbox: each subscriber's effects and the mark that they are done are one commit."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings

from core import clock
from core.cases import open_case
from core.dead_letters import bury
from core.drain import Claim, Drain
from core.failpoints import failpoint
from core.history import move
from core.models import DeadLetter
from core.nudges import nudge
from core.retry import Retry, Strategy
from core.transactions import at_edge, requires_transaction
from events import locks
from events.errors import NotYet
from events.models import InboxWork, WebhookInbox
from events.subscriptions import find_handler
from events.types import InboundEvent

__all__ = ["QUEUE", "InboxDrain", "replay"]

QUEUE = "inbox"
# About half an hour in all, so that a short outage of ours does not fill the dead letters.
_RETRY = Retry(Strategy.EXPONENTIAL, base=1, cap=600, limit=12)
_LONGEST_PARK = timedelta(minutes=5)
_PARKED_TOO_LONG = timedelta(hours=1)
_CASE_DUE = timedelta(hours=24)


class InboxDrain(Drain):
    """Hands inbox rows to their subscribers."""

    name = QUEUE
    model = InboxWork
    parallel = 4
    lease_seconds = settings.INBOX_LEASE_SECONDS

    def handle(self, claim: Claim) -> None:
        """Call the subscriber and mark its work done, both or none."""
        _apply(claim)
        failpoint("inbox.done")

    def failed(self, claim: Claim, error: Exception) -> None:
        """Park what came too early; try again what failed; hand what failed too often to a person."""
        if isinstance(error, NotYet):
            _park(claim, str(error))
        else:
            super().failed(claim, error)
            _try_again(claim, error)


@requires_transaction
def replay(letter: DeadLetter) -> None:
    """Make the work of a dead letter due again."""
    work = locks.lock_inbox_work(work_id=UUID(letter.subject))
    move(work, work.to_received, why=letter.reason, by=letter.decided_by, due_at=clock.now())
    nudge(QUEUE)


@at_edge
def _apply(claim: Claim) -> None:
    work = _held(claim)
    if work is None:
        return
    handler = find_handler(work.subscriber)
    if handler is None:
        raise NotYet(f"this version has no subscriber {work.subscriber}")
    handler(delivery=_inbound(work.inbox))
    failpoint("inbox.applied")
    move(work, work.to_done, why="handled")


@at_edge
def _park(claim: Claim, why: str) -> None:
    work = _held(claim)
    if work is None:
        return
    now = clock.now()
    pause = min(timedelta(seconds=2 ** min(work.parks, 16)), _LONGEST_PARK)
    if work.status == "RECEIVED":
        move(work, work.to_parked, why=why, due_at=now + pause, parked_at=now, reason=why[:200])
        return
    work.due_at, work.leased_until, work.reason = now + pause, None, why[:200]
    work.parks += 1
    work.save(update_fields=["due_at", "leased_until", "reason", "parks"])
    if work.parked_at is not None and now - work.parked_at >= _PARKED_TOO_LONG:
        _show(work, why)


@at_edge
def _try_again(claim: Claim, error: Exception) -> None:
    work = _held(claim)
    if work is None:
        return
    reason = f"{type(error).__name__}: {error}".replace("\x00", "")
    pause = _RETRY.pause(work.attempts + 1)
    if pause is not None:
        work.attempts += 1
        work.due_at, work.leased_until, work.reason = clock.now() + pause, None, reason[:200]
        work.save(update_fields=["attempts", "due_at", "leased_until", "reason"])
        return
    move(work, work.to_dead, why=reason, reason=reason[:200])
    bury(
        queue=QUEUE,
        subject=str(work.pk),
        error=reason,
        attempts=work.attempts,
        detail={"subscriber": work.subscriber, **_about(work.inbox)},
        merchant_id=work.merchant_id,
    )


def _held(claim: Claim) -> InboxWork | None:
    """Return the claimed work, locked, or None when a later claimer took it over or somebody ended it."""
    work = locks.lock_inbox_work(work_id=claim.id)
    return work if work.fence == claim.fence and work.due_at is not None else None


def _inbound(row: WebhookInbox) -> InboundEvent:
    return InboundEvent(
        id=row.pk,
        merchant_id=row.merchant_id,
        channel_id=row.channel_id,
        provider=row.provider,
        event_id=row.provider_event_id,
        type=row.type,
        payload=json.loads(bytes(row.raw if row.payload is None else row.payload)),
        account=row.account,
        occurred_at=row.occurred_at,
        received_at=row.received_at,
    )


def _show(work: InboxWork, why: str) -> None:
    open_case(
        kind="webhook_parked",
        subject=f"inbox:{work.pk}",
        summary=f"{work.inbox.type} of {work.inbox.provider} matches nothing of ours: {why}"[:500],
        due_in=_CASE_DUE,
        detail=_about(work.inbox),
        merchant_id=work.merchant_id,
    )


def _about(row: WebhookInbox) -> dict[str, Any]:
    return {"inbox": str(row.pk), "event": row.provider_event_id, "type": row.type}
