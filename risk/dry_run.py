"""Run one version of a rule over history: which payments would have been decided otherwise.

Every payment is judged as it stood then: with the inputs stored with its decision, with the history up to
that moment, and with what the other rules said at the time. Lists are taken as they are now. Payments are
read in small pages, newest first, so that the memory does not grow with the history.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from core import clock
from core.audit_trail import record_audit
from core.errors import NotFound
from core.transactions import requires_transaction
from risk.judging import combine, evaluate
from risk.known import restored
from risk.models import RiskDecision, RiskDryRun, RiskFact, RiskRule
from risk.policy import Rule, rule_of
from risk.types import DryRunReport, Hit

__all__ = ["dry_run"]

_PAGE = 200
_MOST = 5_000
_SAMPLES = 20


@requires_transaction
def dry_run(*, rule_id: UUID, since: datetime, by: str, most: int = _MOST) -> DryRunReport:
    """Replay the payments that were assessed since a moment, at most `most` of them; keep the report.

    Only a run of exactly this version lets it be activated. Errors: NotFound.
    """
    row = RiskRule.objects.filter(pk=rule_id).first()
    if row is None:
        raise NotFound()
    rule, tally = rule_of(row), _Tally()
    for page in _pages(row.merchant_id, since, most):
        tally.look_at(page, rule)
    report = tally.report(is_whole=tally.examined < most)
    RiskDryRun.objects.create(
        merchant_id=row.merchant_id,
        rule=row,
        since=since,
        examined=report.examined,
        report=as_json(report),
        by=by,
        at=clock.now(),
    )
    record_audit(
        actor=by,
        action="risk_rule.dry_run",
        subject=f"risk_rule:{row.name}",
        detail={"rule": str(row.pk), "version": row.version, "examined": report.examined},
        merchant_id=row.merchant_id,
    )
    return report


def as_json(report: DryRunReport) -> dict[str, Any]:
    """Return the report as it is stored."""
    return {
        "examined": report.examined,
        "changed": dict(report.changed),
        "value": dict(report.value),
        "paid": report.paid,
        "samples": [dict(sample) for sample in report.samples],
        "is_whole": report.is_whole,
    }


def _pages(merchant_id: UUID, since: datetime, most: int) -> Iterator[list[RiskDecision]]:
    left, place = most, (clock.now(), UUID(int=2**128 - 1))
    while left > 0:
        rows = RiskDecision.objects.filter(merchant_id=merchant_id, source="rules", at__gte=since)
        # The index is entered at the place: what came before it is not read again.
        older = rows.filter(at__lte=place[0]).exclude(at=place[0], pk__gte=place[1])
        page = list(older.order_by("-at", "-pk")[: min(_PAGE, left)])
        if not page:
            return
        yield page
        left -= len(page)
        place = (page[-1].at, page[-1].pk)


class _Tally:
    """What was seen so far; its size does not depend on how many payments were looked at."""

    def __init__(self) -> None:
        self.examined = self.paid = 0
        self.changed: Counter[str] = Counter()
        self.value: Counter[str] = Counter()
        self.samples: list[dict[str, Any]] = []

    def look_at(self, page: list[RiskDecision], rule: Rule) -> None:
        """Judge one page of payments."""
        changed: list[UUID] = []
        for row in page:
            self.examined += 1
            before, after = _judged(row, rule)
            if before == after:
                continue
            changed.append(row.subject_id)
            self._count(row, f"{before}>{after}")
        paid = RiskFact.objects.filter(subject_id__in=changed, kind="paid") if changed else None
        self.paid += paid.values("subject_id").distinct().count() if paid is not None else 0

    def _count(self, row: RiskDecision, change: str) -> None:
        self.changed[change] += 1
        amounts: Counter[str] = Counter()
        for part in row.inputs["orders"]:
            amounts[part["currency"]] += part["amount_minor"]
        self.value.update(amounts)
        if len(self.samples) < _SAMPLES:
            self.samples.append(
                {
                    "subject_id": str(row.subject_id),
                    "at": row.at.isoformat(),
                    "change": change,
                    "amounts": dict(amounts),
                }
            )

    def report(self, *, is_whole: bool) -> DryRunReport:
        """Return what was counted."""
        return DryRunReport(
            examined=self.examined,
            changed=dict(sorted(self.changed.items())),
            value=dict(sorted(self.value.items())),
            paid=self.paid,
            samples=tuple(self.samples),
            is_whole=is_whole,
        )


def _judged(row: RiskDecision, rule: Rule) -> tuple[str, str]:
    """Return the decision with the rules of then, and with this version in the place of its name's."""
    known = restored(row.merchant_id, row.subject_id, row.at, row.inputs)
    thresholds = row.inputs["thresholds"]
    then = [Hit(**hit) for hit in row.hits]
    others = [hit for hit in then if hit.rule != rule.name]
    # As if it were in force, whatever its state is today.
    fresh = [_in_force(hit) for hit in evaluate([rule], known)]
    before = combine(then, **thresholds)
    after = combine([*others, *fresh], **thresholds)
    return before.decision, after.decision


def _in_force(hit: Hit) -> Hit:
    return Hit(**{**vars(hit), "is_shadow": False})
