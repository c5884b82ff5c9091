"""One version of a rule for the console: what it says, what it would have done, and what waits about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from core.errors import NotFound
from core.models import Approval
from reconciliation.models import BreakRule, RuleDryRun
from reconciliation.rules.deciding import ACTIVATE, RETIRE, rules_at_desk
from reconciliation.rules.types import RuleData

__all__ = ["DryRunData", "RuleAtDesk", "rule_at_desk"]


@dataclass(frozen=True)
class DryRunData:
    """A run of a version over the breaks of some days; `result` is as it was kept (see RunOverHistory)."""

    first_day: date
    last_day: date
    by: str
    at: datetime
    result: Mapping[str, Any]


@dataclass(frozen=True)
class RuleAtDesk:
    """A version, the others of its name (newest first), its last run over history, and what waits for a yes.

    `in_force` is the version of the name that holds now, None where none does.
    """

    rule: RuleData
    versions: tuple[RuleData, ...]
    in_force: RuleData | None
    dry_run: DryRunData | None
    waiting: Approval | None


def rule_at_desk(*, rule_id: UUID) -> RuleAtDesk:
    """Return a version of a merchant's rule with all that is known of it. Raises NotFound."""
    row = BreakRule.objects.filter(pk=rule_id, merchant_id__isnull=False).first()
    if row is None or row.merchant_id is None:
        raise NotFound()
    versions = rules_at_desk(merchant_id=row.merchant_id, name=row.name)
    versions.sort(key=lambda each: -each.version)
    last = RuleDryRun.objects.filter(rule=row).order_by("-at").first()
    return RuleAtDesk(
        rule=next(each for each in versions if each.id == row.id),
        versions=tuple(versions),
        in_force=next((each for each in versions if each.status == "ACTIVE"), None),
        dry_run=DryRunData(last.first_day, last.last_day, last.by, last.at, last.result) if last else None,
        waiting=Approval.objects.filter(
            subject=f"break_rule:{row.id}", action__in=(ACTIVATE, RETIRE), status="PENDING"
        ).first(),
    )
