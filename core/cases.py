"""Cases: what a person must look at, with the value at risk, an owner and a clock."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from core import clock
from core.audit_trail import record_audit, required_reason
from core.errors import DomainError
from core.history import SYSTEM, begin, move
from core.locks import lock_case
from core.models import Case
from core.transactions import UNIQUE_VIOLATION, requires_transaction, sqlstate

__all__ = [
    "CaseClosed",
    "assign_case",
    "close_case",
    "close_open_case",
    "open_case",
    "open_case_once",
    "release_case",
]


class CaseClosed(DomainError):
    code = "case_closed"
    status = 409
    message = "This case is closed. A new one opens when the same thing happens again."


@requires_transaction
def open_case(
    *,
    kind: str,
    subject: str,
    summary: str,
    due_in: timedelta,
    detail: dict[str, Any] | None = None,
    value_minor: int | None = None,
    currency: str = "",
    merchant_id: UUID | None = None,
    by: str = SYSTEM,
) -> Case:
    """Open a case, or return the one of this kind and subject that is open.

    `value_minor` is the value at risk in minor units of `currency`. Requires a transaction.
    """
    case, _is_new = open_case_once(
        kind=kind,
        subject=subject,
        summary=summary,
        due_in=due_in,
        detail=detail,
        value_minor=value_minor,
        currency=currency,
        merchant_id=merchant_id,
        by=by,
    )
    return case


@requires_transaction
def open_case_once(
    *,
    kind: str,
    subject: str,
    summary: str,
    due_in: timedelta,
    detail: dict[str, Any] | None = None,
    value_minor: int | None = None,
    currency: str = "",
    merchant_id: UUID | None = None,
    by: str = SYSTEM,
) -> tuple[Case, bool]:
    """Do what `open_case` does; return whether this call opened it as well: of many at once, one did."""
    existing = _open(kind, subject)
    if existing is not None:
        return existing, False
    now = clock.now()
    case = Case(
        merchant_id=merchant_id,
        kind=kind,
        subject=subject,
        summary=summary,
        detail=detail or {},
        value_minor=value_minor,
        currency=currency,
        opened_at=now,
        due_at=now + due_in,
    )
    try:
        with transaction.atomic():
            case.save(force_insert=True)
    except IntegrityError as error:
        if sqlstate(error) != UNIQUE_VIOLATION:
            raise
        # Somebody opened the same case at the same moment; theirs is ours.
        existing = _open(kind, subject)
        if existing is None:
            raise
        return existing, False
    begin(case, why=summary, by=by)
    return case, True


@requires_transaction
def assign_case(*, case_id: UUID, owner: str, by: str) -> Case:
    """Give a case to a person. Errors: CaseClosed, NotFound."""
    case = _unfinished(case_id)
    move(case, case.to_assigned, why=f"assigned to {owner}", by=by, owner=owner)
    _record(case, "case.assign", by=by, detail={"owner": owner})
    return case


@requires_transaction
def release_case(*, case_id: UUID, by: str, reason: str) -> Case:
    """Put a case back into the queue; one that nobody owns is returned unchanged.

    Errors: ReasonRequired, CaseClosed, NotFound.
    """
    reason = required_reason(reason)
    case = _unfinished(case_id)
    if case.status == "ASSIGNED":
        move(case, case.to_open, why=reason, by=by)
        _record(case, "case.release", by=by, reason=reason)
    return case


@requires_transaction
def close_case(*, case_id: UUID, resolution: str, by: str) -> Case:
    """Close a case with the explanation. Errors: ReasonRequired, CaseClosed, NotFound."""
    resolution = required_reason(resolution)
    case = _unfinished(case_id)
    move(case, case.to_closed, why=resolution, by=by, resolution=resolution, closed_at=clock.now())
    _record(case, "case.close", by=by, reason=resolution)
    return case


@requires_transaction
def close_open_case(*, kind: str, subject: str, resolution: str, by: str) -> Case | None:
    """Close the open case of this kind and subject, if there is one: what it asked for has been done.

    Errors: ReasonRequired.
    """
    existing = _open(kind, subject)
    # Whoever closed it between the two looks did what was to be done here.
    if existing is None or lock_case(case_id=existing.pk).status == "CLOSED":
        return None
    return close_case(case_id=existing.pk, resolution=resolution, by=by)


def _open(kind: str, subject: str) -> Case | None:
    return Case.objects.filter(kind=kind, subject=subject).exclude(status="CLOSED").first()


def _unfinished(case_id: UUID) -> Case:
    case = lock_case(case_id=case_id)
    if case.status == "CLOSED":
        raise CaseClosed
    return case


def _record(
    case: Case, action: str, *, by: str, reason: str = "", detail: dict[str, Any] | None = None
) -> None:
    record_audit(
        actor=by,
        action=action,
        subject=case.subject,
        reason=reason,
        detail={"case": str(case.pk), "kind": case.kind, **(detail or {})},
        merchant_id=case.merchant_id,
    )
