"""A desk's queue: the open cases of one kind, those due first at the top, the dearest of these first."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils.timesince import timesince
from django.utils.translation import gettext as _

from core import clock
from core.admin_display import amount, name_people, person
from core.models import Case

__all__ = ["Queue", "QueueLine", "queue_of"]

_MOST = 100


@dataclass(frozen=True)
class QueueLine:
    """One case as the queue shows it."""

    case_id: UUID
    merchant_id: UUID | None
    subject: str
    summary: str
    value: str
    age: str
    owner: str
    owner_actor: str
    is_overdue: bool
    opened_at: datetime


@dataclass(frozen=True)
class Queue:
    """The lines, and the subjects before and after the one that is open."""

    lines: tuple[QueueLine, ...]
    chosen: QueueLine | None
    before: str
    after: str
    is_cut: bool


def queue_of(*, kind: str, subject: str = "") -> Queue:
    """Return the queue of one kind of case with the case of `subject` chosen, or the first one."""
    rows: list[Any] = list(
        Case.objects.filter(kind=kind)
        .exclude(status="CLOSED")
        .order_by("due_at", "-value_minor")[: _MOST + 1]
    )
    is_cut, rows = len(rows) > _MOST, rows[:_MOST]
    name_people(rows, ("owner",))
    lines = tuple(_line(row) for row in rows)
    place = next((n for n, line in enumerate(lines) if line.subject == subject), None)
    if place is None and not subject and lines:
        place = 0
    return Queue(
        lines=lines,
        chosen=lines[place] if place is not None else None,
        before=lines[place - 1].subject if place else "",
        after=lines[place + 1].subject if place is not None and place + 1 < len(lines) else "",
        is_cut=is_cut,
    )


def _line(row: Case) -> QueueLine:
    now = clock.now()
    young = now - row.opened_at < timedelta(minutes=1)
    return QueueLine(
        case_id=row.pk,
        merchant_id=row.merchant_id,
        subject=row.subject,
        summary=row.summary,
        value=amount(row.value_minor, row.currency),
        age=_("just now") if young else timesince(row.opened_at, now),
        owner=person(row, row.owner),
        owner_actor=row.owner,
        is_overdue=row.due_at < now,
        opened_at=row.opened_at,
    )
