"""Phase ① of a batch: what of it may really leave, and what it will look like."""

from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256

from django.conf import settings

from channels.types import ChannelData
from core import clock
from core.failpoints import failpoint
from core.history import SYSTEM, Changes
from core.transactions import requires_transaction
from payouts.engine.approving import send_to_review
from payouts.engine.facts import payout_fact
from payouts.engine.gates import Around, closed_gate, look_around
from payouts.engine.instruction import digest_of, order_of, sent_with
from payouts.engine.locks import BatchScope
from payouts.engine.looks import next_look
from payouts.engine.news import doubt
from payouts.models import PayoutAttempt
from payouts.providers.contract import BatchOrder, provider_for

__all__ = ["begin_sending", "lease_end", "lose_track", "send_again"]


def lease_end() -> datetime:
    """Return until when an outcome must be recorded; after that somebody asks."""
    return clock.now() + timedelta(seconds=settings.OPERATION_LEASE_SECONDS)


@requires_transaction
def begin_sending(scope: BatchScope, channel: ChannelData, changes: Changes) -> BatchOrder | None:
    """Mark what may leave as about to be sent; return it, None when nothing of the batch may.

    What was taken back or stopped meanwhile, and what is not what was said yes to, stays here.
    """
    now = clock.now()
    # Read together; destinations and blocks the database looks at again, row by row, under its own locks.
    around = look_around([each.payout for each in scope.attempts])
    leaving = [each for each in scope.attempts if _may_leave(each, around, changes)]
    batch = scope.batch
    if not leaving:
        changes.move(batch, batch.to_canceled, why="nothing of it may leave", error="nothing of it may leave")
        return None
    for attempt in leaving:
        changes.move(attempt.payout, attempt.payout.to_executing, why="about to be sent")
        changes.move(attempt, attempt.to_sent, why="about to be sent", sent_at=now)
        failpoint(f"payouts.row.{attempt.position}")
    order = order_of(scope.batch, scope.attempts, leaves_at=now)
    message = provider_for(channel.provider).message(channel, order)
    file_name = message.file_name if message else None
    digest = sha256(message.content).digest() if message else None
    changes.move(
        batch,
        batch.to_submitting,
        why="about to be sent",
        sent_at=now,
        due_at=lease_end(),
        payouts_count=len(leaving),
        total_minor=sum(each.payout.amount_minor for each in leaving),
        file_name=file_name,
        sha256=digest,
    )
    return replace(order, file_name=file_name, sha256=digest)


@requires_transaction
def send_again(scope: BatchScope, channel: ChannelData) -> BatchOrder:
    """Return a batch that the provider proves it never had, as it leaves again: without what was stopped."""
    batch, leaving = scope.batch, sent_with(scope.attempts)
    order = order_of(batch, scope.attempts)
    message = provider_for(channel.provider).message(channel, order)
    digest = sha256(message.content).digest() if message else None
    batch.payouts_count = len(leaving)
    batch.total_minor = sum(each.payout.amount_minor for each in leaving)
    batch.sha256 = digest
    batch.due_at, batch.updated_at = lease_end(), clock.now()
    batch.last_sent_at = batch.updated_at
    batch.save(
        update_fields=["payouts_count", "total_minor", "sha256", "due_at", "updated_at", "last_sent_at"]
    )
    return replace(order, sha256=digest)


@requires_transaction
def lose_track(scope: BatchScope, changes: Changes) -> None:
    """Whoever sent the batch never recorded an outcome: it may or may not have arrived."""
    why = "no outcome was recorded in time"
    for attempt in scope.attempts:
        doubt(attempt, changes, why=why)
    batch = scope.batch
    changes.move(batch, batch.to_unknown, why=why, error=why, due_at=next_look(batch))


def _may_leave(attempt: PayoutAttempt, around: Around, changes: Changes) -> bool:
    payout = attempt.payout
    if attempt.status not in ("CREATED", "NOT_SENT"):
        return False
    why = ""
    if payout.status != "APPROVED":
        why = f"the payout is {payout.status}"
    elif gate := closed_gate(payout, around):
        why = gate.says
        fact = payout_fact(payout, "blocked")
        changes.move(payout, payout.to_blocked, why=why, fact=fact, why_held=why)
    elif digest_of(payout, around.marks) != bytes(payout.instruction_digest or b""):
        why = "the instruction is not what was said yes to"
        send_to_review(payout, changes, why=why, maker=SYSTEM)
    if why:
        changes.move(attempt, attempt.to_canceled, why=why)
    return not why
