"""Four eyes: one person asks, another one decides, and the yes is to one exact instruction.

The instruction is kept with its SHA-256; when it differs at the moment of decision or of use, the
approval is void. PostgreSQL refuses a checker who is the maker, whatever this code does.
"""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from hmac import compare_digest
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

from django.db import IntegrityError, transaction

from core import clock
from core.audit_trail import is_person, record_audit, required_reason
from core.canonical import digest
from core.errors import DomainError, TemporarilyUnavailable
from core.history import SYSTEM, begin, move
from core.locks import lock_approval
from core.models import Approval
from core.transactions import UNIQUE_VIOLATION, at_edge, requires_transaction, sqlstate

__all__ = [
    "ApprovalExpired",
    "ApprovalNotPending",
    "ApprovalVoid",
    "FourEyesRequired",
    "approve",
    "at_decision_edge",
    "ensure_approved",
    "expire_due_approvals",
    "reject",
    "request_approval",
    "void",
]

P = ParamSpec("P")
R = TypeVar("R")
_TRIES = 3


class FourEyesRequired(DomainError):
    code = "four_eyes_required"
    status = 403
    message = "A second person must decide this: not the one who asked for it, and not a key."


class ApprovalNotPending(DomainError):
    code = "approval_not_pending"
    status = 409
    message = "This approval was decided already, or is no longer valid."


class _Lapsed(DomainError):
    """The approval must not be used any more; `at_decision_edge` writes that down."""

    status = 409
    approval_id: UUID | None = None

    @classmethod
    def of(cls, approval: Approval) -> "_Lapsed":
        error = cls()
        error.approval_id = approval.pk
        return error


class ApprovalExpired(_Lapsed):
    code = "approval_expired"
    message = "Nobody decided in time. Ask again."


class ApprovalVoid(_Lapsed):
    code = "approval_void"
    message = "The instruction changed after the approval was requested. Ask again for what it is now."


@requires_transaction
def request_approval(
    *,
    subject: str,
    action: str,
    instruction: dict[str, Any],
    maker: str,
    expires_in: timedelta,
    merchant_id: UUID | None = None,
) -> Approval:
    """Ask for a second person's yes to one exact instruction.

    Returns the pending approval of this subject and action. Asking again for the same instruction
    returns the same one; asking for another instruction voids the first. Raises TypeError for an
    instruction with floats.
    """
    wanted, now = digest(instruction), clock.now()
    for _ in range(_TRIES):
        waiting = _waiting(subject, action, wanted)
        if waiting is not None:
            return waiting
        approval = Approval(
            merchant_id=merchant_id,
            subject=subject,
            action=action,
            instruction=instruction,
            digest=wanted,
            maker=maker,
            requested_at=now,
            expires_at=now + expires_in,
        )
        if _insert(approval):
            begin(approval, why=f"requested: {action}", by=maker)
            _record(approval, "approval.request", by=maker)
            return approval
    raise TemporarilyUnavailable


@requires_transaction
def approve(*, approval_id: UUID, checker: str, instruction_now: dict[str, Any]) -> Approval:
    """Say yes, as a second person, to the instruction as it is now.

    Errors: FourEyesRequired, ApprovalNotPending, ApprovalExpired, ApprovalVoid, NotFound. Call it under
    `at_decision_edge`, which writes down that an approval lapsed although the decision was refused.
    """
    approval = _decidable(approval_id, checker)
    if not compare_digest(bytes(approval.digest), digest(instruction_now)):
        raise ApprovalVoid.of(approval)
    move(approval, approval.to_approved, why="approved", by=checker, checker=checker, decided_at=clock.now())
    _record(approval, "approval.approve", by=checker)
    return approval


@requires_transaction
def reject(*, approval_id: UUID, checker: str, reason: str) -> Approval:
    """Say no, as a second person, with a reason.

    Errors: ReasonRequired, FourEyesRequired, ApprovalNotPending, ApprovalExpired, NotFound.
    """
    reason = required_reason(reason)
    approval = _decidable(approval_id, checker)
    move(
        approval,
        approval.to_rejected,
        why=reason,
        by=checker,
        checker=checker,
        decided_at=clock.now(),
        reason=reason,
    )
    _record(approval, "approval.reject", by=checker, reason=reason)
    return approval


@requires_transaction
def void(*, approval_id: UUID, actor: str, reason: str) -> Approval:
    """Withdraw an approval, asked for or given, because its instruction changed or is not wanted any more.

    Errors: ApprovalNotPending when it is rejected, expired or void already; NotFound.
    """
    reason = required_reason(reason)
    approval = lock_approval(approval_id=approval_id)
    if approval.status not in ("PENDING", "APPROVED"):
        raise ApprovalNotPending
    _void(approval, by=actor, reason=reason)
    return approval


