"""How breaks are read at the desk: in queues, the most urgent first, and one with all that is known of it."""

import base64
import json
from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import Q, QuerySet

from core import clock
from core.errors import NotFound
from core.models import Approval, StatusChange
from reconciliation.errors import AdjustmentInvalid
from reconciliation.models import Adjustment, BreakRule, Discrepancy, DiscrepancyNote
from reconciliation.resolving.at_bank import offers_at_bank
from reconciliation.resolving.books import lines_of, shown_lines
from reconciliation.resolving.evidence import line_facts, movement_facts
from reconciliation.resolving.facts import Facts, facts_of
from reconciliation.resolving.plans import plan
from reconciliation.resolving.proposing import ACTION
from reconciliation.resolving.taking_back import REOPEN
from reconciliation.resolving.templates import NO_ENTRY, offers
from reconciliation.resolving.types import (
    AdjustmentData,
    BreakDetail,
    BreakFilters,
    BreakPage,
    BreakRow,
    HistoryData,
    NoteData,
    Prepared,
    ProposedLine,
)

__all__ = ["QUEUES", "break_at_desk", "breaks_at_desk", "preview"]

# A queue and the categories in it; "all" has every break, also those that are resolved.
QUEUES: dict[str, tuple[str, ...]] = {
    "finance": ("A", "B"),
    "investigation": ("C",),
    "all": ("A", "B", "C"),
}
_PAGE = 50
_HISTORY = 100


def breaks_at_desk(
    *,
    merchant_id: UUID | None,
    queue: str,
    filters: BreakFilters | None = None,
    after: str | None = None,
    limit: int = _PAGE,
) -> BreakPage:
    """Return a page of a queue, those that are due first; `after` is where the last page ended.

    Without a merchant it is about all of them. Breaks that are resolved are in the queue "all" only, or where
    the filter asks for that status. Raises KeyError for an unknown queue, ValueError for a broken `after`.
    """
    wanted = filters or BreakFilters()
    rows = _narrowed(Discrepancy.objects.filter(category__in=QUEUES[queue]), wanted)
    rows = rows if merchant_id is None else rows.filter(merchant_id=merchant_id)
    if queue != "all" and not wanted.status:
        rows = rows.exclude(status="RESOLVED")
    if after is not None:
        due, key = _place(after)
        rows = rows.filter(Q(due_at__gt=due) | Q(due_at=due, pk__gt=key))
    found = list(rows.select_related("source").order_by("due_at", "pk")[: limit + 1])
    more = len(found) > limit
    page = found[:limit]
    return BreakPage(tuple(row_of(each) for each in page), _cursor(page[-1]) if more else None)


@transaction.atomic
def break_at_desk(*, discrepancy_id: UUID, merchant_id: UUID | None = None) -> BreakDetail:
    """Return a break with both sides, its explanation, what is proposed and posted for it, and what can be.

    Raises NotFound, also for another merchant's.
    """
    rows = Discrepancy.objects.select_related("source").filter(pk=discrepancy_id)
    row = (rows if merchant_id is None else rows.filter(merchant_id=merchant_id)).first()
    if row is None:
        raise NotFound()
    facts = facts_of(row)
    waiting = _waiting(row)
    return BreakDetail(
        row=row_of(row),
        line=line_facts(facts),
        movement=movement_facts(facts),
        clearing_key=facts.clearing_key,
        open_minor=facts.open_minor,
        explanation=row.explanation,
        offers=_offers(facts),
        prepared=_prepared(facts),
        adjustments=_adjustments(facts, waiting),
        notes=tuple(
            NoteData(each.by, each.text, each.at)
            for each in DiscrepancyNote.objects.filter(discrepancy_id__in=facts.family).order_by("at", "pk")
        ),
        history=_history(facts.family),
        pending=tuple(
            {
                "approval_id": each.pk,
                "action": each.action,
                "maker": each.maker,
                "instruction": each.instruction,
            }
            for each in waiting
        ),
        resolution=row.resolution,
    )


def preview(instruction: Mapping[str, Any]) -> tuple[ProposedLine, ...]:
    """Return the journal that an instruction says will be posted, line by line; empty for none.

    It is what the second person agrees to: should the books say otherwise by then, nothing is posted.
    """
    return lines_of(instruction)


