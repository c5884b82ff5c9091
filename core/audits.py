"""Invariants that run in production: each is one query that must return no rows.

Apps register theirs in `AppConfig.ready()`; the runner stores every result, so that the last verdict and
its age can be shown. A query that had nothing to examine says "not exercised" instead of "clean".
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from core import clock
from core.models import AuditResult, AuditRun

__all__ = [
    "CLEAN",
    "NOT_EXERCISED",
    "VIOLATED",
    "AuditReport",
    "Finding",
    "Invariant",
    "register",
    "registered",
    "run_audits",
]

CLEAN, VIOLATED, NOT_EXERCISED = "clean", "violated", "not_exercised"
_SAMPLE = 20
_REGISTRY: dict[str, "Invariant"] = {}


@dataclass(frozen=True)
class Invariant:
    """A rule about the data: `sql` returns the rows that break it.

    `exercised_sql` is a SELECT of one boolean: was there anything to examine; `covers` names
    the rules of the books that the query watches.
    """

    name: str
    says: str
    sql: str
    exercised_sql: str
    covers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finding:
    """The verdict on one invariant, with at most twenty of the rows that break it."""

    name: str
    says: str
    verdict: str
    violations: int
    sample: list[list[str]]
    milliseconds: int


@dataclass(frozen=True)
class AuditReport:
    """What one run found."""

    started_at: datetime
    finished_at: datetime
    findings: list[Finding]

    @property
    def is_clean(self) -> bool:
        """True when no invariant is violated."""
        return not self.violated

    @property
    def violated(self) -> list[Finding]:
        """The findings that need a person."""
        return [finding for finding in self.findings if finding.verdict == VIOLATED]


def register(invariants: Iterable[Invariant]) -> None:
    """Add an app's invariants. Raises ValueError when a name is taken by another query."""
    for invariant in invariants:
        if _REGISTRY.setdefault(invariant.name, invariant) != invariant:
            raise ValueError(f"two invariants are called {invariant.name}")


def registered() -> list[Invariant]:
    """Return every registered invariant, by name."""
    return [_REGISTRY[name] for name in sorted(_REGISTRY)]


def run_audits(*, names: Iterable[str] | None = None, store: bool = True) -> AuditReport:
    """Run the invariants (all of them by default) and store the verdicts unless `store` is False."""
    wanted = set(names) if names is not None else None
    started_at = clock.now()
    findings = [_examine(each) for each in registered() if wanted is None or each.name in wanted]
    report = AuditReport(started_at=started_at, finished_at=clock.now(), findings=findings)
    if store:
        _store(report)
    return report


def _examine(invariant: Invariant) -> Finding:
    started = time.monotonic()
    # A full pass over the books takes longer than a payment may; only this transaction is exempt.
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute(invariant.sql)
        rows = cursor.fetchmany(_SAMPLE)
        violations = len(rows) + (len(cursor.fetchall()) if len(rows) == _SAMPLE else 0)
        exercised = True
        if not violations:
            cursor.execute(invariant.exercised_sql)
            row = cursor.fetchone()
            exercised = bool(row and row[0])
    return Finding(
        name=invariant.name,
        says=invariant.says,
        verdict=VIOLATED if violations else CLEAN if exercised else NOT_EXERCISED,
        violations=violations,
        sample=[[str(value) for value in row] for row in rows],
        milliseconds=int((time.monotonic() - started) * 1000),
    )


def _store(report: AuditReport) -> None:
    with transaction.atomic():
        run = AuditRun.objects.create(
            started_at=report.started_at, finished_at=report.finished_at, is_clean=report.is_clean
        )
        AuditResult.objects.bulk_create(
            AuditResult(
                run=run,
                name=finding.name,
                verdict=finding.verdict,
                violations=finding.violations,
                sample=finding.sample,
                milliseconds=finding.milliseconds,
            )
            for finding in report.findings
        )
