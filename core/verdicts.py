"""The last verdict on every invariant, for the people who answer for the books."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from core import clock
from core.audits import CLEAN, NOT_EXERCISED, VIOLATED, registered
from core.models import AuditResult, AuditRun

__all__ = ["NEVER", "Verdict", "latest_verdicts"]

NEVER = "never"
# A run may cover a part of the invariants; so far back the last verdict on each is looked for.
_RUNS = 50
_ORDER = {VIOLATED: 0, NEVER: 1, NOT_EXERCISED: 2, CLEAN: 3}


@dataclass(frozen=True)
class Verdict:
    """What the last run that looked at an invariant found; `verdict` is "never" when none did."""

    name: str
    says: str
    covers: tuple[str, ...]
    verdict: str
    violations: int
    sample: list[list[str]]
    milliseconds: int
    at: datetime | None
    age: timedelta | None
    run_id: str


def latest_verdicts() -> list[Verdict]:
    """Return the last verdict on every registered invariant, those that need a person first."""
    runs = list(AuditRun.objects.order_by("-started_at")[:_RUNS])
    ends = {run.pk: run.finished_at for run in runs}
    newest: dict[str, AuditResult] = {}
    for row in AuditResult.objects.filter(run__in=runs).order_by("-run__started_at", "name"):
        newest.setdefault(row.name, row)
    now, found = clock.now(), []
    for invariant in registered():
        result = newest.get(invariant.name)
        at = ends[result.run_id] if result else None
        found.append(
            Verdict(
                name=invariant.name,
                says=invariant.says,
                covers=tuple(invariant.covers),
                verdict=result.verdict if result else NEVER,
                violations=result.violations if result else 0,
                sample=result.sample if result else [],
                milliseconds=result.milliseconds if result else 0,
                at=at,
                age=now - at if at else None,
                run_id=str(result.run_id) if result else "",
            )
        )
    return sorted(found, key=lambda each: (_ORDER[each.verdict], each.name))