def row_of(row: Discrepancy) -> BreakRow:
    """Return a break as lists show it."""
    now = clock.now()
    return BreakRow(
        id=row.id,
        public_id=row.public_id,
        break_class=row.break_class,
        category=row.category,
        status=row.status,
        side=row.side,
        source_name=row.source.name if row.source else "",
        currency=row.currency,
        amount_minor=row.amount_minor,
        summary=row.summary,
        owner=row.owner,
        rule_name=row.rule_name,
        business_date=row.business_date,
        created_at=row.created_at,
        due_at=row.due_at,
        age_days=max((now - row.created_at).days, 0),
        is_overdue=row.status != "RESOLVED" and row.due_at < now,
    )


def _narrowed(rows: QuerySet[Discrepancy], wanted: BreakFilters) -> QuerySet[Discrepancy]:
    named = {
        "break_class": wanted.break_class,
        "source_id": wanted.source_id,
        "currency": wanted.currency,
        "owner": wanted.owner,
        "status": wanted.status,
        "business_date__gte": wanted.first_day,
        "business_date__lte": wanted.last_day,
        "created_at__gte": wanted.found_since,
        "created_at__lt": wanted.found_before,
    }
    rows = rows.filter(**{name: value for name, value in named.items() if value})
    if wanted.is_overdue is None:
        return rows
    overdue = Q(due_at__lt=clock.now()) & ~Q(status="RESOLVED")
    return rows.filter(overdue) if wanted.is_overdue else rows.exclude(overdue)


def _offers(facts: Facts) -> tuple[str, ...]:
    if facts.row.status not in ("OPEN", "ASSIGNED"):
        return ()
    return (*offers_at_bank(facts), *offers(facts)) if facts.row.source is not None else (NO_ENTRY,)


def _prepared(facts: Facts) -> Prepared | None:
    """What the rule of a break names, as it would be proposed today."""
    row = facts.row
    if row.rule_version is None:
        return None
    rule = BreakRule.objects.filter(
        merchant_id=row.merchant_id, name=row.rule_name, version=row.rule_version
    ).first()
    if rule is None or not rule.action or row.status not in ("OPEN", "ASSIGNED"):
        return None
    day: date = max(clock.today(), row.business_date)
    try:
        with transaction.atomic():
            made = plan(row, rule.action, {}, adjustment_id=uuid4(), day=day).made
            # Accounts that would be opened for it are not: this only looks.
            transaction.set_rollback(True)
    except AdjustmentInvalid:
        return None
    return Prepared(rule.action, made.amount_minor, shown_lines(made.lines, made.also))


def _adjustments(facts: Facts, waiting: Collection[Approval]) -> tuple[AdjustmentData, ...]:
    approvals = {each.instruction["adjustment"]: each.pk for each in waiting if each.action == ACTION}
    rows = Adjustment.objects.filter(discrepancy_id__in=facts.family).order_by("created_at", "pk")
    return tuple(_adjustment(each, approvals.get(str(each.id))) for each in rows)


def _adjustment(row: Adjustment, waiting: UUID | None) -> AdjustmentData:
    said = row.instruction
    return AdjustmentData(
        id=row.id,
        template=row.template,
        status=row.status,
        automatic=row.automatic,
        amount_minor=row.amount_minor,
        currency=row.currency,
        effective_date=date.fromisoformat(said["effective_date"]),
        reason=said["reason"],
        lines=lines_of(said),
        parameters=said["parameters"],
        maker=row.maker,
        checker=row.checker,
        approval_id=row.approval_id or waiting,
        entry_id=row.entry_id,
        rule_name=row.rule_name,
        rule_version=row.rule_version,
        reverses_id=row.reverses_id,
        evidence=row.evidence,
        evidence_digest=bytes(row.evidence_digest).hex(),
        created_at=row.created_at,
        posted_at=row.posted_at,
    )


def _history(family: Collection[UUID]) -> tuple[HistoryData, ...]:
    rows = StatusChange.objects.filter(
        subject_type=Discrepancy._meta.label_lower, subject_id__in=family
    ).order_by("recorded_at", "pk")
    return tuple(
        HistoryData(each.from_state, each.to_state, each.reason, each.actor, each.recorded_at)
        for each in rows[:_HISTORY]
    )


def _waiting(row: Discrepancy) -> list[Approval]:
    return list(
        Approval.objects.filter(
            subject=row.public_id, action__in=(ACTION, REOPEN), status="PENDING"
        ).order_by("pk")
    )


def _cursor(row: Discrepancy) -> str:
    return base64.urlsafe_b64encode(json.dumps([row.due_at.isoformat(), str(row.id)]).encode()).decode()


def _place(after: str) -> tuple[datetime, UUID]:
    due, key = json.loads(base64.urlsafe_b64decode(after.encode()))
    return datetime.fromisoformat(due), UUID(key)
