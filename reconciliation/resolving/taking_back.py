"""What was posted for a break is taken back, by new entries, and the break is open again (R5).

Two people agree on it; where a new version of a file has no such line any more, it happens by itself.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from core import clock
from core.approvals import FourEyesRequired, approve, reject, request_approval
from core.audit_trail import is_person, record_audit, required_reason
from core.errors import NotFound
from core.history import Changes
from core.ids import parse_public_id, uuid7
from core.models import Approval
from core.transactions import requires_transaction
from ledger.selectors import correction_draft, get_entry
from reconciliation.errors import BreakStateConflict
from reconciliation.locks import lock_discrepancies
from reconciliation.models import Adjustment, Discrepancy
from reconciliation.resolving.at_bank import take_back_at_bank
from reconciliation.resolving.books import post_drafts
from reconciliation.resolving.denying import DENIED, undo_denied
from reconciliation.resolving.facts import family_of, standing
from reconciliation.resolving.holding import REOPEN, hold_for_taking_back
from reconciliation.resolving.meanings import MEANINGS
from reconciliation.resolving.templates import Made
from reconciliation.resolving.writing import Terms, begin_adjustment, reopen

__all__ = [
    "REOPEN",
    "Decision",
    "approve_reopening",
    "reject_reopening",
    "request_reopening",
    "reverse_adjustment",
]

_EXPIRES_IN = timedelta(days=7)


class Decision:
    """Who takes it back: two people, or a rule by its name."""

    def __init__(
        self, *, maker: str, checker: str = "", approval_id: UUID | None = None, rule: str = ""
    ) -> None:
        self.maker, self.checker, self.approval_id, self.rule = maker, checker, approval_id, rule


@requires_transaction
def request_reopening(*, discrepancy_id: UUID, reason: str, maker: str) -> UUID:
    """Ask for a second person's yes to taking back what was posted for a break; return the approval's key.

    A break that was explained without an entry is only opened again. Raises NotFound, ReasonRequired,
    FourEyesRequired for anybody but a person, and BreakStateConflict when there is nothing to take back, when
    something waits for a decision, or when the line was matched: a match is taken back by itself.
    """
    reason = required_reason(reason)
    if not is_person(maker):
        raise FourEyesRequired
    row = _locked(discrepancy_id)
    approval = request_approval(
        subject=row.public_id,
        action=REOPEN,
        instruction=_instruction(row, _posted(row), reason),
        maker=maker,
        expires_in=_EXPIRES_IN,
        merchant_id=row.merchant_id,
    )
    record_audit(
        actor=maker,
        action="discrepancy.request_reopening",
        subject=row.public_id,
        reason=reason,
        merchant_id=row.merchant_id,
    )
    key: UUID = approval.pk
    return key


@requires_transaction
def approve_reopening(*, approval_id: UUID, checker: str) -> None:
    """Say yes as the second person: the entries are taken back, and the break is in the queue again.

    Call it under `at_decision_edge`. Raises NotFound, FourEyesRequired, ApprovalNotPending, ApprovalExpired,
    ApprovalVoid, BreakStateConflict, InsufficientFunds.
    """
    hold_for_taking_back(approval_id)
    approval, row = _asked(approval_id)
    reason = approval.instruction["reason"]
    posted = _posted(row)
    approve(approval_id=approval_id, checker=checker, instruction_now=_instruction(row, posted, reason))
    changes = Changes()
    decision = Decision(maker=approval.maker, checker=checker, approval_id=approval_id)
    for adjustment in reversed(posted):
        reverse_adjustment(row, adjustment, changes, why=reason, decision=decision)
    if row.status == "RESOLVED":
        reopen(row, changes, why=reason, by=checker)
    changes.save()
    record_audit(
        actor=checker,
        action=REOPEN,
        subject=row.public_id,
        reason=reason,
        detail={"maker": approval.maker, "adjustments": [str(each.id) for each in posted]},
        merchant_id=row.merchant_id,
    )


@requires_transaction
def reject_reopening(*, approval_id: UUID, checker: str, reason: str) -> None:
    """Say no as the second person: all stays as it is.

    Call it under `at_decision_edge`. Raises NotFound, ReasonRequired, FourEyesRequired, ApprovalNotPending,
    ApprovalExpired.
    """
    approval = Approval.objects.filter(pk=approval_id, action=REOPEN).first()
    if approval is None:
        raise NotFound()
    reject(approval_id=approval_id, checker=checker, reason=reason)


@requires_transaction
def reverse_adjustment(
    row: Discrepancy, adjustment: Adjustment, changes: Changes, *, why: str, decision: Decision
) -> Adjustment:
    """Take a posted adjustment back, for a locked break of its family, by a new one with the inverse entry.

    Written with the changes; the entry is posted at once.
    """
    back_id = uuid7()
    undone = undo_denied(row, adjustment, back_id=back_id) if adjustment.template == DENIED else None
    drafts, lines = _inverse(adjustment, why)
    terms = Terms(
        back_id,
        adjustment.template,
        dict(adjustment.instruction["parameters"]),
        why,
        drafts[0].effective_date if drafts else clock.today(),
        {"reverses": str(adjustment.id), "evidence_sha256": bytes(adjustment.evidence_digest).hex()},
    )
    back = begin_adjustment(
        row,
        terms,
        Made(adjustment.amount_minor, (), lines),
        changes,
        maker=decision.maker,
        automatic=bool(decision.rule),
        rule=(decision.rule, None),
        reverses=adjustment,
    )
    other = take_back_at_bank(adjustment, changes, why=why, by=decision.checker or decision.maker)
    if other is not None:
        reopen(other, changes, why=why, by=decision.checker or decision.maker)
    refs = [undone] if undone is not None else post_drafts(drafts) if drafts else []
    changes.move(
        back,
        back.to_posted,
        why=why,
        by=decision.checker or decision.maker,
        posted_at=clock.now(),
        entry_id=refs[0].id if refs else None,
        checker=decision.checker,
        approval_id=decision.approval_id,
    )
    changes.move(adjustment, adjustment.to_reversed, why=why, by=decision.checker or decision.maker)
    return back


def _inverse(adjustment: Adjustment, why: str) -> tuple[list[Any], list[dict[str, Any]]]:
    if adjustment.entry_id is None:
        return [], []
    entry = get_entry(merchant_id=adjustment.merchant_id, entry_id=adjustment.entry_id)
    day: date = max(clock.today(), entry.effective_date)
    draft = correction_draft(
        merchant_id=adjustment.merchant_id, entry_id=entry.id, effective_date=day, reason=why[:200]
    )
    lines = [{**line, "amount_minor": -line["amount_minor"]} for line in adjustment.instruction["lines"]]
    return [draft], lines


def _posted(row: Discrepancy) -> list[Adjustment]:
    """Return what stands for a break, oldest first. Raises BreakStateConflict if that has to stay."""
    family = [each.id for each in family_of(row)]
    posted = list(standing(family))
    if row.status == "PROPOSED" or (row.status != "RESOLVED" and not posted):
        raise BreakStateConflict()
    if any(each.template in MEANINGS for each in posted):
        raise BreakStateConflict("The line was matched by hand: take the match back.")
    return posted


def _locked(discrepancy_id: UUID) -> Discrepancy:
    rows = lock_discrepancies(ids=[discrepancy_id])
    if not rows:
        raise NotFound()
    return rows[0]


def _asked(approval_id: UUID) -> tuple[Approval, Discrepancy]:
    approval = Approval.objects.filter(pk=approval_id, action=REOPEN).first()
    key = parse_public_id(approval.subject, "dsc") if approval else None
    if approval is None or key is None:
        raise NotFound()
    return approval, _locked(key)


def _instruction(row: Discrepancy, posted: Sequence[Adjustment], reason: str) -> dict[str, Any]:
    """What exactly is agreed on; should any of it change, the yes is void."""
    return {
        "break": row.public_id,
        "status": row.status,
        "takes_back": [
            {
                "adjustment": str(each.id),
                "template": each.template,
                "amount_minor": each.amount_minor,
                "currency": each.currency,
                "entry": each.entry_id,
                "lines": each.instruction["lines"],
            }
            for each in posted
        ],
        "reason": reason,
    }
