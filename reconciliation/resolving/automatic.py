"""Category A: breaks that a rule closes by itself, within its caps, with the evidence kept (R7).

An entry, the break's end and the audit record are written in one transaction. What is over a cap, or does not
fit, goes to people as category B, with a note that says why; the entry that the rule names stays prepared.

A1 parks an unknown capture in suspense, where nobody can spend it. The money has a place then, but nobody
knows whose it is: the break stays open, as B, until it is matched, returned (A3) or absorbed.
"""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from core import clock
from core.audit_trail import record_audit
from core.history import Changes
from core.ids import uuid7
from core.transactions import at_edge, requires_transaction
from reconciliation.breaks import Category
from reconciliation.errors import AdjustmentInvalid
from reconciliation.locks import lock_discrepancies
from reconciliation.matching.opening import end_break
from reconciliation.matching.rules import PARKS
from reconciliation.models import (
    Adjustment,
    BreakRule,
    Discrepancy,
    DiscrepancyNote,
    ReconciliationRun,
    SettlementFile,
)
from reconciliation.resolving.books import post_drafts
from reconciliation.resolving.caps import Purse, lock_purses, posted_by_rule
from reconciliation.resolving.evidence import evidence_of
from reconciliation.resolving.plans import Plan, plan
from reconciliation.resolving.templates import TAKES_TWO
from reconciliation.resolving.writing import Terms, begin_adjustment

__all__ = ["adjust_by_rule", "waiting_for_rules"]

PORTION = 100


def waiting_for_rules(*, run_id: UUID | None = None, limit: int = PORTION) -> list[UUID]:
    """Return breaks that a rule is to close and has not yet: of a run, or all whose file is posted."""
    rows = Discrepancy.objects.filter(category=Category.AUTOMATED, status="OPEN").exclude(rule_name="")
    if run_id is not None:
        rows = rows.filter(run_id=run_id)
    else:
        under_way = ReconciliationRun.objects.exclude(status__in=("POSTED", "DONE")).values("pk")
        rows = rows.exclude(run_id__in=under_way)
    return list(rows.order_by("pk").values_list("pk", flat=True)[:limit])


@at_edge
def adjust_by_rule(ids: Sequence[UUID]) -> int:
    """Post what the rules of these breaks name, as far as the caps go; return how many entries that were.

    Each break is dealt with once: again it changes nothing.
    """
    rows = [
        row
        for row in lock_discrepancies(ids=ids)
        if row.status == "OPEN" and row.category == Category.AUTOMATED and row.rule_name
    ]
    rules = _rules_of(rows)
    lock_purses({_purse(row) for row in rows})
    return sum(_adjust(row, rules.get((row.merchant_id, row.rule_name, row.rule_version))) for row in rows)


def _rules_of(rows: Sequence[Discrepancy]) -> dict[tuple[UUID, str, int | None], BreakRule]:
    names = {row.rule_name for row in rows}
    found = BreakRule.objects.filter(merchant_id__in={row.merchant_id for row in rows}, name__in=names)
    return {(each.merchant_id, each.name, each.version): each for each in found if each.merchant_id}


def _purse(row: Discrepancy) -> Purse:
    return Purse(row.merchant_id, row.rule_name, row.currency, row.business_date)


@requires_transaction
def _adjust(row: Discrepancy, rule: BreakRule | None) -> bool:
    if rule is None or not rule.action:
        _to_people(row, "No rule says what to post for it.")
        return False
    if rule.action in TAKES_TWO:
        _to_people(row, f"{rule.name} names {rule.action}, which takes two people.")
        return False
    adjustment_id, day = uuid7(), _day(row)
    try:
        made = plan(row, rule.action, {}, adjustment_id=adjustment_id, day=day)
    except AdjustmentInvalid as error:
        _to_people(row, f"{rule.name} names {rule.action}: {error.message}")
        return False
    over = _over(rule, row, made.made.amount_minor)
    if over:
        _to_people(row, f"{rule.name} names {rule.action}, and {over}: two people decide.")
        return False
    evidence = {
        **evidence_of(made.facts),
        "caps": {"line_minor": rule.cap_line_minor, "day_minor": rule.cap_day_minor},
    }
    _post(row, rule, Terms(adjustment_id, rule.action, {}, f"by rule {rule.name}", day, evidence), made)
    return True


def _over(rule: BreakRule, row: Discrepancy, amount_minor: int) -> str:
    """Say which cap an amount is over; empty if none."""
    if amount_minor > rule.cap_line_minor:
        return f"{amount_minor} is over its cap of {rule.cap_line_minor} minor units for a break"
    posted = posted_by_rule(_purse(row))
    if posted + amount_minor > rule.cap_day_minor:
        return (
            f"with {amount_minor} it is over its cap of {rule.cap_day_minor} minor units for"
            f" {row.business_date}, of which {posted} are posted"
        )
    return ""


def _post(row: Discrepancy, rule: BreakRule, terms: Terms, made: Plan) -> None:
    changes, by = Changes(), f"rule:{rule.name}"[:80]
    adjustment = begin_adjustment(
        row, terms, made.made, changes, maker=by, automatic=True, rule=(rule.name, rule.version)
    )
    [ref] = post_drafts(made.made.drafts)
    changes.move(
        adjustment, adjustment.to_posted, why=terms.reason, by=by, posted_at=clock.now(), entry_id=ref.id
    )
    if rule.action not in PARKS:
        end_break(
            changes, row, why=f"{rule.action} posted by rule {rule.name}, version {rule.version}", by=by
        )
    changes.save()
    if rule.action in PARKS:
        _note(row, by, "The money is in suspense: identify it (A2), match it, or give it back (A3).")
        _make_by_hand(row)
    _record(row, adjustment)


def _day(row: Discrepancy) -> date:
    """The day of the entry: that of the file, which posting its lines took too."""
    if row.file_id is not None:
        days = SettlementFile.objects.get(pk=row.file_id).days
        return max(days[1], row.business_date) if days else row.business_date
    return row.business_date


def _to_people(row: Discrepancy, why: str) -> None:
    _note(row, f"rule:{row.rule_name}"[:80], why)
    _make_by_hand(row)


def _make_by_hand(row: Discrepancy) -> None:
    row.category = Category.BY_HAND
    row.save(update_fields=["category"])


def _note(row: Discrepancy, by: str, text: str) -> None:
    DiscrepancyNote.objects.create(
        merchant_id=row.merchant_id, discrepancy=row, by=by, text=text[:2000], at=clock.now()
    )


def _record(row: Discrepancy, adjustment: Adjustment) -> None:
    record_audit(
        actor=adjustment.maker,
        action="adjustment.post",
        subject=row.public_id,
        reason=str(adjustment.instruction["reason"]),
        detail={
            "adjustment": str(adjustment.id),
            "template": adjustment.template,
            "amount_minor": adjustment.amount_minor,
            "currency": adjustment.currency,
            "rule": {"name": adjustment.rule_name, "version": adjustment.rule_version},
            "entry": adjustment.entry_id,
            "evidence_sha256": bytes(adjustment.evidence_digest).hex(),
        },
        merchant_id=row.merchant_id,
    )
