"""A charge whose provider contradicts us: two people say what became of it; the provider must bear it out."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

from channels.selectors import get_channel
from channels.services import record_calls
from core.approvals import approve, at_decision_edge, ensure_approved, reject, request_approval
from core.audit_trail import record_audit, required_reason
from core.cases import close_open_case
from core.errors import InvalidState, NotFound
from core.history import Changes
from core.ids import parse_public_id, public_id
from core.models import Approval
from core.nudges import nudge
from core.transactions import at_edge, forbids_transaction, requires_transaction
from payments.engine.authorized import adopt
from payments.engine.capture import book_capture
from payments.engine.closing import close_charge, failure_of
from payments.engine.differences import difference
from payments.engine.endings import start_closing
from payments.errors import ConflictUnproven
from payments.locks import ChargeScope, lock_charge
from payments.models import Charge
from payments.psp.contract import Outcome, PspObject, PspStatus, adapter_for

__all__ = [
    "ACTION",
    "End",
    "reject_conflict_resolution",
    "request_conflict_resolution",
    "resolve_conflict",
]

ACTION = "charge.resolve_conflict"
_EXPIRES_IN = timedelta(days=3)
End = Literal["captured", "declined", "canceled"]


@requires_transaction
def request_conflict_resolution(*, charge_id: UUID, outcome: End, reason: str, maker: str) -> UUID:
    """Ask for a second person's yes to what became of a charge; return the approval's key.

    Raises NotFound, InvalidState unless the charge is CONFLICTED, ReasonRequired.
    """
    scope = _conflicted(charge_id)
    approval = request_approval(
        subject=public_id("chg", charge_id),
        action=ACTION,
        instruction=_instruction(scope.charge, outcome, required_reason(reason)),
        maker=maker,
        expires_in=_EXPIRES_IN,
        merchant_id=scope.charge.merchant_id,
    )
    key: UUID = approval.pk
    return key


@forbids_transaction
def resolve_conflict(*, approval_id: UUID, checker: str) -> Literal["resolved", "closing"]:
    """Say yes as the second person, ask the provider, and do what was agreed if it bears that out.

    `captured` needs a payment that is captured and is the charge in every fact; `declined` and `canceled`
    need one that is closed. One that can still charge is closed first: the answer is "closing", and calling
    this again when that is done ends the charge. Raises NotFound, FourEyesRequired, ApprovalNotPending,
    ApprovalExpired, ApprovalVoid, and ConflictUnproven, after which it may be called again.
    """
    agreed = at_decision_edge(_agree)(approval_id, checker)
    channel = get_channel(channel_id=agreed.channel_id)
    answer = adapter_for(channel.provider).query(channel=channel, reference=agreed.reference)
    at_edge(_keep)(answer)
    if answer.object is None:
        raise ConflictUnproven()
    return at_edge(_act)(agreed, answer.object, checker)


@requires_transaction
def reject_conflict_resolution(*, approval_id: UUID, checker: str, reason: str) -> None:
    """Say no as the second person: the charge stays as it is, and another end may be asked for.

    Call it under `at_decision_edge`. Raises NotFound, ReasonRequired, FourEyesRequired, ApprovalNotPending,
    ApprovalExpired.
    """
    if not Approval.objects.filter(pk=approval_id, action=ACTION).exists():
        raise NotFound()
    reject(approval_id=approval_id, checker=checker, reason=reason)


@dataclass(frozen=True)
class Agreed:
    """What two people agreed on, and whom to ask about it."""

    charge_id: UUID
    outcome: End
    reason: str
    channel_id: UUID
    reference: str


def _agree(approval_id: UUID, checker: str) -> Agreed:
    approval = Approval.objects.filter(pk=approval_id, action=ACTION).first()
    charge_id = parse_public_id(approval.subject, "chg") if approval else None
    if approval is None or charge_id is None:
        raise NotFound()
    scope = _conflicted(charge_id)
    outcome, reason = approval.instruction["outcome"], approval.instruction["reason"]
    now = _instruction(scope.charge, outcome, reason)
    if approval.status == "APPROVED":
        ensure_approved(subject=approval.subject, action=ACTION, instruction_now=now)
    else:
        approve(approval_id=approval_id, checker=checker, instruction_now=now)
    return Agreed(charge_id, outcome, reason, scope.charge.channel_id, scope.charge.provider_reference)


def _keep(answer: Outcome) -> None:
    changes = Changes()
    record_calls(calls=answer.calls, changes=changes)
    changes.save()


def _act(agreed: Agreed, seen: PspObject, checker: str) -> Literal["resolved", "closing"]:
    scope = _conflicted(agreed.charge_id)
    now = _instruction(scope.charge, agreed.outcome, agreed.reason)
    ensure_approved(subject=public_id("chg", agreed.charge_id), action=ACTION, instruction_now=now)
    changes = Changes()
    if agreed.outcome == "captured":
        if seen.status is not PspStatus.CAPTURED or difference(scope, seen):
            raise ConflictUnproven()
        _settle_operations(scope, changes, checker, taken_minor=seen.captured_minor)
        if scope.payable.capture == "manual" and scope.disposing is None:
            adopt(scope, "capture", seen.captured_minor, changes, why="captured at the provider")
        book_capture(scope, None, seen, changes)
    elif seen.status in (PspStatus.CANCELED, PspStatus.EXPIRED):
        _settle_operations(scope, changes, checker)
        code = "payment_canceled" if agreed.outcome == "canceled" else "card_declined"
        close_charge(scope, changes, failure=failure_of(None, code=code), why=agreed.reason, by=checker)
    elif seen.status is PspStatus.CAPTURED:
        raise ConflictUnproven("The provider took money. It must be given back before this can end unpaid.")
    else:
        _settle_operations(scope, changes, checker, only=("expire", "capture", "void"))
        start_closing(scope, changes)
        changes.save()
        nudge("operations")
        return "closing"
    changes.save()
    _note(scope, agreed, checker)
    return "resolved"


def _settle_operations(
    scope: ChargeScope,
    changes: Changes,
    checker: str,
    *,
    taken_minor: int | None = None,
    only: Collection[str] = (),
) -> None:
    """`taken_minor` is what the provider took, if it did: by the operation that is of so much."""
    for operation in scope.operations:
        if operation.status != "CONFLICTED" or (only and operation.kind not in only):
            continue
        why = "decided by two people"
        is_capture = operation.kind == "capture" and operation.amount_minor == taken_minor
        if is_capture or (taken_minor is not None and operation is scope.paying):
            changes.move(operation, operation.to_succeeded, why=why, by=checker)
        else:
            changes.move(operation, operation.to_declined, why=why, by=checker, error=why)


def _note(scope: ChargeScope, agreed: Agreed, checker: str) -> None:
    record_audit(
        actor=checker,
        action=ACTION,
        subject=public_id("chg", scope.charge.id),
        reason=agreed.reason,
        detail={"outcome": agreed.outcome},
        merchant_id=scope.charge.merchant_id,
    )
    close_open_case(
        kind="charge_conflict",
        subject=public_id("chg", scope.charge.id),
        resolution=f"{agreed.outcome}, as two people decided: {agreed.reason}"[:500],
        by=checker,
    )


def _conflicted(charge_id: UUID) -> ChargeScope:
    scope = lock_charge(charge_id=charge_id)
    if scope is None:
        raise NotFound()
    if scope.charge.status != "CONFLICTED":
        raise InvalidState()
    return scope


def _instruction(charge: Charge, outcome: str, reason: str) -> dict[str, Any]:
    """What exactly is agreed on; should any of it change, the yes is void."""
    return {
        "charge": public_id("chg", charge.id),
        "outcome": outcome,
        "reason": reason,
        "amount_minor": charge.amount_minor,
        "currency": charge.amount_currency,
        "channel": str(charge.channel_id),
        "psp_reference": charge.psp_reference,
    }
