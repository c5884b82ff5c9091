"""Work that failed for good waits here for a person, who replays it or drops it with a reason."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from core import clock
from core.audit_trail import record_audit, required_reason
from core.errors import DomainError
from core.history import begin, move
from core.locks import lock_dead_letter
from core.models import DeadLetter
from core.transactions import UNIQUE_VIOLATION, requires_transaction, sqlstate

__all__ = [
    "DeadLetterDecided",
    "DeadLetterNeeded",
    "DeadLetterNotReplayable",
    "bury",
    "can_replay",
    "drop",
    "register_needed",
    "register_replay",
    "replay",
]

_REPLAYS: dict[str, Callable[[DeadLetter], None]] = {}
_NEEDED: dict[str, Callable[[DeadLetter], bool]] = {}


class DeadLetterDecided(DomainError):
    code = "dead_letter_decided"
    status = 409
    message = "This dead letter was replayed or dropped already."


class DeadLetterNotReplayable(DomainError):
    code = "dead_letter_not_replayable"
    status = 409
    message = "Nothing knows how to replay this queue. Drop the dead letter and do the work by hand."


class DeadLetterNeeded(DomainError):
    code = "dead_letter_needed"
    status = 409
    message = "Without this work nobody would ever know the outcome. Replay it when the cause is mended."


def register_replay(queue: str, callback: Callable[[DeadLetter], None]) -> None:
    """Say how work of a queue is started again; apps call it in `ready()`.

    The callback runs in the transaction of the decision and makes the work due; it does not do the work.
    Raises ValueError when the queue has another callback.
    """
    if _REPLAYS.setdefault(queue, callback) is not callback:
        raise ValueError(f"two callbacks replay {queue}")


def register_needed(queue: str, callback: Callable[[DeadLetter], bool]) -> None:
    """Say how to tell whether work of a queue must still be done: then it is replayed, never dropped.

    Raises ValueError when the queue has another callback.
    """
    if _NEEDED.setdefault(queue, callback) is not callback:
        raise ValueError(f"two callbacks judge {queue}")


def can_replay(queue: str) -> bool:
    """Say whether somebody registered how to replay this queue."""
    return queue in _REPLAYS


@requires_transaction
def bury(
    *,
    queue: str,
    subject: str,
    error: str,
    attempts: int,
    detail: dict[str, Any] | None = None,
    merchant_id: UUID | None = None,
) -> DeadLetter:
    """Hand work that failed for good to a person; return the open dead letter of this queue and subject."""
    existing = _waiting(queue, subject)
    if existing is not None:
        return existing
    letter = DeadLetter(
        merchant_id=merchant_id,
        queue=queue,
        subject=subject,
        error=error,
        detail=detail or {},
        attempts=attempts,
        died_at=clock.now(),
    )
    try:
        with transaction.atomic():
            letter.save(force_insert=True)
    except IntegrityError as clash:
        if sqlstate(clash) != UNIQUE_VIOLATION:
            raise
        existing = _waiting(queue, subject)
        if existing is None:
            raise
        return existing
    begin(letter, why=error)
    return letter


@requires_transaction
def replay(*, dead_letter_id: UUID, actor: str, reason: str) -> DeadLetter:
    """Make the work due again.

    Errors: ReasonRequired, DeadLetterDecided, DeadLetterNotReplayable, NotFound.
    """
    reason = required_reason(reason)
    letter = _undecided(dead_letter_id)
    callback = _REPLAYS.get(letter.queue)
    if callback is None:
        raise DeadLetterNotReplayable
    _decide(letter, letter.to_replayed, "dead_letter.replay", actor=actor, reason=reason)
    callback(letter)
    return letter


@requires_transaction
def drop(*, dead_letter_id: UUID, actor: str, reason: str) -> DeadLetter:
    """Decide that the work need not be done.

    Errors: ReasonRequired, DeadLetterDecided, DeadLetterNeeded, NotFound.
    """
    reason = required_reason(reason)
    letter = _undecided(dead_letter_id)
    needed = _NEEDED.get(letter.queue)
    if needed is not None and needed(letter):
        raise DeadLetterNeeded
    _decide(letter, letter.to_dropped, "dead_letter.drop", actor=actor, reason=reason)
    return letter


def _waiting(queue: str, subject: str) -> DeadLetter | None:
    return DeadLetter.objects.filter(queue=queue, subject=subject, status="OPEN").first()


def _undecided(dead_letter_id: UUID) -> DeadLetter:
    letter = lock_dead_letter(dead_letter_id=dead_letter_id)
    if letter.status != "OPEN":
        raise DeadLetterDecided
    return letter


def _decide(
    letter: DeadLetter, transition: Callable[..., None], action: str, *, actor: str, reason: str
) -> None:
    move(
        letter,
        transition,
        why=reason,
        by=actor,
        reason=reason,
        decided_by=actor,
        decided_at=clock.now(),
    )
    record_audit(
        actor=actor,
        action=action,
        subject=letter.subject,
        reason=reason,
        detail={"dead_letter": str(letter.pk), "queue": letter.queue, "error": letter.error[:500]},
        merchant_id=letter.merchant_id,
    )
