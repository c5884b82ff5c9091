"""One way to change a state: transition, save the row, append to the history, tell the outbox."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from django.db.models import Model

from core import clock
from core.fsm import ConcurrentTransition, StatefulModel
from core.models import OutboxEvent, StatusChange
from core.nudges import nudge
from core.rows import Batch, new_row
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
    """Changes of one transaction: everything is written by `save()`, sent to the database together.

    Every public use ends with `save()` inside the same transaction; a batch that is dropped unsaved means
    an exception, and then nothing of the transaction is kept either. Until then the objects are ahead of
    their rows: what reads the database, or writes the same rows by other means, comes before or after.

    `because` is what all of them rest on, at most 100 characters; it is added to the reason of each.
    """

    def __init__(self, *, because: str = "") -> None:
        self._because = f"; {because[:100]}" if because else ""
        self._batch = Batch()
        self._history: list[StatusChange] = []
        self._events: list[OutboxEvent] = []
        self._last: list[Callable[[], object]] = []
        self._wakes: list[str] = []

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
        """Run a transition on a locked row; what it changed is written by `save()`.

        `why` and `by` go into the history; `at` is when it happened in the world (now, if not given);
        `columns` are passed to the transition, which sets them on the row. Raises TransitionNotAllowed
        when the row's state does not allow it; `save()` raises ConcurrentTransition when another
        transaction was faster.
        """
        before = row.__dict__.copy()
        source = row.state
        recorded_at = clock.now()
        transition(**columns)
        if "updated_at" in _names(type(row)):
            row.__dict__["updated_at"] = recorded_at
        if fact:
            self._record(row, fact, at or recorded_at, recorded_at)
        changed = _changed(row, before)
        self._batch.update(
            row,
            names=changed,
            only_if={row.state_column: source},
            lost=ConcurrentTransition(f"{row._meta.label} {row.pk} is not {source} any more"),
        )
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
        """Note the first state of a new row, which the caller saves or gives to `insert`."""
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

    def announce(self, row: Any, fact: Fact) -> None:
        """Record the first event about a new row that has no states; `insert` stores its count with it."""
        recorded_at = clock.now()
        self._record(row, fact, recorded_at, recorded_at)

    def insert(self, rows: Sequence[Model]) -> None:
        """Insert rows of one model, after the changes that were made before."""
        self._batch.insert(rows)

    def run(self, sql: str, params: Sequence[Any]) -> None:
        """Run another statement whose result nobody needs, after the changes that were made before."""
        self._batch.run(sql, params)

    def last(self, work: Callable[[], object]) -> None:
        """Do this when everything else is written: what locks rows that many payments wait for."""
        self._last.append(work)

    def wake(self, drain: str) -> None:
        """Nudge this drain when the transaction has committed, together with the relay."""
        self._wakes.append(drain)

    @requires_transaction
    def save(self) -> None:
        """Write the changes in their order, then the history and the events, then what comes last."""
        self._batch.insert(self._history)
        self._batch.insert(self._events)
        self._batch.send()
        wakes = [*self._wakes, "relay"] if self._events else self._wakes
        if wakes:
            nudge(*wakes)
        last = self._last
        self._history, self._events, self._last, self._wakes = [], [], [], []
        for work in last:
            work()

    def _append(
        self, row: StatefulModel, source: str, why: str, by: str, at: datetime, recorded_at: datetime
    ) -> None:
        self._history.append(
            new_row(
                StatusChange,
                merchant_id=_merchant_of(row),
                subject_type=row._meta.label_lower,
                subject_id=row.pk,
                from_state=source,
                to_state=row.state,
                reason=why[: 200 - len(self._because)] + self._because,
                actor=by,
                occurred_at=at,
                recorded_at=recorded_at,
            )
        )

    def _record(self, row: Any, fact: Fact, at: datetime, recorded_at: datetime) -> None:
        # The counter is a column of the locked row, so the numbers of a subject have no gaps.
        row.event_sequence += 1
        self._events.append(
            new_row(
                OutboxEvent,
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


@cache
def _names(model: type[Model]) -> frozenset[str]:
    return frozenset(field.attname for field in model._meta.concrete_fields)


def _changed(row: Model, before: dict[str, Any]) -> list[str]:
    """The columns that differ. Nearly all values are the very same objects, which is cheaper to see."""
    names = _names(type(row))
    return [
        name
        for name, value in row.__dict__.items()
        if value is not (old := before.get(name)) and value != old and name in names
    ]


def _merchant_of(row: Any) -> UUID | None:
    return getattr(row, "merchant_id", None)
