"""One way to change a state: transition, save the row's own columns, append to the history."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from core import clock
from core.fsm import StatefulModel
from core.models import OutboxEvent, StatusChange
from core.transactions import requires_transaction

__all__ = ["SYSTEM", "Fact", "begin", "emit", "move"]

SYSTEM = "system"


@dataclass(frozen=True)
class Fact:
    """An event to record with a change: its type and a function that snapshots the row after it."""

    type: str
    subject: str
    data: Callable[[], dict[str, Any]]


@requires_transaction
def move(
    row: StatefulModel,
    transition: Callable[..., None],
    *,
    why: str,
    by: str = SYSTEM,
    at: datetime | None = None,
    fact: Fact | None = None,
    **columns: Any,
) -> StatusChange:
    """Run a transition on a locked row, save what it changed, append the history row and the event.

    `why` and `by` go into the history; `at` is when it happened in the world (now, if not given);
    `columns` are passed to the transition, which sets them on the row. Raises TransitionNotAllowed when
    the row's state does not allow it and ConcurrentTransition when another transaction was faster.
    """
    before = {field.attname: row.__dict__.get(field.attname) for field in row._meta.concrete_fields}
    source = row.state
    transition(**columns)
    sequence = next_sequence(row) if fact else None
    changed = [name for name, value in before.items() if row.__dict__.get(name) != value]
    if any(field.name == "updated_at" for field in row._meta.concrete_fields):
        changed.append("updated_at")
    row.save(update_fields=changed)
    recorded_at = clock.now()
    change = StatusChange(
        merchant_id=merchant_of(row),
        subject_type=row._meta.label_lower,
        subject_id=row.pk,
        from_state=source,
        to_state=row.state,
        reason=why,
        actor=by,
        occurred_at=at or recorded_at,
        recorded_at=recorded_at,
    )
    change.save(force_insert=True)
    if fact and sequence is not None:
        _event(row, fact, sequence, change.occurred_at).save(force_insert=True)
    return change


def begin(row: StatefulModel, *, why: str, by: str = SYSTEM, at: datetime | None = None) -> StatusChange:
    """Return (unsaved) the first history row of a new object, so that callers can insert in bulk."""
    recorded_at = clock.now()
    return StatusChange(
        merchant_id=merchant_of(row),
        subject_type=row._meta.label_lower,
        subject_id=row.pk,
        from_state="",
        to_state=row.state,
        reason=why,
        actor=by,
        occurred_at=at or recorded_at,
        recorded_at=recorded_at,
    )


@requires_transaction
def emit(row: Any, fact: Fact, *, at: datetime | None = None) -> OutboxEvent:
    """Record an event about a locked row that changed without changing its state."""
    sequence = next_sequence(row)
    row.save(update_fields=["event_sequence"])
    event = _event(row, fact, sequence, at or clock.now())
    event.save(force_insert=True)
    return event


def next_sequence(row: Any) -> int:
    """Count one more event of this subject; the caller holds the row's lock and saves the row."""
    row.event_sequence += 1
    return int(row.event_sequence)


def _event(row: Any, fact: Fact, sequence: int, occurred_at: datetime) -> OutboxEvent:
    return OutboxEvent(
        merchant_id=merchant_of(row),
        type=fact.type,
        subject=fact.subject,
        sequence=sequence,
        payload=fact.data(),
        occurred_at=occurred_at,
        recorded_at=clock.now(),
    )


def merchant_of(row: Any) -> UUID | None:
    """Return the merchant that owns the row; None for what belongs to the installation itself."""
    return getattr(row, "merchant_id", None)