@requires_transaction
def ensure_approved(*, subject: str, action: str, instruction_now: dict[str, Any]) -> Approval:
    """Return the locked, given, unexpired approval of exactly this instruction; called before acting on it.

    Errors: FourEyesRequired when there is none, ApprovalVoid when the instruction changed since,
    ApprovalExpired when the yes is too old.
    """
    given = (
        Approval.objects.filter(subject=subject, action=action, status="APPROVED")
        .order_by("-decided_at")
        .first()
    )
    if given is None:
        raise FourEyesRequired
    approval = lock_approval(approval_id=given.pk)
    if approval.status != "APPROVED":
        raise ApprovalNotPending
    if approval.expires_at <= clock.now():
        raise ApprovalExpired.of(approval)
    if not compare_digest(bytes(approval.digest), digest(instruction_now)):
        raise ApprovalVoid.of(approval)
    return approval


@requires_transaction
def expire_due_approvals(*, limit: int = 500) -> int:
    """Expire pending approvals whose time is over; return how many."""
    due = Approval.objects.filter(status="PENDING", expires_at__lte=clock.now()).order_by("pk")
    expired = 0
    for approval_id in list(due.values_list("pk", flat=True)[:limit]):
        approval = lock_approval(approval_id=approval_id)
        if approval.status == "PENDING":
            _expire(approval)
            expired += 1
    return expired


def at_decision_edge(func: Callable[P, R]) -> Callable[P, R]:
    """Run a decision in one durable transaction; if it was refused because the approval lapsed, record that.

    The refusal rolls everything back. Without this second, small transaction the approval would stay
    pending although it can never be given.
    """
    edge = at_edge(func)

    @wraps(func)
    def decision(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return edge(*args, **kwargs)
        except _Lapsed as error:
            at_edge(_write_down)(error)
            raise

    return decision


def _write_down(error: _Lapsed) -> None:
    if error.approval_id is None:
        return
    approval = lock_approval(approval_id=error.approval_id)
    if approval.status not in ("PENDING", "APPROVED"):
        return  # Somebody else ended it meanwhile.
    if isinstance(error, ApprovalExpired):
        _expire(approval)
    else:
        _void(approval, by=SYSTEM, reason="the instruction changed")


def _decidable(approval_id: UUID, checker: str) -> Approval:
    approval = lock_approval(approval_id=approval_id)
    if approval.status != "PENDING":
        raise ApprovalNotPending
    if checker == approval.maker or not is_person(checker):
        raise FourEyesRequired
    if approval.expires_at <= clock.now():
        raise ApprovalExpired.of(approval)
    return approval


def _waiting(subject: str, action: str, wanted: bytes) -> Approval | None:
    found = Approval.objects.filter(subject=subject, action=action, status="PENDING").first()
    if found is None:
        return None
    waiting = lock_approval(approval_id=found.pk)
    if waiting.status != "PENDING" or _settle_if_stale(waiting, wanted):
        return None
    return waiting


def _insert(approval: Approval) -> bool:
    try:
        with transaction.atomic():
            approval.save(force_insert=True)
    except IntegrityError as error:
        if sqlstate(error) != UNIQUE_VIOLATION:
            raise
        return False  # Somebody asked at the same moment; look again at what they asked for.
    return True


def _settle_if_stale(waiting: Approval, wanted: bytes) -> bool:
    if waiting.expires_at <= clock.now():
        _expire(waiting)
        return True
    if not compare_digest(bytes(waiting.digest), wanted):
        _void(waiting, by=SYSTEM, reason="another instruction was requested")
        return True
    return False


def _expire(approval: Approval) -> None:
    move(approval, approval.to_expired, why="nobody decided in time")
    _record(approval, "approval.expire", by=SYSTEM)


def _void(approval: Approval, *, by: str, reason: str) -> None:
    move(approval, approval.to_void, why=reason, by=by, reason=reason)
    _record(approval, "approval.void", by=by, reason=reason)


def _record(approval: Approval, action: str, *, by: str, reason: str = "") -> None:
    record_audit(
        actor=by,
        action=action,
        subject=approval.subject,
        reason=reason,
        detail={
            "approval": str(approval.pk),
            "action": approval.action,
            "digest": bytes(approval.digest).hex(),
        },
        merchant_id=approval.merchant_id,
    )
