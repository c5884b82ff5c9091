"""Execute one operation at its provider in three phases: intent, call, outcome.

① lock, state SENT with the nonce, commit; ② call the provider, no transaction open; ③ lock, check the
fence, record the outcome and everything that follows in one commit. A process may die between any two:
the row's due time brings it back, and what was sent is asked about or sent again under the same nonce.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection

from channels.selectors import get_channel
from channels.services import note_result, record_calls
from channels.types import ChannelData
from core import clock
from core.drain import Claim
from core.failpoints import failpoint
from core.history import Changes
from core.ids import public_id
from core.log_context import note
from core.transactions import at_edge, forbids_transaction
from payments.engine.card_limit import look_before_attach
from payments.engine.facts import order_fact
from payments.engine.operations import is_asked_rarely, next_look
from payments.engine.outcome import apply_outcome
from payments.engine.refunds.outcomes import note_sent, note_unknown
from payments.engine.requests import Question, call_for, question_for
from payments.engine.wake import wake_channel
from payments.locks import ChargeScope, lock_operation
from payments.models import PspOperation
from payments.psp.contract import (
    AttachRequest,
    Outcome,
    OutcomeKind,
    PspAdapter,
    PspStatus,
    adapter_for,
)

__all__ = ["execute_operation"]

Also = Callable[[ChargeScope], None]


@dataclass(frozen=True)
class Intent:
    """What phase ① decided to do; everything phase ② needs without the database."""

    operation_id: UUID
    fence: int
    channel: ChannelData
    question: Question
    is_asked_rarely: bool
    card_attempt: str
    about: Mapping[str, str]


@forbids_transaction
def execute_operation(*, claim: Claim, also: Also | None = None) -> None:
    """Take a claimed operation one step further; chain to the next one that follows from it at once.

    Does nothing when the operation needs nothing any more or another worker holds a newer claim. `also`
    is done with each outcome, in its transaction and before its commit; it must have no effect elsewhere.
    """
    intent = _intend(claim)
    while intent is not None:
        note(**intent.about)
        _pass("after_intent", intent)
        channel_id, outcome = intent.channel.id, _call(intent)
        _pass("after_effect", intent)
        done, intent = intent, _record(intent, outcome, also)
        _pass("after_commit", done)
        answered = outcome.kind not in (OutcomeKind.NOT_SENT, OutcomeKind.UNKNOWN)
        if note_result(channel_id=channel_id, ok=answered) or _ends_silence(done, outcome):
            at_edge(wake_channel)(channel_id=channel_id)


def _about(scope: ChargeScope, operation: PspOperation) -> dict[str, str]:
    """The ids that every log line of the call carries, as the store and the console know them."""
    if scope.top_up is not None:
        paid = {"top_up_id": public_id("top", scope.top_up.id)}
    else:
        paid = {"checkout_id": scope.checkout.checkout_id}
    return {
        "operation_id": public_id("op", operation.id),
        "charge_id": public_id("chg", scope.charge.id),
        "kind": operation.kind,
        **paid,
    }


def _ends_silence(intent: Intent, outcome: Outcome) -> bool:
    """Whether the answer settles what was asked about rarely: then others like it can be settled too.

    Nobody in this process need have seen the provider fail.
    """
    seen = outcome.object
    return intent.is_asked_rarely and seen is not None and seen.status is not PspStatus.REGISTERED


def _pass(place: str, intent: Intent) -> None:
    """Tests arm a place of any operation, or of one kind."""
    failpoint(f"execute.{place}")
    failpoint(f"execute.{place}.{intent.question.kind}")


@at_edge
def _intend(claim: Claim) -> Intent | None:
    """Phase ①: decide whether to send or to ask, and commit that decision before anything leaves."""
    scope = lock_operation(operation_id=claim.id)
    if scope is None:
        return None
    operation = scope.operation(claim.id)
    if operation.fence != claim.fence or operation.due_at is None:
        return None
    changes = Changes()
    intent = _prepare(scope, operation, changes, lease=operation.leased_until)
    changes.save()
    _pass("before_intent", intent)
    return intent


def _prepare(
    scope: ChargeScope, operation: PspOperation, changes: Changes, *, lease: datetime | None
) -> Intent:
    if operation.status == "SENT":
        # Whoever sent it never recorded an outcome: it may or may not have arrived.
        why = "no outcome was recorded in time"
        changes.move(operation, operation.to_unknown, why=why, error=why, due_at=next_look(operation))
        if operation.kind == "confirm" and scope.charge.status == "SUBMITTED":
            changes.move(scope.charge, scope.charge.to_unknown, why=why)
        note_unknown(operation, changes, why=why)
    sends = operation.status in ("CREATED", "NOT_SENT")
    if sends:
        mark_sent(scope, operation, changes, lease=lease)
    channel = get_channel(channel_id=operation.channel_id)
    return Intent(
        operation_id=operation.id,
        fence=operation.fence,
        channel=channel,
        question=question_for(scope, operation, channel, again=not sends),
        is_asked_rarely=is_asked_rarely(operation),
        card_attempt=scope.payable.card_attempt,
        about=_about(scope, operation),
    )


def mark_sent(
    scope: ChargeScope, operation: PspOperation, changes: Changes, *, lease: datetime | None
) -> None:
    """Note that the operation is about to be sent: operation SENT, charge SUBMITTED, orders EXECUTING."""
    now = clock.now()
    changes.move(
        operation,
        operation.to_sent,
        why="about to be sent",
        first_sent_at=now,
        due_at=now + timedelta(seconds=settings.OPERATION_LEASE_SECONDS),
        leased_until=lease,
    )
    if operation.kind == "confirm":
        changes.move(scope.charge, scope.charge.to_submitted, why="about to be sent")
    note_sent(operation, changes)
    for order in scope.targets:
        if order.status == "NOT_STARTED":
            changes.move(
                order, order.to_executing, why="payment started", fact=order_fact(scope, order, "executing")
            )


@forbids_transaction
def _call(intent: Intent) -> Outcome:
    """Phase ②: ask first where something may have arrived, send under the stored nonce otherwise."""
    connection.close()  # A provider that hangs must not hold our database connections.
    adapter: PspAdapter = adapter_for(intent.channel.provider)
    request = intent.question.request
    if not isinstance(request, AttachRequest):
        return call_for(adapter, intent.channel, intent.question)
    looked = look_before_attach(
        adapter, intent.channel, request, operation_id=intent.operation_id, known=intent.card_attempt
    )
    if isinstance(looked, Outcome):
        return looked
    outcome = call_for(adapter, intent.channel, intent.question)
    return replace(outcome, calls=(*looked, *outcome.calls))


@at_edge
def _record(intent: Intent, outcome: Outcome, also: Also | None) -> Intent | None:
    """Phase ③: record the outcome and all that follows; return the next intent if there is one."""
    scope = lock_operation(operation_id=intent.operation_id)
    assert scope is not None, "operations are never deleted"
    operation = scope.operation(intent.operation_id)
    changes, lease = Changes(), operation.leased_until
    record_calls(calls=outcome.calls, operation_id=operation.id, changes=changes)
    if operation.fence != intent.fence:
        changes.save()  # A newer claim has made this answer worthless; the evidence is kept all the same.
        return None
    if operation.status in ("SENT", "UNKNOWN", "PENDING"):
        follow_up = apply_outcome(scope, operation, outcome, changes)
    else:
        follow_up = None  # A webhook brought the answer while we were waiting for it.
    next_intent = None
    if follow_up is not None:
        scope.operations.append(follow_up)
        # It is sent at once, in the slot of the channel that is held already.
        next_intent = _prepare(scope, follow_up, changes, lease=lease)
    changes.save()
    if also is not None:
        also(scope)
    _pass("before_commit", intent)
    if next_intent is not None:
        _pass("before_intent", next_intent)
    return next_intent
