"""What became of a batch that nobody knows the end of, told by people who have asked the bank themselves.

One person says it with evidence, another one agrees. "Never received" gives the money back; nothing is sent
again by it: whoever wants it sent asks for it anew.
"""

from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

from core import clock
from core.approvals import approve, reject, request_approval
from core.audit_trail import record_audit, required_reason
from core.errors import InvalidState, NotFound
from core.history import Changes
from core.ids import parse_public_id
from core.models import Approval
from core.nudges import nudge
from core.transactions import requires_transaction
from payouts.engine.locks import BatchScope, lock_sending
from payouts.engine.news import Postings, refuse
from payouts.engine.outcome import apply_outcome, close_if_ended
from payouts.providers.contract import BatchKind, BatchOutcome, PayoutFailure

__all__ = [
    "OUTCOME_ACTIONS",
    "BatchEnd",
    "approve_batch_outcome",
    "reject_batch_outcome",
    "request_batch_outcome",
]

BatchEnd = Literal["taken", "never_received"]
OUTCOME_ACTIONS: dict[BatchEnd, str] = {
    "taken": "payout_batch.taken",
    "never_received": "payout_batch.never_received",
}
_EXPIRES_IN = timedelta(days=1)
_NEVER = PayoutFailure("payout_never_received", "The bank never received the payout.")


@requires_transaction
def request_batch_outcome(*, batch_id: UUID, end: BatchEnd, evidence: str, maker: str) -> UUID:
    """Ask for a second person's yes to what became of a batch; return the approval's key.

    Raises ReasonRequired, NotFound, and InvalidState unless nobody knows whether the batch arrived.
    """
    evidence = required_reason(evidence)
    scope = _in_doubt(batch_id, end)
    approval = request_approval(
        subject=scope.batch.public_id,
        action=OUTCOME_ACTIONS[end],
        instruction=_instruction(scope, end, evidence),
        maker=maker,
        expires_in=_EXPIRES_IN,
        merchant_id=scope.batch.merchant_id,
    )
    key: UUID = approval.pk
    return key


@requires_transaction
def approve_batch_outcome(*, approval_id: UUID, checker: str) -> None:
    """Say yes as the second person, and carry it out.

    Taken: the payouts are SENT and posted so, and the provider is asked on. Never received: they FAILED, and
    the sellers have the money again. Call it under `at_decision_edge`. Raises NotFound, FourEyesRequired,
    ApprovalNotPending, ApprovalExpired, ApprovalVoid, and InvalidState when the provider was faster or is
    being asked in this moment.
    """
    approval, batch_id = _approval(approval_id)
    said = approval.instruction
    scope = _in_doubt(batch_id, said["end"])
    now = _instruction(scope, said["end"], said["evidence"])
    approve(approval_id=approval_id, checker=checker, instruction_now=now)
    changes = Changes()
    if said["end"] == "taken":
        apply_outcome(scope, BatchOutcome(BatchKind.TAKEN), changes, asked=True)
    else:
        _give_back(scope, changes, by=checker)
    changes.save()
    nudge("payout_batches")
    record_audit(
        actor=checker,
        action=approval.action,
        subject=approval.subject,
        reason=said["evidence"],
        detail={"total_minor": said["total_minor"], "currency": said["currency"], "maker": approval.maker},
        merchant_id=scope.batch.merchant_id,
    )


@requires_transaction
def reject_batch_outcome(*, approval_id: UUID, checker: str, reason: str) -> None:
    """Say no as the second person: the provider is asked on.

    Call it under `at_decision_edge`. Raises NotFound, ReasonRequired, FourEyesRequired, ApprovalNotPending,
    ApprovalExpired.
    """
    _approval(approval_id)
    reject(approval_id=approval_id, checker=checker, reason=reason)


def _give_back(scope: BatchScope, changes: Changes, *, by: str) -> None:
    postings = Postings()
    for attempt in scope.attempts:
        if attempt.status == "UNKNOWN":
            # It stays in the batch: the file that left can still be made again and looked at.
            refuse(attempt, _NEVER, changes, postings, by=by)
    batch, why = scope.batch, "two people say that it was never received"
    changes.move(batch, batch.to_refused, why=why, by=by, error=why)
    postings.give_to(changes)
    close_if_ended(batch, scope.attempts, changes)


def _approval(approval_id: UUID) -> tuple[Approval, UUID]:
    approval = Approval.objects.filter(pk=approval_id, action__in=OUTCOME_ACTIONS.values()).first()
    batch_id = parse_public_id(approval.subject, "pob") if approval else None
    if approval is None or batch_id is None:
        raise NotFound()
    return approval, batch_id


def _in_doubt(batch_id: UUID, end: BatchEnd) -> BatchScope:
    """Lock a batch of which nobody knows whether it arrived, while nobody asks."""
    scope = lock_sending(batch_id=batch_id)
    batch = scope.batch
    if batch.status != "UNKNOWN":
        raise InvalidState("What became of this batch is known.")
    if batch.leased_until is not None and batch.leased_until > clock.now():
        # Whoever asks may find that it never arrived, and send it again.
        raise InvalidState("The provider is being asked in this moment. Look again in a minute.")
    told = [each for each in scope.attempts if each.status not in ("UNKNOWN", "CANCELED")]
    if end == "never_received" and told:
        raise InvalidState("The provider told of some of these payouts, so it has the batch.")
    return scope


def _instruction(scope: BatchScope, end: BatchEnd, evidence: str) -> dict[str, Any]:
    """What exactly is agreed on; should any of it change, the yes is void."""
    batch = scope.batch
    return {
        "batch": batch.public_id,
        "reference": batch.reference,
        "end": end,
        "payouts": [each.reference for each in scope.attempts if each.status == "UNKNOWN"],
        "total_minor": batch.total_minor,
        "currency": batch.currency,
        "sha256": bytes(batch.sha256).hex() if batch.sha256 is not None else None,
        "evidence": evidence,
    }
