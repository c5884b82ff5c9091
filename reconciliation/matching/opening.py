"""Breaks are opened, each by its rule, and end when what was missing has come."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from core import clock
from core.history import SYSTEM, Changes
from core.transactions import requires_transaction
from reconciliation.breaks import Category
from reconciliation.locks import lock_discrepancies, lock_proposals
from reconciliation.matching.calendar import due_after
from reconciliation.matching.rules import Rules, rules_of
from reconciliation.matching.types import Finding, RuleChoice
from reconciliation.models import Discrepancy, SettlementSource
from reconciliation.snapshots import discrepancy_fact

__all__ = ["Place", "end_break", "open_breaks", "resolve_breaks"]

_PORTION = 500


@dataclass(frozen=True)
class Place:
    """Where breaks are found: in a file by a run, with a source outside of any, or in a merchant's books."""

    source: SettlementSource | None
    run_id: UUID | None = None
    file_id: UUID | None = None
    merchant_id: UUID | None = None

    @property
    def owner(self) -> UUID:
        """Whose breaks they are."""
        owner = self.source.merchant_id if self.source else self.merchant_id
        assert owner is not None, "a source, or a merchant"
        return owner


@requires_transaction
def open_breaks(place: Place, findings: Sequence[Finding], *, rules: Rules | None = None) -> list[UUID]:
    """Open a break for each finding, unless one of its key is open; return the ids of the new ones.

    What a rule takes without an entry is resolved by it at once, so that it is on record.
    """
    rules = rules or rules_of(merchant_id=place.owner)
    opened = []
    for portion in _portions(findings):
        known = set(
            Discrepancy.objects.filter(merchant_id=place.owner, key__in=[each.key for each in portion])
            .exclude(status="RESOLVED")
            .values_list("key", flat=True)
        )
        new = [each for each in portion if each.key not in known]
        opened += _open(place, new, rules)
    return opened


def _portions(findings: Sequence[Finding]) -> Iterator[list[Finding]]:
    once = list({each.key: each for each in findings}.values())
    for start in range(0, len(once), _PORTION):
        yield once[start : start + _PORTION]


def _open(place: Place, findings: Sequence[Finding], rules: Rules) -> list[UUID]:
    now = clock.now()
    changes = Changes()
    name, provider = (place.source.name, place.source.provider) if place.source else ("", "")
    chosen = [(finding, rules.choose(finding, source=name, provider=provider)) for finding in findings]
    rows = [_row(place, finding, rule, now) for finding, rule in chosen]
    for row in rows:
        changes.begin(row, why=f"found: {row.summary}", fact=discrepancy_fact(row, "opened"))
    # Inserted as they were opened, and then changed.
    changes.insert(rows)
    for row, (_, rule) in zip(rows, chosen, strict=True):
        if rule.category == Category.AUTOMATED and not rule.action:
            end_break(changes, row, why=f"version {rule.version}: {rule.note}", by=f"rule:{rule.name}")
    changes.save()
    return [row.id for row in rows]


def _row(place: Place, finding: Finding, rule: RuleChoice, now: Any) -> Discrepancy:
    movement = finding.movement
    return Discrepancy(
        merchant_id=place.owner,
        source_id=place.source.id if place.source else None,
        run_id=place.run_id,
        file_id=place.file_id,
        key=finding.key,
        break_class=finding.break_class,
        category=rule.category,
        side=finding.side,
        line_id=finding.line_id,
        subject_kind=movement.subject_kind if movement else "",
        subject_id=movement.subject_id if movement else None,
        clearing_key=finding.clearing_key,
        currency=finding.currency,
        amount_minor=finding.amount_minor,
        summary=finding.summary,
        explanation=_explanation(finding, rule),
        rule_name=rule.name,
        rule_version=rule.version,
        business_date=finding.business_date,
        due_at=due_after(place.source, now, hours=rule.sla_hours),
        created_at=now,
        updated_at=now,
    )


def _explanation(finding: Finding, rule: RuleChoice) -> dict[str, Any]:
    return {
        "steps": [dict(step) for step in finding.steps],
        "conditions": dict(finding.conditions),
        "rule": {"name": rule.name, "version": rule.version, "action": rule.action, "note": rule.note},
        "owner_role": rule.owner_role,
        "nth": finding.movement.nth if finding.movement else 0,
    }


@requires_transaction
def resolve_breaks(*, resolutions: Mapping[UUID, str], by: str = SYSTEM) -> int:
    """Resolve breaks that explained themselves, each with its sentence; return how many were open.

    What was proposed for one of them is not wanted any more and is rejected.
    """
    if not resolutions:
        return 0
    changes, ended = Changes(), 0
    rows = [row for row in lock_discrepancies(ids=list(resolutions)) if row.status != "RESOLVED"]
    for proposal in lock_proposals(discrepancies=[row.id for row in rows]):
        changes.move(proposal, proposal.to_rejected, why="the break is gone", by=by)
    for row in rows:
        end_break(changes, row, why=resolutions[row.id], by=by)
        ended += 1
    changes.save()
    return ended


def end_break(changes: Changes, row: Discrepancy, *, why: str, by: str = SYSTEM) -> None:
    """End a locked break, among the changes of a transaction."""
    changes.move(
        row,
        row.to_resolved,
        why=why,
        by=by,
        fact=discrepancy_fact(row, "resolved"),
        resolution=why,
        resolved_at=clock.now(),
    )
