"""The yes before money leaves: by the policy, or by a second person to exactly this instruction."""

from datetime import timedelta
from hmac import compare_digest
from uuid import UUID

from core.approvals import ApprovalVoid, FourEyesRequired, approve, reject, request_approval, void
from core.history import SYSTEM, Changes
from core.models import Approval
from core.nudges import nudge
from core.transactions import requires_transaction
from merchants.types import SellerData
from payouts.engine.assessment import assess_payout
from payouts.engine.books import release
from payouts.engine.facts import payout_fact
from payouts.engine.instruction import digest_of, instruction_of
from payouts.errors import PayoutDecided
from payouts.locks import lock_payout
from payouts.models import Payout
from payouts.policy import PayoutPolicy
from risk.types import DECLINE, REVIEW

__all__ = [
    "ACTION",
    "RISK_FAILURE",
    "approve_payout",
    "ask_again",
    "decide",
    "reject_payout",
    "renew",
    "send_to_review",
    "subject_of",
    "turn_away",
    "withdraw_approval",
]

# What the database looks for (payouts/sql/four_eyes.sql).
ACTION = "payout.approve"
RISK_FAILURE = {"code": "payout_declined", "message": "The payout was declined.", "provider_code": None}
_EXPIRES_IN = timedelta(days=7)


def subject_of(payout_id: UUID | str) -> str:
    """Return what approvals of a payout are about."""
    return f"payout:{payout_id}"


@requires_transaction
def decide(payout: Payout, seller: SellerData, policy: PayoutPolicy, changes: Changes, *, by: str) -> bool:
    """Let a new payout go by policy, ask a second person, or turn it away; say whether money is set aside."""
    decision = assess_payout(payout, seller, changes)
    if decision == DECLINE:
        fact = payout_fact(payout, "rejected")
        changes.move(
            payout, payout.to_rejected, why="declined by risk rules", fact=fact, failure=RISK_FAILURE
        )
        return False
    if decision == REVIEW or policy.needs_review(payout.amount_minor):
        why = "held by risk rules" if decision == REVIEW else "a second person must say yes"
        send_to_review(payout, changes, why=why, maker=by)
    else:
        fact = payout_fact(payout, "approved")
        digest = digest_of(payout)
        changes.move(
            payout, payout.to_approved, why="within the policy", fact=fact, instruction_digest=digest
        )
        changes.wake("payouts")
    return True


@requires_transaction
def send_to_review(payout: Payout, changes: Changes, *, why: str, maker: str) -> None:
    """Ask a second person about the instruction as it is now; an earlier yes is worth nothing any more."""
    withdraw_approval(payout, by=SYSTEM, reason=why)
    changes.move(payout, payout.to_in_review, why=why, fact=payout_fact(payout, "in_review"), why_held=why)
    _ask(payout, maker=maker)


@requires_transaction
def renew(payout: Payout, *, by: str) -> None:
    """Ask about the instruction of a locked payout as it is now, in the place of what was asked before."""
    _ask(payout, maker=by)


@requires_transaction
def ask_again(*, payout_id: UUID) -> bool:
    """Ask anew about a payout that waits for a yes which nobody can give any more; say whether it was so."""
    payout = lock_payout(payout_id=payout_id)
    if payout.status != "IN_REVIEW" or _pending(payout) is not None:
        return False
    _ask(payout, maker=payout.requested_by)
    return True


@requires_transaction
def approve_payout(*, payout_id: UUID, checker: str, digest: str) -> Payout:
    """Say yes, as the second person, to the instruction whose digest (hex) the page showed.

    Call it under `at_decision_edge`. Raises NotFound, PayoutDecided when it does not wait any more,
    FourEyesRequired, ApprovalVoid when it is not what was shown any more, ApprovalExpired.
    """
    payout, approval = _waiting(payout_id)
    if checker == payout.requested_by:
        raise FourEyesRequired()
    if not compare_digest(bytes(approval.digest).hex(), digest):
        # What the page showed was withdrawn meanwhile: what waits now is another instruction.
        raise ApprovalVoid()
    approve(approval_id=approval.pk, checker=checker, instruction_now=instruction_of(payout))
    changes = Changes()
    changes.move(
        payout,
        payout.to_approved,
        why="approved",
        by=checker,
        fact=payout_fact(payout, "approved"),
        instruction_digest=bytes(approval.digest),
        approved_by=checker,
    )
    changes.save()
    nudge("payouts")
    return payout


@requires_transaction
def reject_payout(*, payout_id: UUID, checker: str, reason: str) -> Payout:
    """Say no, as the second person: nothing is sent, and the seller has the money again.

    Call it under `at_decision_edge`. Raises NotFound, PayoutDecided, ReasonRequired, FourEyesRequired,
    ApprovalExpired.
    """
    payout, approval = _waiting(payout_id)
    reject(approval_id=approval.pk, checker=checker, reason=reason)
    turn_away(payout, why=reason, by=checker)
    return payout


@requires_transaction
def turn_away(payout: Payout, *, why: str, by: str) -> None:
    """Reject a locked payout that waits for a decision."""
    failure = {"code": "payout_rejected", "message": "The payout was not approved.", "provider_code": None}
    changes = Changes()
    changes.move(
        payout, payout.to_rejected, why=why, by=by, fact=payout_fact(payout, "rejected"), failure=failure
    )
    changes.last(lambda: release(payout, by=by))
    changes.save()


@requires_transaction
def withdraw_approval(payout: Payout, *, by: str, reason: str) -> None:
    """Void what was asked for or given about a locked payout, if anything was."""
    standing = Approval.objects.filter(
        subject=subject_of(payout.id), action=ACTION, status__in=("PENDING", "APPROVED")
    )
    for key in list(standing.order_by("pk").values_list("pk", flat=True)):
        void(approval_id=key, actor=by, reason=reason)


def _ask(payout: Payout, *, maker: str) -> None:
    request_approval(
        subject=subject_of(payout.id),
        action=ACTION,
        instruction=instruction_of(payout),
        maker=maker,
        expires_in=_EXPIRES_IN,
        merchant_id=payout.merchant_id,
    )


def _waiting(payout_id: UUID) -> tuple[Payout, Approval]:
    payout = lock_payout(payout_id=payout_id)
    approval = _pending(payout)
    if payout.status != "IN_REVIEW" or approval is None:
        raise PayoutDecided()
    return payout, approval


def _pending(payout: Payout) -> Approval | None:
    asked = Approval.objects.filter(subject=subject_of(payout.id), action=ACTION, status="PENDING")
    return asked.first()
