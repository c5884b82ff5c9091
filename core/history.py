"""One way to change a state: transition, save the row, append to the history, tell the outbox."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from core import clock
from core.fsm import ConcurrentTransition, StatefulModel
from core.models import OutboxEvent, StatusChange
from core.nudges import nudge
from core.rows import insert_rows, update_row
from core.transactions import requires_transaction

__all__ = ["SYSTEM", "Changes", "Fact", "begin", "move"]

SYSTEM = "system"


@dataclass(frozen=True)
class Fact:
    """An event to record with a change: its type, its public subject and a snapshot after the change."""

    type: str
    subject: str
    data: Callable[[], dict[str, Any]]


class Changes:
    """Changes of one transaction: rows are saved at once, history and events together in `save()`.

    Every public use ends with `save()` inside the same transaction; a batch that is dropped unsaved means
    an exception, and then nothing of the transaction is kept either.
    """

    def __init__(self) -> None:
        self._history: list[StatusChange] = []
        self._events: list[OutboxEvent] = []

    @requires_transaction
    def move(
        self,
        row: StatefulModel,
        transition: Callable[..., None],
        *,
        why: str,
        by: str = SYSTEM,
        at: datetime | None = None,
        fact: Fact | None = None,
        **columns: Any,
    ) -> None:
        """Run a transition on a locked row and save what it changed.

        `why` and `by` go into the history; `at` is when it happened in the world (now, if not given);
        `columns` are passed to the transition, which sets them on the row. Raises TransitionNotAllowed
        when the row's state does not allow it and ConcurrentTransition when another transaction was
        faster.
        """
        names = [field.attname for field in row._meta.concrete_fields]
        before = {name: row.__dict__.get(name) for name in names}
        source = row.state
        recorded_at = clock.now()
        transition(**columns)
        if "updated_at" in names:
            row.__dict__["updated_at"] = recorded_at
        if fact:
            self._record(row, fact, at or recorded_at, recorded_at)
        changed = [name for name in names if row.__dict__.get(name) != before[name]]
        if not update_row(row, names=changed, only_if={row.state_column: source}):
            raise ConcurrentTransition(f"{row._meta.label} {row.pk} is not {source} any more")
        row.is_saved()
        self._append(row, source, why, by, at or recorded_at, recorded_at)

    def begin(
        self,
        row: StatefulModel,
        *,
        why: str,
        by: str = SYSTEM,
        at: datetime | None = None,
        fact: Fact | None = None,
    ) -> None:
        """Note the first state of a row that is not saved yet; the caller saves it (in bulk)."""
        recorded_at = clock.now()
        if fact:
            self._record(row, fact, at or recorded_at, recorded_at)
        self._append(row, "", why, by, at or recorded_at, recorded_at)

    @requires_transaction
    def emit(self, row: Any, fact: Fact, *, at: datetime | None = None) -> None:
        """Record an event about a locked row whose state did not change."""
        recorded_at = clock.now()
        self._record(row, fact, at or recorded_at, recorded_at)
        row.save(update_fields=["event_sequence"])

    @requires_transaction
    def save(self) -> None:
        """Append the collected history and events."""
        insert_rows(self._history)
        insert_rows(self._events)
        if self._events:
            nudge("relay")
        self._history, self._events = [], []

    def _append(
        self, row: StatefulModel, source: str, why: str, by: str, at: datetime, recorded_at: datetime
    ) -> None:
        self._history.append(
            StatusChange(
                merchant_id=_merchant_of(row),
                subject_type=row._meta.label_lower,
                subject_id=row.pk,
                from_state=source,
                to_state=row.state,
                reason=why[:200],
                actor=by,
                occurred_at=at,
                recorded_at=recorded_at,
            )
        )

    def _record(self, row: Any, fact: Fact, at: datetime, recorded_at: datetime) -> None:
        # The counter is a column of the locked row, so the numbers of a subject have no gaps.
        row.event_sequence += 1
        self._events.append(
            OutboxEvent(
                merchant_id=_merchant_of(row),
                type=fact.type,
                subject=fact.subject,
                sequence=row.event_sequence,
                payload=fact.data(),
                occurred_at=at,
                recorded_at=recorded_at,
            )
        )


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
) -> None:
    """Make one change and save its history at once; see `Changes.move`."""
    changes = Changes()
    changes.move(row, transition, why=why, by=by, at=at, fact=fact, **columns)
    changes.save()


@requires_transaction
def begin(
    row: StatefulModel,
    *,
    why: str,
    by: str = SYSTEM,
    at: datetime | None = None,
    fact: Fact | None = None,
) -> None:
    """Note the first state of one new row and save its history at once; see `Changes.begin`."""
    changes = Changes()
    changes.begin(row, why=why, by=by, at=at, fact=fact)
    changes.save()


def _merchant_of(row: Any) -> UUID | None:
    return getattr(row, "merchant_id", None)
