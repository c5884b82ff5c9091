"""A day is prepared by one person, and excused where a file is missing; until it is signed it may change."""

from contextlib import suppress
from datetime import date
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from core import clock
from core.approvals import ApprovalNotPending, FourEyesRequired, void
from core.audit_trail import is_person, record_audit, required_reason
from core.canonical import digest
from core.errors import NotFound
from core.history import begin, move
from core.ids import public_id, uuid7
from core.transactions import UNIQUE_VIOLATION, requires_transaction, sqlstate
from ledger.selectors import closed_through
from ledger.services import request_closing
from reconciliation.closing.figures import VERSION, books_figures, noted_figures
from reconciliation.closing.obstacles import notices_of, obstacles_of
from reconciliation.closing.reading import day_data, next_day
from reconciliation.closing.types import DayData
from reconciliation.errors import DayBlocked, DayNotPrepared, DayOutOfOrder, SourceUnknown
from reconciliation.internal.clearing import age_clearing
from reconciliation.locks import lock_day
from reconciliation.matching.sql import long_statements
from reconciliation.models import DayClose, DayExcuse, SettlementSource

__all__ = ["excuse_file", "prepare_day", "reopen_day"]


@requires_transaction
def prepare_day(*, merchant_id: UUID, day: date, maker: str) -> DayData:
    """Freeze the figures of a day and ask a second person to sign them; a prepared day is prepared anew.

    Raises DayOutOfOrder, DayBlocked with what stands in the way, PeriodNotOver, PeriodClosed, and
    FourEyesRequired for who is no person.
    """
    if not is_person(maker):
        raise FourEyesRequired
    _check_turn(merchant_id, day)
    long_statements()
    age_clearing(merchant_id=merchant_id)
    row = _begun(merchant_id, day, maker)
    if row.status == "CLOSED":
        raise DayOutOfOrder
    if row.status == "PREPARED":
        _take_back(row, by=maker, why="prepared again")
    now = clock.now()
    books = books_figures(merchant_id=merchant_id, day=day)
    obstacles = obstacles_of(merchant_id=merchant_id, day=day, books=books)
    if obstacles:
        raise DayBlocked(obstacles)
    consent = request_closing(
        merchant_id=merchant_id, through=day, maker=maker, reason="the day is reconciled"
    )
    figures: dict[str, Any] = {
        "version": VERSION,
        "day": day.isoformat(),
        "merchant": public_id("mer", merchant_id),
        "consent": str(consent),
        "books": books,
        "noted": noted_figures(merchant_id=merchant_id, day=day, now=now),
        "notices": [
            {"code": each.code, "says": each.says, "subject": each.subject}
            for each in notices_of(merchant_id=merchant_id, day=day, now=now)
        ],
    }
    frozen = digest(figures)
    move(
        row,
        row.to_prepared,
        why="prepared",
        by=maker,
        figures=figures,
        digest=frozen,
        prepared_by=maker,
        prepared_at=now,
    )
    _record(row, "day.prepare", by=maker, detail={"digest": frozen.hex()})
    return day_data(row)


@requires_transaction
def reopen_day(*, merchant_id: UUID, day: date, by: str, reason: str) -> DayData:
    """Take back that a day is prepared: its maker does, or who should sign says no.

    Raises DayNotPrepared, ReasonRequired.
    """
    reason = required_reason(reason)
    row = lock_day(merchant_id=merchant_id, day=day)
    if row is None or row.status != "PREPARED":
        raise DayNotPrepared
    _take_back(row, by=by, why=reason)
    _record(row, "day.reopen", by=by, reason=reason)
    return day_data(row)


@requires_transaction
def excuse_file(*, merchant_id: UUID, source_name: str, day: date, by: str, reason: str) -> None:
    """Say why a day may be closed without a source's file about it; the report names who said so.

    Raises ReasonRequired, SourceUnknown, FourEyesRequired for who is no person, DayOutOfOrder for a day that
    is closed. Said again, the first reason stays.
    """
    reason = required_reason(reason)
    if not is_person(by):
        raise FourEyesRequired
    source = SettlementSource.objects.filter(merchant_id=merchant_id, name=source_name).first()
    if source is None:
        raise SourceUnknown
    closed = closed_through(merchant_id=merchant_id)
    if closed is not None and day <= closed:
        raise DayOutOfOrder
    known = DayExcuse.objects.filter(merchant_id=merchant_id, source=source, day=day)
    if known.exists():
        return
    _insert(DayExcuse(merchant_id=merchant_id, source=source, day=day, reason=reason, by=by, at=clock.now()))
    record_audit(
        actor=by,
        action="day.excuse_file",
        subject=f"day:{day.isoformat()}:{source.name}",
        reason=reason,
        merchant_id=merchant_id,
    )


def _check_turn(merchant_id: UUID, day: date) -> None:
    """The first close takes all days before it with it; from then on one day follows the other."""
    wanted = next_day(merchant_id=merchant_id)
    if wanted is not None and day != wanted:
        raise DayOutOfOrder


def _begun(merchant_id: UUID, day: date, maker: str) -> DayClose:
    """The locked row of a day, made if there is none."""
    row = lock_day(merchant_id=merchant_id, day=day)
    if row is not None:
        return row
    now = clock.now()
    fresh = DayClose(id=uuid7(), merchant_id=merchant_id, day=day, created_at=now, updated_at=now)
    if _insert(fresh):
        begin(fresh, why="begun", by=maker)
    row = lock_day(merchant_id=merchant_id, day=day)
    if row is None:
        raise NotFound
    return row


def _insert(row: DayClose | DayExcuse) -> bool:
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        if sqlstate(error) != UNIQUE_VIOLATION:
            raise
        return False  # Somebody was faster.
    return True


def _take_back(row: DayClose, *, by: str, why: str) -> None:
    move(row, row.to_open, why=why, by=by)
    with suppress(ApprovalNotPending):  # It may have lapsed before.
        void(approval_id=UUID(row.figures["consent"]), actor=by, reason=why)


def _record(row: DayClose, action: str, *, by: str, reason: str = "", **more: Any) -> None:
    record_audit(
        actor=by,
        action=action,
        subject=f"day:{row.day.isoformat()}",
        reason=reason,
        merchant_id=row.merchant_id,
        **more,
    )
