"""An entry for a break, or the word that none is needed: proposed by one person, decided by another one.

The yes is to the exact entry as it would be posted now: when anything that it rests on changed since it was
proposed, the approval is void, and who wants it proposes it again.
"""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from core import clock
from core.approvals import (
    ApprovalVoid,
    FourEyesRequired,
    approve,
    reject,
    request_approval,
    void,
)
from core.audit_trail import is_person, record_audit, required_reason
from core.errors import NotFound
from core.history import Changes
from core.ids import uuid7
from core.models import Approval
from core.transactions import requires_transaction
from payments.services import pay_with_receipt
from payments.types import Receipt
from reconciliation.errors import AdjustmentInvalid, BreakStateConflict
from reconciliation.locks import lock_discrepancies, lock_proposals
from reconciliation.matching.opening import end_break
from reconciliation.matching.rules import PARKS
from reconciliation.models import Adjustment, Discrepancy
from reconciliation.posting.proving import prove_batch
from reconciliation.resolving.at_bank import AT_BANK, close_at_bank
from reconciliation.resolving.books import books_for, post_drafts
from reconciliation.resolving.denying import post_denied
from reconciliation.resolving.evidence import evidence_of
from reconciliation.resolving.holding import ACTION, hold_for_yes
from reconciliation.resolving.identifying import charge_made_by
from reconciliation.resolving.meanings import PAIRINGS
from reconciliation.resolving.plans import Plan, plan
from reconciliation.resolving.rematching import pair_by_hand
from reconciliation.resolving.writing import Terms, begin_adjustment, instruction_of

__all__ = [
    "ACTION",
    "approve_adjustment",
    "propose_adjustment",
    "reject_adjustment",
    "withdraw_adjustment",
]

_EXPIRES_IN = timedelta(days=7)
_FREE = ("OPEN", "ASSIGNED")


@requires_transaction
def propose_adjustment(
    *,
    discrepancy_id: UUID,
    template: str,
    reason: str,
    maker: str,
    parameters: dict[str, Any] | None = None,
) -> UUID:
    """Propose what closes a break, and ask for a second person's yes to it; return the adjustment's key.

    `template` is one of those that the break offers: A1 to A10, "match" with the movement's name as
    parameters, or "none" with the reason as the explanation. `parameters` name the `order` for A2, and may
    name `amount_minor` for A5 and A7, and who bears A4 (`borne_by`: seller, which it is if left out, or
    platform). The entry is dated today. Raises NotFound, ReasonRequired, FourEyesRequired for anybody but a
    person, BreakStateConflict, AdjustmentInvalid.
    """
    reason = required_reason(reason)
    if not is_person(maker):
        raise FourEyesRequired
    row = _locked(discrepancy_id)
    if row.status not in _FREE:
        raise BreakStateConflict()
    day = max(clock.today(), row.business_date)
    adjustment_id = uuid7()
    made = plan(row, template, parameters or {}, adjustment_id=adjustment_id, day=day)
    terms = Terms(adjustment_id, template, parameters or {}, reason, day, evidence_of(made.facts))
    changes = Changes()
    adjustment = begin_adjustment(row, terms, made.made, changes, maker=maker)
    changes.move(row, row.to_proposed, why=reason, by=maker, owner=maker)
    changes.save()
    approval = request_approval(
        subject=row.public_id,
        action=ACTION,
        instruction=adjustment.instruction,
        maker=maker,
        expires_in=_EXPIRES_IN,
        merchant_id=row.merchant_id,
    )
    _record(row, adjustment, "adjustment.propose", by=maker, reason=reason, approval=approval.pk)
    return adjustment_id


@requires_transaction
def approve_adjustment(*, approval_id: UUID, checker: str) -> UUID:
    """Say yes as the second person: the entry is posted and the break resolved; return the adjustment's key.

    A1 only parks the money: its break stays with its owner. Call it under `at_decision_edge`. Raises
    NotFound, FourEyesRequired, ApprovalNotPending, ApprovalExpired, ApprovalVoid, BreakStateConflict,
    InsufficientFunds.
    """
    hold_for_yes([approval_id])
    approval, row, adjustment = _proposed(approval_id)
    made = _as_it_is_now(row, adjustment, approval)
    now = instruction_of(row, _terms(adjustment, made), made.made)
    approve(approval_id=approval_id, checker=checker, instruction_now=now)
    changes = Changes()
    changes.move(
        adjustment,
        adjustment.to_posted,
        why="two people agree",
        by=checker,
        posted_at=clock.now(),
        entry_id=_post(row, adjustment, made, by=checker),
        checker=checker,
        approval_id=approval_id,
    )
    _close(row, adjustment, made, changes, by=checker)
    changes.save()
    if made.receipt is not None:
        _pay(row, adjustment, made.receipt, by=checker)
    _record(row, adjustment, ACTION, by=checker, reason=_reason(adjustment), approval=approval_id)
    return adjustment.id


@requires_transaction
def reject_adjustment(*, approval_id: UUID, checker: str, reason: str) -> None:
    """Say no as the second person: nothing is posted, and the break is its maker's again.

    Call it under `at_decision_edge`. Raises as `approve_adjustment`, and ReasonRequired.
    """
    _, row, adjustment = _proposed(approval_id)
    reject(approval_id=approval_id, checker=checker, reason=reason)
    _drop(row, adjustment, why=required_reason(reason), by=checker)


