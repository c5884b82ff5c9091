"""A held bank statement that counts all the same, because two people know why it does not follow on.

One person says why, another one agrees. Statements that follow on it count with it.
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

from core.approvals import approve, reject, request_approval
from core.audit_trail import record_audit, required_reason
from core.errors import InvalidState, NotFound
from core.models import Approval
from core.transactions import requires_transaction
from reconciliation.ingest.statements import follow_up, let_count
from reconciliation.locks import lock_source, lock_statement
from reconciliation.models import BankStatement

__all__ = ["RELEASE_ACTION", "reject_statement_release", "release_statement", "request_statement_release"]

RELEASE_ACTION = "bank_statement.release"
_SUBJECT = "bank_statement:"
_EXPIRES_IN = timedelta(days=7)


@requires_transaction
def request_statement_release(*, statement_id: UUID, reason: str, maker: str) -> UUID:
    """Ask for a second person's yes to: this held statement counts; return the approval's key.

    Raises ReasonRequired, NotFound, and InvalidState unless the statement is held.
    """
    reason = required_reason(reason)
    statement = _held(statement_id)
    approval = request_approval(
        subject=f"{_SUBJECT}{statement.id}",
        action=RELEASE_ACTION,
        instruction=_instruction(statement, reason),
        maker=maker,
        expires_in=_EXPIRES_IN,
        merchant_id=statement.merchant_id,
    )
    key: UUID = approval.pk
    return key


@requires_transaction
def release_statement(*, approval_id: UUID, checker: str) -> None:
    """Say yes as the second person: the statement counts, and those that follow on it.

    Call it under `at_decision_edge`. Raises NotFound, FourEyesRequired, ApprovalNotPending, ApprovalExpired,
    ApprovalVoid, and InvalidState when the statement is not held any more.
    """
    approval, statement_id = _approval(approval_id)
    statement, reason = _held(statement_id), approval.instruction["reason"]
    approve(approval_id=approval_id, checker=checker, instruction_now=_instruction(statement, reason))
    let_count(statement, why=f"two people let it count: {reason}", by=checker)
    follow_up(source_id=statement.source_id, accounts=[statement.account])
    record_audit(
        actor=checker,
        action=RELEASE_ACTION,
        subject=approval.subject,
        reason=reason,
        detail={"document": statement.document, "maker": approval.maker},
        merchant_id=statement.merchant_id,
    )


@requires_transaction
def reject_statement_release(*, approval_id: UUID, checker: str, reason: str) -> None:
    """Say no as the second person: the statement stays held.

    Call it under `at_decision_edge`. Raises NotFound, ReasonRequired, FourEyesRequired, ApprovalNotPending,
    ApprovalExpired.
    """
    _approval(approval_id)
    reject(approval_id=approval_id, checker=checker, reason=reason)


def _approval(approval_id: UUID) -> tuple[Approval, UUID]:
    approval = Approval.objects.filter(pk=approval_id, action=RELEASE_ACTION).first()
    if approval is None:
        raise NotFound()
    return approval, UUID(approval.subject.removeprefix(_SUBJECT))


def _held(statement_id: UUID) -> BankStatement:
    source_id = BankStatement.objects.filter(pk=statement_id).values_list("source_id", flat=True).first()
    if source_id is None:
        raise NotFound()
    lock_source(source_id=source_id)
    statement = lock_statement(statement_id=statement_id)
    if statement.status != "HELD":
        raise InvalidState("The statement is not held.")
    return statement


def _instruction(statement: BankStatement, reason: str) -> dict[str, Any]:
    """What exactly is agreed on; should any of it change, the yes is void."""
    return {
        "statement": str(statement.id),
        "document": statement.document,
        "account": statement.account,
        "period_from": statement.period_from.isoformat(),
        "period_to": statement.period_to.isoformat(),
        "opening_minor": statement.opening_minor,
        "closing_minor": statement.closing_minor,
        "currency": statement.currency,
        "lines": statement.lines_count,
        "held_because": statement.held_because,
        "reason": reason,
    }
