"""Run a version of a rule over breaks that were found: what it would have taken, and have posted.

A break is judged as it was found, with the conditions that were stored with it. Before the version come the
rules that are in force now, in their positions, except other versions of its own name.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any
from uuid import UUID

from core import clock
from core.transactions import requires_transaction
from reconciliation.breaks import Category
from reconciliation.errors import BreakRuleInvalid
from reconciliation.matching.rules import PARKS
from reconciliation.models import BreakRule, Discrepancy, RuleDryRun
from reconciliation.rules.conditions import Asked, conditions_hold
from reconciliation.rules.drafting import record, rule_row
from reconciliation.rules.types import RunOverHistory

__all__ = ["run_rule_over_history"]

_PAGE = 500
_MOST = 50_000
_SAMPLES = 20
_MOST_DAYS = 400


@requires_transaction
def run_rule_over_history(*, rule_id: UUID, first_day: date, last_day: date, by: str) -> RunOverHistory:
    """Judge the breaks of these business days by a version, at most 50 000, and keep what came of it.

    Only such a run lets the version be put in force. Raises NotFound, and BreakRuleInvalid for days that are
    none or too many.
    """
    row = rule_row(rule_id)
    if not 0 <= (last_day - first_day).days < _MOST_DAYS:
        raise BreakRuleInvalid(f"From a day to a later one, at most {_MOST_DAYS} days.", param="first_day")
    tally = _Tally(row, _before(row))
    for found in _breaks(row, first_day, last_day):
        tally.look_at(found)
    result = tally.result(is_whole=tally.examined < _MOST)
    RuleDryRun.objects.create(
        rule=row, first_day=first_day, last_day=last_day, result=as_json(result), by=by, at=clock.now()
    )
    record(row, "break_rule.dry_run", by=by, detail={"examined": result.examined, "taken": result.taken})
    return result


def as_json(result: RunOverHistory) -> dict[str, Any]:
    """Return a result as it is stored."""
    return {
        "examined": result.examined,
        "taken": result.taken,
        "changed": result.changed,
        "posted": {currency: str(minor) for currency, minor in result.posted.items()},
        "over_line": result.over_line,
        "over_day": result.over_day,
        "samples": [dict(each) for each in result.samples],
        "is_whole": result.is_whole,
    }


def asked_of(row: Discrepancy) -> Asked:
    """Return what conditions are asked about, for a break that was found."""
    source = row.source
    known: Mapping[str, str] = {
        "source": source.name if source else "",
        "provider": source.provider if source else "",
        **row.explanation.get("conditions", {}),
    }
    return Asked(row.amount_minor, known)


def _before(row: BreakRule) -> list[BreakRule]:
    """The rules in force that are asked before this one would be."""
    active = BreakRule.objects.filter(
        merchant_id=row.merchant_id, break_class=row.break_class, status="ACTIVE"
    ).exclude(name=row.name)
    return [each for each in active if (each.position, each.name) < (row.position, row.name)]


def _breaks(row: BreakRule, first_day: date, last_day: date) -> Iterator[Discrepancy]:
    rows = Discrepancy.objects.filter(
        merchant_id=row.merchant_id,
        break_class=row.break_class,
        business_date__range=(first_day, last_day),
    ).select_related("source")
    place, left = UUID(int=0), _MOST
    while left > 0:
        page = list(rows.filter(pk__gt=place).order_by("pk")[: min(_PAGE, left)])
        if not page:
            return
        # What goes on at a new version of its file was judged with the one before.
        yield from (each for each in page if "carried_from" not in each.explanation)
        place, left = page[-1].pk, left - len(page)


class _Tally:
    """What was seen so far; its size does not depend on how many breaks were looked at."""

    def __init__(self, rule: BreakRule, before: list[BreakRule]) -> None:
        self._rule, self._before = rule, before
        self.examined = self.taken = self.changed = self.over_line = self.over_day = 0
        self.posted: Counter[str] = Counter()
        self._days: Counter[tuple[date, str]] = Counter()
        self._samples: list[dict[str, Any]] = []

    def look_at(self, row: Discrepancy) -> None:
        """Judge one break."""
        self.examined += 1
        asked = asked_of(row)
        if any(conditions_hold(each.conditions, asked) for each in self._before):
            return
        if not conditions_hold(self._rule.conditions, asked):
            return
        self.taken += 1
        ends = self._end(row)
        if row.rule_name == self._rule.name and row.category == self._rule.category:
            return
        self.changed += 1
        if len(self._samples) < _SAMPLES:
            self._samples.append(
                {
                    "break": row.public_id,
                    "amount_minor": str(row.amount_minor),
                    "currency": row.currency,
                    "by": row.rule_name or None,
                    "category": row.category,
                    "would": ends,
                }
            )

    def _end(self, row: Discrepancy) -> str:
        """Say what the rule would have done, and count it."""
        rule, minor = self._rule, row.amount_minor
        if rule.category != Category.AUTOMATED:
            return "people"
        if not rule.action:
            return "resolved without an entry"
        if minor > rule.cap_line_minor:
            self.over_line += 1
            return "people: over the cap of a break"
        day = (row.business_date, row.currency)
        if self._days[day] + minor > rule.cap_day_minor:
            self.over_day += 1
            return "people: over the cap of a day"
        self._days[day] += minor
        self.posted[row.currency] += minor
        return f"{rule.action}, then people" if rule.action in PARKS else rule.action

    def result(self, *, is_whole: bool) -> RunOverHistory:
        """Return what was counted."""
        return RunOverHistory(
            examined=self.examined,
            taken=self.taken,
            changed=self.changed,
            posted=dict(sorted(self.posted.items())),
            over_line=self.over_line,
            over_day=self.over_day,
            samples=tuple(self._samples),
            is_whole=is_whole,
        )