@requires_transaction
def withdraw_adjustment(*, adjustment_id: UUID, by: str, reason: str) -> None:
    """Take a proposal back that nobody has decided, also when its approval lapsed; the break is its maker's.

    Raises NotFound, ReasonRequired, BreakStateConflict.
    """
    reason = required_reason(reason)
    found = Adjustment.objects.filter(pk=adjustment_id).first()
    if found is None:
        raise NotFound()
    row, adjustment = _pair(found)
    waiting = Approval.objects.filter(subject=row.public_id, action=ACTION, status="PENDING").first()
    if waiting is not None:
        void(approval_id=waiting.pk, actor=by, reason=reason)
    _drop(row, adjustment, why=reason, by=by)
    _record(row, adjustment, "adjustment.withdraw", by=by, reason=reason)


def _post(row: Discrepancy, adjustment: Adjustment, made: Plan, *, by: str) -> int | None:
    """Post the entry of an adjustment; return its id, None where there is none."""
    if made.denial is not None:
        assert row.source is not None, "it was planned in the books of its source"
        return post_denied(adjustment, made.denial, books_for(row.source, row.currency), by=by).id
    refs = post_drafts(made.made.drafts) if made.made.drafts else []
    return refs[0].id if refs else None


def _pay(row: Discrepancy, adjustment: Adjustment, receipt: Receipt, *, by: str) -> None:
    """The order is paid by the line's money, which its file has reported."""
    charge_id, why = charge_made_by(adjustment.id), f"two people found its money: {row.public_id}"
    pay_with_receipt(receipt=receipt, charge_id=charge_id, why=why, by=by)
    prove_batch(merchant_id=row.merchant_id, charge_ids=[charge_id], level="reported")


def _drop(row: Discrepancy, adjustment: Adjustment, *, why: str, by: str) -> None:
    changes = Changes()
    changes.move(adjustment, adjustment.to_rejected, why=why, by=by)
    changes.move(row, row.to_assigned, why=why, by=by, owner=adjustment.maker)
    changes.save()


def _close(row: Discrepancy, adjustment: Adjustment, made: Plan, changes: Changes, *, by: str) -> None:
    if adjustment.template in PARKS:
        why = "parked in suspense until it is identified or given back"
        changes.move(row, row.to_assigned, why=why, by=by, owner=adjustment.maker)
        return
    if adjustment.template in AT_BANK:
        close_at_bank(row, adjustment, made.facts, changes, by=by)
    if adjustment.template in PAIRINGS:
        pair_by_hand(row, made, by=by)
    end_break(changes, row, why=f"{adjustment.template}: {_reason(adjustment)}"[:500], by=by)


def _as_it_is_now(row: Discrepancy, adjustment: Adjustment, approval: Approval) -> Plan:
    said = adjustment.instruction
    try:
        return plan(
            row,
            adjustment.template,
            said["parameters"],
            adjustment_id=adjustment.id,
            day=date.fromisoformat(said["effective_date"]),
        )
    except AdjustmentInvalid as error:
        raise ApprovalVoid.of(approval) from error


def _terms(adjustment: Adjustment, made: Plan) -> Terms:
    said = adjustment.instruction
    return Terms(
        adjustment.id,
        adjustment.template,
        said["parameters"],
        said["reason"],
        date.fromisoformat(said["effective_date"]),
        evidence_of(made.facts),
    )


def _reason(adjustment: Adjustment) -> str:
    return str(adjustment.instruction["reason"])


def _locked(discrepancy_id: UUID) -> Discrepancy:
    rows = lock_discrepancies(ids=[discrepancy_id])
    if not rows:
        raise NotFound()
    return rows[0]


def _proposed(approval_id: UUID) -> tuple[Approval, Discrepancy, Adjustment]:
    """Lock a proposal that waits, with its break. The approval itself is locked when it is decided."""
    approval = Approval.objects.filter(pk=approval_id, action=ACTION).first()
    found = Adjustment.objects.filter(pk=approval.instruction["adjustment"]).first() if approval else None
    if approval is None or found is None:
        raise NotFound()
    return (approval, *_pair(found))


def _pair(found: Adjustment) -> tuple[Discrepancy, Adjustment]:
    row = _locked(found.discrepancy_id)
    waiting = [each for each in lock_proposals(discrepancies=[row.id]) if each.id == found.id]
    if not waiting or row.status != "PROPOSED":
        raise BreakStateConflict("Nothing of this break waits for a second person any more.")
    return row, waiting[0]


def _record(
    row: Discrepancy,
    adjustment: Adjustment,
    action: str,
    *,
    by: str,
    reason: str,
    approval: UUID | None = None,
) -> None:
    record_audit(
        actor=by,
        action=action,
        subject=row.public_id,
        reason=reason,
        detail={
            "adjustment": str(adjustment.id),
            "template": adjustment.template,
            "amount_minor": adjustment.amount_minor,
            "currency": adjustment.currency,
            "maker": adjustment.maker,
            "entry": adjustment.entry_id,
            "evidence_sha256": bytes(adjustment.evidence_digest).hex(),
            **({"approval": str(approval)} if approval else {}),
        },
        merchant_id=row.merchant_id,
    )
