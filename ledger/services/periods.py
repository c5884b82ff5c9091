"""Closing days of the books, and where late items go."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.db import OperationalError, connection

from core import clock
from core.approvals import approve, ensure_approved, request_approval
from core.audit_trail import record_audit, required_reason
from core.errors import TemporarilyUnavailable
from core.ids import uuid7
from core.transactions import requires_transaction, sqlstate
from ledger.errors import PeriodClosed, PeriodNotOver
from ledger.selectors import closed_through
from ledger.types import EntryDraft, PeriodData
from ledger.wire import call

__all__ = ["approve_closing", "close_period", "land_entries", "request_closing"]

_ACTION = "period.close"
_DECIDE_WITHIN = timedelta(days=7)
_LOCK_NOT_AVAILABLE = "55P03"


@requires_transaction
def request_closing(*, merchant_id: UUID, through: date, maker: str, reason: str) -> UUID:
    """Ask a second person to let all days of a merchant's books up to one be closed; return the approval.

    Raises PeriodClosed, PeriodNotOver for a day that is not over, ReasonRequired.
    """
    reason = required_reason(reason)
    _closable(merchant_id, through)
    approval = request_approval(
        subject=_subject(merchant_id, through),
        action=_ACTION,
        instruction=_instruction(merchant_id, through),
        maker=maker,
        expires_in=_DECIDE_WITHIN,
        merchant_id=merchant_id,
    )
    record_audit(
        actor=maker,
        action="period.request_closing",
        subject=_subject(merchant_id, through),
        reason=reason,
        detail={"through": through.isoformat()},
        merchant_id=merchant_id,
    )
    return approval.pk


@requires_transaction
def approve_closing(*, merchant_id: UUID, through: date, approval_id: UUID, checker: str) -> None:
    """Say yes, as a second person, to what `request_closing` asked; call it under `at_decision_edge`.

    Errors: FourEyesRequired, ApprovalNotPending, ApprovalExpired, ApprovalVoid when the approval is about
    other days, NotFound.
    """
    approve(approval_id=approval_id, checker=checker, instruction_now=_instruction(merchant_id, through))


@requires_transaction
def close_period(*, merchant_id: UUID, through: date, actor: str) -> PeriodData:
    """Close all days up to one, for good, and freeze their totals. Closing is not undone.

    Waits for postings into these days that are under way. Raises FourEyesRequired without a second
    person's yes to exactly this, ApprovalExpired, PeriodClosed, PeriodNotOver, and TemporarilyUnavailable
    when a posting does not end in time.
    """
    _closable(merchant_id, through)
    approval = ensure_approved(
        subject=_subject(merchant_id, through),
        action=_ACTION,
        instruction_now=_instruction(merchant_id, through),
    )
    period_id, now = uuid7(), clock.now()
    checker = str(approval.checker)
    rows = _close([period_id, merchant_id, through, approval.maker, checker, approval.pk, now])
    period = PeriodData(
        id=period_id,
        merchant_id=merchant_id,
        first_day=rows[0][0],
        last_day=through,
        maker=approval.maker,
        checker=checker,
        closed_at=now,
    )
    record_audit(
        actor=actor,
        action=_ACTION,
        subject=_subject(merchant_id, through),
        detail={
            "first_day": period.first_day.isoformat(),
            "last_day": through.isoformat(),
            "approval": str(approval.pk),
        },
        merchant_id=merchant_id,
    )
    return period


def _close(values: list[Any]) -> list[tuple[Any, ...]]:
    try:
        return call(
            "ledger_close_period", "%s::uuid, %s::uuid, %s::date, %s, %s, %s::uuid, %s::timestamptz", values
        )
    except OperationalError as error:
        if sqlstate(error) == _LOCK_NOT_AVAILABLE:
            raise TemporarilyUnavailable() from error
        raise


@requires_transaction
def land_entries(*, drafts: Sequence[EntryDraft]) -> list[EntryDraft]:
    """Return the drafts with the days on which they can be posted in this transaction.

    An item whose day is closed goes to the next open day and keeps its own date as `original_date`. The
    days stay open until the transaction ends. For items that may be late; those of today need it not.
    """
    days = sorted({(draft.merchant_id, draft.effective_date) for draft in drafts})
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT merchant, day, ledger_open_day(merchant, day)"
            " FROM unnest(%s::uuid[], %s::date[]) AS wanted(merchant, day)",
            [[merchant_id for merchant_id, _ in days], [day for _, day in days]],
        )
        landing = {(merchant_id, day): open_day for merchant_id, day, open_day in cursor.fetchall()}
    return [_landed(draft, landing[draft.merchant_id, draft.effective_date]) for draft in drafts]


def _landed(draft: EntryDraft, day: date) -> EntryDraft:
    if day == draft.effective_date:
        return draft
    return replace(draft, effective_date=day, original_date=draft.original_date or draft.effective_date)


def _closable(merchant_id: UUID, through: date) -> None:
    if through >= clock.today():
        raise PeriodNotOver(param="through")
    closed = closed_through(merchant_id=merchant_id)
    if closed is not None and through <= closed:
        raise PeriodClosed(param="through")


def _subject(merchant_id: UUID, through: date) -> str:
    """Each day has a consent of its own, so that one that was used is never voided by asking for another."""
    return f"books:{merchant_id}:{through.isoformat()}"


def _instruction(merchant_id: UUID, through: date) -> dict[str, Any]:
    return {"merchant": str(merchant_id), "through": through.isoformat()}
