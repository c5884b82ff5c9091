"""A payout that came back, told by people: one has seen the evidence, another one agrees.

Where a provider or the bank's own line tells of it, nobody is needed (payouts/engine/observe.py).
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

from core.approvals import approve, reject, request_approval
from core.audit_trail import record_audit, required_reason
from core.errors import InvalidState, NotFound
from core.ids import parse_public_id
from core.models import Approval
from core.transactions import requires_transaction
from payouts.engine.locks import lock_sending
from payouts.engine.observe import record_return
from payouts.models import Payout, PayoutAttempt
from payouts.policy import policy_of

__all__ = ["RETURN_ACTION", "approve_return", "reject_return", "request_return"]

RETURN_ACTION = "payout.record_return"
_EXPIRES_IN = timedelta(days=7)
_CODE = 35  # ISO 20022: at most 4 for a reason, 35 for a proprietary one


@requires_transaction
def request_return(
    *, payout_id: UUID, evidence: str, maker: str, provider_code: str = "", is_of_destination: bool = False
) -> UUID:
    """Ask for a second person's yes to: the money of this payout came back; return the approval's key.

    `evidence` says where one has seen it, `provider_code` is the bank's reason (AC04). `is_of_destination`:
    the account is bad, nothing more is to be sent there. Raises ReasonRequired, NotFound, and InvalidState
    unless the payout was sent and is not back already.
    """
    evidence = required_reason(evidence)
    sending = _sent(payout_id)
    said = {
        "evidence": evidence,
        "provider_code": provider_code.strip()[:_CODE],
        "account_is_bad": is_of_destination,
    }
    approval = request_approval(
        subject=sending.payout.public_id,
        action=RETURN_ACTION,
        instruction=_instruction(sending, said),
        maker=maker,
        expires_in=_EXPIRES_IN,
        merchant_id=sending.merchant_id,
    )
    key: UUID = approval.pk
    return key


@requires_transaction
def approve_return(*, approval_id: UUID, checker: str) -> None:
    """Say yes as the second person: the seller has the money again, less the fee for it (O6b).

    Call it under `at_decision_edge`. Raises NotFound, FourEyesRequired, ApprovalNotPending, ApprovalExpired,
    ApprovalVoid, and InvalidState when the payout is not out any more.
    """
    approval, payout_id = _approval(approval_id)
    sending, said = _sent(payout_id), approval.instruction
    approve(approval_id=approval_id, checker=checker, instruction_now=_instruction(sending, said))
    payout = record_return(
        merchant_id=sending.merchant_id,
        reference=sending.reference,
        provider_code=said["provider_code"],
        is_of_destination=said["account_is_bad"],
        by=checker,
    )
    if payout.status != "RETURNED":
        raise InvalidState("The payout did not come back that way; look at its history.")
    record_audit(
        actor=checker,
        action=RETURN_ACTION,
        subject=payout.public_id,
        reason=said["evidence"],
        detail={"amount_minor": payout.amount_minor, "currency": payout.currency, "maker": approval.maker},
        merchant_id=payout.merchant_id,
    )


@requires_transaction
def reject_return(*, approval_id: UUID, checker: str, reason: str) -> None:
    """Say no as the second person: the payout stays as it is.

    Call it under `at_decision_edge`. Raises NotFound, ReasonRequired, FourEyesRequired, ApprovalNotPending,
    ApprovalExpired.
    """
    _approval(approval_id)
    reject(approval_id=approval_id, checker=checker, reason=reason)


def _approval(approval_id: UUID) -> tuple[Approval, UUID]:
    approval = Approval.objects.filter(pk=approval_id, action=RETURN_ACTION).first()
    payout_id = parse_public_id(approval.subject, "po") if approval else None
    if approval is None or payout_id is None:
        raise NotFound()
    return approval, payout_id


def _sent(payout_id: UUID) -> PayoutAttempt:
    """Lock a payout that was sent, with its sending that is not back."""
    if not Payout.objects.filter(pk=payout_id).exists():
        raise NotFound()
    found = PayoutAttempt.objects.filter(payout_id=payout_id, status__in=("ACCEPTED", "PAID")).first()
    if found is None:
        raise InvalidState("The payout was not sent, or is back already.")
    scope = lock_sending(batch_id=found.batch_id)
    sending = next(each for each in scope.attempts if each.pk == found.pk)
    if sending.payout.status not in ("SENT", "PAID"):
        raise InvalidState("The payout was not sent, or is back already.")
    return sending


def _instruction(sending: PayoutAttempt, said: dict[str, Any]) -> dict[str, Any]:
    """What exactly is agreed on; should any of it change, the yes is void."""
    payout = sending.payout
    policy = policy_of(merchant_id=payout.merchant_id, currency=payout.currency)
    return {
        "payout": payout.public_id,
        "reference": sending.reference,
        "provider_reference": sending.provider_reference,
        "amount_minor": payout.amount_minor,
        "fee_minor": policy.return_fee_of(payout.amount_minor),
        "currency": payout.currency,
        "evidence": said["evidence"],
        "provider_code": said["provider_code"],
        "account_is_bad": said["account_is_bad"],
    }
