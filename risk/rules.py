"""Rules as people change them: drafted, run over history, watched, put in force, retired. All audited."""

import re
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from core import clock
from core.audit_trail import record_audit, required_reason
from core.history import begin, move
from core.transactions import UNIQUE_VIOLATION, requires_transaction, sqlstate
from risk.errors import DryRunMissing, RuleInvalid, RuleStateConflict
from risk.kinds import ListHit, parse
from risk.locks import lock_rule, lock_versions
from risk.models import RiskDryRun, RiskList, RiskRule
from risk.policy import forget
from risk.types import RuleDraft

__all__ = ["activate_rule", "draft_rule", "retire_rule", "shadow_rule"]

# What was true of history yesterday need not be true of it today.
DRY_RUN_IS_GOOD_FOR = timedelta(hours=24)
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


@requires_transaction
def draft_rule(*, merchant_id: UUID, draft: RuleDraft, by: str) -> UUID:
    """Store a new rule, or the next version of a known one, as a draft; return its id.

    Errors: RuleInvalid (with the field in `param`), RuleStateConflict (another version at the same moment).
    """
    _check(merchant_id, draft)
    versions = lock_versions(merchant_id=merchant_id, name=draft.name)
    now = clock.now()
    row = RiskRule(
        merchant_id=merchant_id,
        name=draft.name,
        version=versions[-1].version + 1 if versions else 1,
        kind=draft.kind,
        params=dict(draft.params),
        score=draft.score,
        decision=draft.decision,
        reason=draft.reason.strip(),
        on_error=draft.on_error,
        created_by=by,
        created_at=now,
        updated_at=now,
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        if sqlstate(error) != UNIQUE_VIOLATION:
            raise
        raise RuleStateConflict from error
    begin(row, why="drafted", by=by)
    _record(row, "risk_rule.draft", by=by, reason="", detail={"kind": row.kind, "params": row.params})
    return row.pk


@requires_transaction
def shadow_rule(*, rule_id: UUID, by: str, reason: str) -> None:
    """Have a version evaluated and recorded without effect. Errors: ReasonRequired, RuleStateConflict."""
    reason = required_reason(reason)
    row = _in(rule_id, "DRAFT", "ACTIVE")
    move(row, row.to_shadow, why=reason, by=by)
    _record(row, "risk_rule.shadow", by=by, reason=reason)
    forget()


@requires_transaction
def activate_rule(*, rule_id: UUID, by: str, reason: str) -> None:
    """Put a version in force; the version that was in force until now is retired with it.

    Errors: ReasonRequired, RuleStateConflict, DryRunMissing (this very version was not run over history
    within the last day).
    """
    reason = required_reason(reason)
    found = _in(rule_id, "DRAFT", "SHADOW")
    if not RiskDryRun.objects.filter(rule=found, at__gte=clock.now() - DRY_RUN_IS_GOOD_FOR).exists():
        raise DryRunMissing()
    versions = lock_versions(merchant_id=found.merchant_id, name=found.name)
    row = next(each for each in versions if each.pk == rule_id)
    for other in versions:
        if other.status == "ACTIVE":
            move(other, other.to_retired, why=f"version {row.version} takes its place", by=by)
            _record(other, "risk_rule.retire", by=by, reason=reason)
    move(row, row.to_active, why=reason, by=by)
    _record(row, "risk_rule.activate", by=by, reason=reason)
    forget()


@requires_transaction
def retire_rule(*, rule_id: UUID, by: str, reason: str) -> None:
    """End a version for good. Errors: ReasonRequired, RuleStateConflict."""
    reason = required_reason(reason)
    row = _in(rule_id, "DRAFT", "SHADOW", "ACTIVE")
    move(row, row.to_retired, why=reason, by=by)
    _record(row, "risk_rule.retire", by=by, reason=reason)
    forget()


def _in(rule_id: UUID, *states: str) -> RiskRule:
    row = lock_rule(rule_id=rule_id)
    if row.status not in states:
        raise RuleStateConflict()
    return row


def _check(merchant_id: UUID, draft: RuleDraft) -> None:
    if not _NAME.fullmatch(draft.name):
        raise RuleInvalid("A name is a to z, 0 to 9, - and _, at most 64 of them.", param="name")
    if draft.decision not in ("", "approve", "review", "decline"):
        raise RuleInvalid("Nothing, approve, review or decline.", param="decision")
    if draft.on_error not in ("ignore", "review", "decline"):
        raise RuleInvalid("Ignore, review or decline.", param="on_error")
    if type(draft.score) is not int or not -1000 <= draft.score <= 1000:
        raise RuleInvalid("A score is a whole number from -1000 to 1000.", param="score")
    if not 1 <= len(draft.reason.strip()) <= 200:
        raise RuleInvalid("Say in one to 200 characters what a hit means.", param="reason")
    try:
        test = parse(draft.kind, draft.params)
    except ValueError as error:
        raise RuleInvalid(str(error), param="kind" if str(error).startswith("kind") else "params") from error
    if isinstance(test, ListHit):
        if not RiskList.objects.filter(merchant_id=merchant_id, name=test.name).exists():
            raise RuleInvalid("There is no list of this name.", param="params")
    elif not (draft.decision or draft.score):
        raise RuleInvalid("A rule needs a score or a decision.", param="score")


def _record(
    row: RiskRule, action: str, *, by: str, reason: str, detail: dict[str, Any] | None = None
) -> None:
    record_audit(
        actor=by,
        action=action,
        subject=f"risk_rule:{row.name}",
        reason=reason,
        detail={"rule": str(row.pk), "version": row.version, **(detail or {})},
        merchant_id=row.merchant_id,
    )
