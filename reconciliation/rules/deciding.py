"""Putting a version of a rule in force, or out of it: asked for by one person, decided by another one."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from core import clock
from core.approvals import FourEyesRequired, approve, reject, request_approval
from core.audit_trail import is_person, required_reason
from core.errors import NotFound
from core.history import Changes
from core.models import Approval
from core.transactions import requires_transaction
from reconciliation.errors import BreakRuleStateConflict, RuleDryRunMissing
from reconciliation.locks import lock_rules
from reconciliation.models import BreakRule, RuleDryRun
from reconciliation.rules.drafting import draft_of, record, rule_row, said
from reconciliation.rules.types import RuleData

__all__ = [
    "approve_rule_change",
    "reject_rule_change",
    "request_activation",
    "request_retirement",
    "rules_at_desk",
]

ACTIVATE, RETIRE = "break_rule.activate", "break_rule.retire"
_EXPIRES_IN = timedelta(days=7)
# What was true of history yesterday need not be true of it today.
_DRY_RUN_IS_GOOD_FOR = timedelta(hours=24)


@requires_transaction
def request_activation(*, rule_id: UUID, reason: str, maker: str) -> UUID:
    """Ask for a second person's yes to putting a draft in force; return the approval's key.

    Raises NotFound, ReasonRequired, FourEyesRequired for anybody but a person, BreakRuleStateConflict unless
    it is a draft, RuleDryRunMissing unless this very version was run over history within the last day.
    """
    return _request(rule_id, ACTIVATE, ("DRAFT",), reason, maker)


@requires_transaction
def request_retirement(*, rule_id: UUID, reason: str, maker: str) -> UUID:
    """Ask for a second person's yes to ending a version; return the approval's key. Raises as above."""
    return _request(rule_id, RETIRE, ("DRAFT", "ACTIVE"), reason, maker)


@requires_transaction
def approve_rule_change(*, approval_id: UUID, checker: str) -> None:
    """Say yes as the second person: the version is in force, and the one before it retired; or it is retired.

    Runs that are matched from now on apply it. Call it under `at_decision_edge`. Raises NotFound,
    FourEyesRequired, ApprovalNotPending, ApprovalExpired, ApprovalVoid, BreakRuleStateConflict.
    """
    approval = _approval(approval_id)
    found = rule_row(UUID(approval.instruction["rule"]))
    assert found.merchant_id is not None
    versions = lock_rules(merchant_id=found.merchant_id, name=found.name)
    row = next(each for each in versions if each.id == found.id)
    wanted = ("DRAFT",) if approval.action == ACTIVATE else ("DRAFT", "ACTIVE")
    if row.status not in wanted:
        raise BreakRuleStateConflict()
    reason = approval.instruction["reason"]
    now = _instruction(row, approval.action, reason)
    approve(approval_id=approval_id, checker=checker, instruction_now=now)
    changes = Changes()
    if approval.action == ACTIVATE:
        for other in versions:
            if other.status == "ACTIVE":
                changes.move(
                    other, other.to_retired, why=f"version {row.version} takes its place", by=checker
                )
        changes.move(row, row.to_active, why=reason, by=checker, activated_at=clock.now())
    else:
        changes.move(row, row.to_retired, why=reason, by=checker)
    changes.save()
    record(
        row, approval.action, by=checker, reason=reason, detail={"maker": approval.maker, "says": said(row)}
    )


@requires_transaction
def reject_rule_change(*, approval_id: UUID, checker: str, reason: str) -> None:
    """Say no as the second person: the version stays as it is.

    Call it under `at_decision_edge`. Raises NotFound, ReasonRequired, FourEyesRequired, ApprovalNotPending,
    ApprovalExpired.
    """
    _approval(approval_id)
    reject(approval_id=approval_id, checker=checker, reason=reason)


def rules_at_desk(*, merchant_id: UUID, name: str = "") -> list[RuleData]:
    """Return the versions of a merchant's rules that are not retired, or all of one name, in their order."""
    rows = BreakRule.objects.filter(merchant_id=merchant_id)
    rows = rows.filter(name=name) if name else rows.exclude(status="RETIRED")
    found = list(rows.order_by("break_class", "position", "name", "version"))
    asked = {
        each.instruction["rule"]: each.pk
        for each in Approval.objects.filter(
            merchant_id=merchant_id, action__in=(ACTIVATE, RETIRE), status="PENDING"
        )
    }
    runs = dict(RuleDryRun.objects.filter(rule__in=found).order_by("at").values_list("rule_id", "at"))
    return [
        RuleData(
            id=row.id,
            merchant_id=merchant_id,
            version=row.version,
            status=row.status,
            draft=draft_of(row),
            created_by=row.created_by,
            created_at=row.created_at,
            activated_at=row.activated_at,
            approval_id=asked.get(str(row.id)),
            dry_run_at=runs.get(row.id),
        )
        for row in found
    ]


def _request(rule_id: UUID, action: str, states: tuple[str, ...], reason: str, maker: str) -> UUID:
    reason = required_reason(reason)
    if not is_person(maker):
        raise FourEyesRequired
    row = rule_row(rule_id)
    if row.status not in states:
        raise BreakRuleStateConflict()
    since = clock.now() - _DRY_RUN_IS_GOOD_FOR
    if action == ACTIVATE and not RuleDryRun.objects.filter(rule=row, at__gte=since).exists():
        raise RuleDryRunMissing()
    approval = request_approval(
        subject=f"break_rule:{row.id}",
        action=action,
        instruction=_instruction(row, action, reason),
        maker=maker,
        expires_in=_EXPIRES_IN,
        merchant_id=row.merchant_id,
    )
    record(row, f"{action}_request", by=maker, reason=reason, detail={"approval": str(approval.pk)})
    key: UUID = approval.pk
    return key


def _approval(approval_id: UUID) -> Approval:
    approval = Approval.objects.filter(pk=approval_id, action__in=(ACTIVATE, RETIRE)).first()
    if approval is None:
        raise NotFound()
    return approval


def _instruction(row: BreakRule, action: str, reason: str) -> dict[str, Any]:
    """What exactly is agreed on: every word of the version, and what it takes the place of."""
    active = BreakRule.objects.filter(merchant_id=row.merchant_id, name=row.name, status="ACTIVE").first()
    return {
        "rule": str(row.id),
        "action": action,
        "version": row.version,
        "says": said(row),
        "in_force": {"version": active.version, "says": said(active)} if active else None,
        "reason": reason,
    }
