"""The last verdict on every invariant, for the people who answer for the books."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from core import clock
from core.audits import CLEAN, FAILED, NOT_EXERCISED, VIOLATED, registered
from core.models import AuditResult

__all__ = ["NEVER", "Verdict", "latest_verdicts"]

NEVER = "never"
# A run that found nothing new after what it knows to be clean has not changed the verdict.
_NEWEST = """
    SELECT newest.id FROM unnest(%s::text[]) AS rule (name) CROSS JOIN LATERAL (
        (SELECT id, 1 AS choice FROM core_auditresult WHERE name = rule.name
            AND NOT (verdict = 'not_exercised' AND coalesce(clean_through, 0) > 0) ORDER BY id DESC LIMIT 1)
        UNION ALL
        (SELECT id, 2 FROM core_auditresult WHERE name = rule.name ORDER BY id DESC LIMIT 1)
        ORDER BY choice LIMIT 1
    ) AS newest
"""
_ORDER = {VIOLATED: 0, FAILED: 1, NEVER: 2, NOT_EXERCISED: 3, CLEAN: 4}


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
    now, found = clock.now(), []
    newest = _newest([invariant.name for invariant in registered()])
    for invariant in registered():
        result = newest.get(invariant.name)
        at = result.run.finished_at if result else None
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


def _newest(names: list[str]) -> dict[str, AuditResult]:
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST, [names])
        ids = [row[0] for row in cursor.fetchall()]
    return {row.name: row for row in AuditResult.objects.filter(id__in=ids).select_related("run")}
