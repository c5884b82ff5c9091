"""Send one batch, or ask about it, in three phases: intent, call, outcome.

① lock batch, payouts and attempts, decide and commit what leaves; ② call the provider, no transaction open;
③ lock again, check the fence, record the outcome and everything that follows in one commit. A process may
die between any two: the batch's due time brings it back, and what was sent is asked about.
"""

from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from channels.selectors import get_channel
from channels.services import note_result, record_calls
from channels.types import ChannelData
from core.drain import Claim
from core.failpoints import failpoint
from core.history import Changes
from core.ids import public_id
from core.log_context import note
from core.transactions import at_edge, forbids_transaction
from payouts.engine.instruction import order_of
from payouts.engine.locks import lock_sending
from payouts.engine.outcome import apply_outcome
from payouts.engine.sending import begin_sending, lose_track, send_again
from payouts.providers.contract import BatchKind, BatchOrder, BatchOutcome, provider_for

__all__ = ["execute_batch"]


@dataclass(frozen=True)
class Intent:
    """What phase ① decided to do; everything phase ② needs without the database."""

    batch_id: UUID
    fence: int
    channel: ChannelData
    order: BatchOrder
    asks: bool


@forbids_transaction
def execute_batch(*, claim: Claim) -> None:
    """Take a claimed batch one step further.

    Does nothing when it needs nothing any more or another worker holds a newer claim.
    """
    intent = _intend(claim)
    while intent is not None:
        note(batch_id=public_id("pob", intent.batch_id), reference=intent.order.reference)
        _pass("after_intent", intent)
        outcome = _call(intent)
        _pass("after_effect", intent)
        note_result(channel_id=intent.channel.id, ok=_is_answer(outcome))
        intent = _record(intent, outcome)
        failpoint("payouts.after_commit")


def _pass(place: str, intent: Intent) -> None:
    failpoint(f"payouts.{place}")
    failpoint(f"payouts.{place}.{'ask' if intent.asks else 'submit'}")


def _is_answer(outcome: BatchOutcome) -> bool:
    return outcome.kind not in (BatchKind.NOT_SENT, BatchKind.UNKNOWN)


@at_edge
def _intend(claim: Claim) -> Intent | None:
    """Phase ①: decide whether to send or to ask, and commit that decision before anything leaves."""
    scope = lock_sending(batch_id=claim.id)
    batch = scope.batch
    if batch.fence != claim.fence or batch.due_at is None:
        return None
    channel = get_channel(channel_id=batch.channel_id)
    changes = Changes()
    if batch.status == "SUBMITTING":
        lose_track(scope, changes)
    asks = batch.status not in ("CREATED", "NOT_SENT")
    order = order_of(batch, scope.attempts) if asks else begin_sending(scope, channel, changes)
    changes.save()
    failpoint("payouts.before_intent")
    return Intent(batch.id, batch.fence, channel, order, asks) if order is not None else None


@forbids_transaction
def _call(intent: Intent) -> BatchOutcome:
    """Phase ②: send it, or ask what became of it."""
    connection.close()  # A provider that hangs must not hold our database connections.
    provider = provider_for(intent.channel.provider)
    if not intent.asks:
        return provider.submit(intent.channel, intent.order)
    outcome = provider.ask(intent.channel, intent.order)
    if outcome.kind is BatchKind.ABSENT and not provider.proves_absence:
        # It says that it cannot find it, which proves nothing.
        return BatchOutcome(BatchKind.UNKNOWN, outcome.news, outcome.error, calls=outcome.calls)
    return outcome


@at_edge
def _record(intent: Intent, outcome: BatchOutcome) -> Intent | None:
    """Phase ③: record the outcome and all that follows; return the next intent if it is sent again."""
    scope = lock_sending(batch_id=intent.batch_id)
    changes = Changes()
    record_calls(calls=outcome.calls, operation_id=intent.batch_id, changes=changes)
    if scope.batch.fence != intent.fence:
        changes.save()  # A newer claim has made this answer worthless; the evidence is kept all the same.
        return None
    again = apply_outcome(scope, outcome, changes, asked=intent.asks)
    order = send_again(scope, intent.channel) if again else None
    changes.save()
    failpoint("payouts.before_commit")
    if order is None:
        return None
    return Intent(intent.batch_id, intent.fence, intent.channel, order, asks=False)
