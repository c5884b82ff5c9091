"""What finance decides about disputes: to let one stand, or to assign it to other orders.

From a bound on two people decide; below it one person's word, with a reason, is enough.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from core.approvals import approve, reject, request_approval
from core.audit_trail import record_audit, required_reason
from core.errors import InvalidState, NotFound
from core.history import Changes
from core.ids import parse_public_id, public_id
from core.models import Approval
from core.money import format_minor
from core.nudges import nudge
from core.transactions import requires_transaction
from payments.engine.disputes.answers import start_acceptance
from payments.engine.disputes.books import Books
from payments.engine.disputes.lines import amounts_of, free_lines, reserve_lines
from payments.engine.disputes.locks import DisputeScope, lock_dispute
from payments.engine.disputes.observe import keep_dispute
from payments.engine.disputes.overlaps import settle_excess
from payments.engine.disputes.policy import needs_two_people
from payments.engine.disputes.verdicts import Step
from payments.errors import DisputeNotOpen, DivisionInvalid

__all__ = [
    "ACCEPT",
    "ACTIONS",
    "REASSIGN",
    "accept_dispute",
    "approve_dispute_decision",
    "reassign_dispute",
    "reject_dispute_decision",
]

ACCEPT, REASSIGN = "dispute.accept", "dispute.reassign"
ACTIONS = (ACCEPT, REASSIGN)
_EXPIRES_IN = timedelta(days=3)


@requires_transaction
def accept_dispute(*, dispute_id: UUID, reason: str, maker: str) -> UUID | None:
    """Let a dispute stand: nothing is answered and it is lost, for good.

    Returns the approval that is asked for where two people are needed, else None. Raises NotFound,
    ReasonRequired, DisputeNotOpen, EvidenceInProgress.
    """
    scope = _locked(dispute_id)
    if scope.dispute.status != "OPEN":
        raise DisputeNotOpen()
    instruction = _accept_instruction(scope, required_reason(reason))
    return _do_or_ask(scope, ACCEPT, instruction, maker)


@requires_transaction
def reassign_dispute(
    *, dispute_id: UUID, amounts: Mapping[UUID, int], reason: str, maker: str
) -> UUID | None:
    """Say which orders a dispute is of, in minor units by order, before it is decided.

    What is held moves with it. Returns as `accept_dispute`. Raises NotFound, ReasonRequired, DisputeNotOpen,
    DivisionInvalid unless the amounts are of the dispute's orders, add up to it, and none is more than was
    captured of its order.
    """
    scope = _locked(dispute_id)
    _check_division(scope, amounts)
    instruction = _reassign_instruction(scope, amounts, required_reason(reason))
    return _do_or_ask(scope, REASSIGN, instruction, maker)


@requires_transaction
def approve_dispute_decision(*, approval_id: UUID, checker: str) -> None:
    """Say yes as the second person, and do it. Call it under `at_decision_edge`.

    Raises NotFound, FourEyesRequired, ApprovalNotPending, ApprovalExpired, ApprovalVoid, and as the
    decision itself.
    """
    found = _approval(approval_id)
    dispute_id = parse_public_id(found.subject, "dp")
    scope = _locked(dispute_id) if dispute_id else None
    if scope is None:
        raise NotFound()
    told = found.instruction
    if found.action == ACCEPT:
        now = _accept_instruction(scope, told["reason"])
    else:
        now = _reassign_instruction(scope, _amounts(told), told["reason"])
    approve(approval_id=approval_id, checker=checker, instruction_now=now)
    _do(scope, found.action, told, by=checker)


@requires_transaction
def reject_dispute_decision(*, approval_id: UUID, checker: str, reason: str) -> None:
    """Say no as the second person: the dispute stays as it is. Call it under `at_decision_edge`.

    Raises NotFound, ReasonRequired, FourEyesRequired, ApprovalNotPending, ApprovalExpired.
    """
    reject(approval_id=_approval(approval_id).pk, checker=checker, reason=reason)


def _do_or_ask(scope: DisputeScope, action: str, instruction: dict[str, Any], maker: str) -> UUID | None:
    dispute = scope.dispute
    if needs_two_people(
        merchant_id=dispute.merchant_id, amount_minor=dispute.amount_minor, currency=dispute.currency
    ):
        approval = request_approval(
            subject=public_id("dp", dispute.id),
            action=action,
            instruction=instruction,
            maker=maker,
            expires_in=_EXPIRES_IN,
            merchant_id=dispute.merchant_id,
        )
        key: UUID = approval.pk
        return key
    _do(scope, action, instruction, by=maker)
    return None


def _do(scope: DisputeScope, action: str, instruction: Mapping[str, Any], *, by: str) -> None:
    changes = Changes()
    if action == ACCEPT:
        start_acceptance(scope, changes, by=by)
        nudge("operations")
    else:
        _reassign(scope, _amounts(instruction), changes, by=by)
    record_audit(
        actor=by,
        action=action,
        subject=public_id("dp", scope.dispute.id),
        reason=instruction["reason"],
        detail=dict(instruction),
        merchant_id=scope.dispute.merchant_id,
    )
    changes.save()


def _reassign(scope: DisputeScope, amounts: Mapping[UUID, int], changes: Changes, *, by: str) -> None:
    _check_division(scope, amounts)
    dispute, step = scope.dispute, Step(scope, changes, by)
    dispute.round += 1
    before, books = step.parts(), Books(dispute, dispute.round, by)
    is_open = dispute.status != "INQUIRY"
    if is_open:
        free_lines(scope)
    for line in scope.lines:
        line.amount_minor = amounts.get(line.order_id, 0)
        line.save(update_fields=["amount_minor"])
    if is_open:
        reserve_lines(scope)
    if dispute.is_held:
        step.hold()
        after = step.parts()
        changes.last(lambda: books.released(before, why="assigned to other orders"))
        changes.last(lambda: books.held(after))
    if is_open:
        settle_excess(
            charge_id=dispute.charge_id,
            orders=scope.orders,
            changes=changes,
            shares=scope.shares,
            but=dispute.id,
            by=by,
        )
    keep_dispute(dispute, changes)


def _check_division(scope: DisputeScope, amounts: Mapping[UUID, int]) -> None:
    dispute = scope.dispute
    if dispute.status not in ("INQUIRY", "OPEN", "EVIDENCE_SENT"):
        raise DisputeNotOpen()
    most = {line.order_id: line.charge_line.amount_minor for line in scope.lines}
    if not set(amounts) <= set(most) or sum(amounts.values()) != dispute.amount_minor:
        raise DivisionInvalid()
    if any(not 0 <= minor <= most[key] for key, minor in amounts.items()):
        raise DivisionInvalid()


def _accept_instruction(scope: DisputeScope, reason: str) -> dict[str, Any]:
    return {**_what(scope), "reason": reason}


def _reassign_instruction(scope: DisputeScope, amounts: Mapping[UUID, int], reason: str) -> dict[str, Any]:
    now = amounts_of(scope)
    return {
        **_what(scope),
        "from": {str(key): minor for key, minor in sorted(now.items())},
        "to": {str(key): minor for key, minor in sorted(amounts.items())},
        "reason": reason,
    }


def _what(scope: DisputeScope) -> dict[str, Any]:
    dispute = scope.dispute
    return {
        "dispute": dispute.psp_reference,
        "amount": format_minor(dispute.amount_minor, dispute.currency),
        "currency": dispute.currency,
        "status": dispute.status,
    }


def _amounts(instruction: Mapping[str, Any]) -> dict[UUID, int]:
    return {UUID(key): int(minor) for key, minor in instruction["to"].items()}


def _approval(approval_id: UUID) -> Approval:
    found = Approval.objects.filter(pk=approval_id, action__in=(ACCEPT, REASSIGN)).first()
    if found is None:
        raise NotFound()
    if found.status not in ("PENDING",):
        raise InvalidState("This was decided already.")
    return found


def _locked(dispute_id: UUID) -> DisputeScope:
    scope = lock_dispute(dispute_id=dispute_id)
    if scope is None:
        raise NotFound()
    return scope
