"""Versions of rules are drafted by people; nothing of a draft is in force."""

import re
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from core import clock
from core.audit_trail import record_audit
from core.errors import NotFound
from core.history import begin
from core.transactions import UNIQUE_VIOLATION, requires_transaction, sqlstate
from reconciliation.breaks import BreakClass, Category
from reconciliation.errors import BreakRuleInvalid, BreakRuleStateConflict
from reconciliation.matching.rules import ensure_rules
from reconciliation.models import BreakRule
from reconciliation.resolving.templates import TAKES_TWO, TEMPLATES
from reconciliation.rules.conditions import check_conditions
from reconciliation.rules.types import RuleDraft

__all__ = ["draft_break_rule", "draft_of", "record", "rule_row"]

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_MOST_HOURS = 24 * 90
_MOST_MINOR = 10**15


@requires_transaction
def draft_break_rule(*, merchant_id: UUID, draft: RuleDraft, by: str) -> UUID:
    """Store a new rule, or the next version of a known one, as a draft; return its key.

    Raises BreakRuleInvalid with the field in `param`, BreakRuleStateConflict for another one at this moment.
    """
    _check(draft)
    ensure_rules(merchant_id=merchant_id)
    newest = BreakRule.objects.filter(merchant_id=merchant_id, name=draft.name).order_by("-version").first()
    now = clock.now()
    row = BreakRule(
        merchant_id=merchant_id,
        name=draft.name,
        version=newest.version + 1 if newest else 1,
        position=draft.position,
        break_class=draft.break_class,
        conditions=dict(draft.conditions),
        category=draft.category,
        action=draft.action,
        cap_line_minor=draft.cap_line_minor,
        cap_day_minor=draft.cap_day_minor,
        sla_hours=draft.sla_hours,
        owner_role=draft.owner_role,
        note=draft.note.strip(),
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
        raise BreakRuleStateConflict() from error
    begin(row, why="drafted", by=by)
    record(row, "break_rule.draft", by=by, detail={"says": said(row)})
    return row.id


def draft_of(row: BreakRule) -> RuleDraft:
    """Return what a version says: to be shown, or to be the beginning of the next one."""
    return RuleDraft(**said(row))


def said(row: BreakRule) -> dict[str, Any]:
    """Return what a version says, as two people agree on it."""
    return {
        "name": row.name,
        "position": row.position,
        "break_class": row.break_class,
        "category": row.category,
        "note": row.note,
        "action": row.action,
        "conditions": row.conditions,
        "cap_line_minor": row.cap_line_minor,
        "cap_day_minor": row.cap_day_minor,
        "sla_hours": row.sla_hours,
        "owner_role": row.owner_role,
    }


def rule_row(rule_id: UUID) -> BreakRule:
    """Return a version. Raises NotFound."""
    row = BreakRule.objects.filter(pk=rule_id).first()
    if row is None:
        raise NotFound()
    return row


@requires_transaction
def record(
    row: BreakRule, action: str, *, by: str, reason: str = "", detail: dict[str, Any] | None = None
) -> None:
    """Write into the audit trail what was done with a version."""
    record_audit(
        actor=by,
        action=action,
        subject=f"break_rule:{row.name}",
        reason=reason,
        detail={"rule": str(row.id), "version": row.version, **(detail or {})},
        merchant_id=row.merchant_id,
    )


def _check(draft: RuleDraft) -> None:
    if not _NAME.fullmatch(draft.name):
        raise BreakRuleInvalid("A name is a to z, 0 to 9, - and _, at most 64 of them.", param="name")
    if draft.break_class not in set(BreakClass):
        raise BreakRuleInvalid("There is no such class of break.", param="break_class")
    if draft.category not in set(Category):
        raise BreakRuleInvalid("A, B or C.", param="category")
    if draft.action and draft.action not in TEMPLATES:
        raise BreakRuleInvalid(f"One of {', '.join(TEMPLATES)}, or nothing.", param="action")
    if not 1 <= len(draft.note.strip()) <= 500:
        raise BreakRuleInvalid("Say in one to 500 characters what it is for.", param="note")
    _whole("position", draft.position, 0, 10_000)
    _whole("sla_hours", draft.sla_hours, 1, _MOST_HOURS)
    posts = draft.category == Category.AUTOMATED and bool(draft.action)
    for name in ("cap_line_minor", "cap_day_minor"):
        _whole(name, getattr(draft, name), 1 if posts else 0, _MOST_MINOR)
    if draft.cap_line_minor > draft.cap_day_minor:
        raise BreakRuleInvalid("A break may not take more than a day may.", param="cap_line_minor")
    if draft.category == Category.AUTOMATED and draft.action in TAKES_TWO:
        raise BreakRuleInvalid(f"{draft.action} takes two people: no rule posts it.", param="action")
    if draft.category == Category.UNCLASSIFIED and draft.action:
        raise BreakRuleInvalid("Nobody knows what to post for what is unclassified.", param="action")
    check_conditions(draft.conditions)


def _whole(name: str, value: object, least: int, most: int) -> None:
    if type(value) is not int or not least <= value <= most:
        raise BreakRuleInvalid(f"{name} is a whole number from {least} to {most}.", param=name)
