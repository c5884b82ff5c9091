"""Invariants that run in production: each is one query that must return no rows.

Apps register theirs in `AppConfig.ready()`; the runner stores every result, so that the last verdict and
its age can be shown. A query that had nothing to examine says "not exercised" instead of "clean".

A rule that can be examined piece by piece names its scale. An incremental run examines what is new since the
place up to which the rule is known to hold; a broken rule keeps its place, so it is asked again until it is
clean. A full run examines everything.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.db import DatabaseError, connection, transaction
from django.db.backends.utils import CursorWrapper

from core import clock
from core.models import AuditResult, AuditRun

__all__ = [
    "CLEAN",
    "FAILED",
    "NOT_EXERCISED",
    "VIOLATED",
    "AuditReport",
    "Finding",
    "Invariant",
    "Scale",
    "register",
    "registered",
    "run_audits",
    "swept",
]

CLEAN, VIOLATED, NOT_EXERCISED, FAILED = "clean", "violated", "not_exercised", "failed"
_SAMPLE = 20
# Above every number of a scale: a line's id is its entry's number * 1024, and must fit in 63 bits.
_BEYOND = 2**53 - 1
_REGISTRY: dict[str, "Invariant"] = {}


@dataclass(frozen=True)
class Scale:
    """Numbers that rows get once and keep, along which rules are examined piece by piece.

    `safe_sql` is a SELECT of the number up to which nothing can appear any more; `portion` is how many
    numbers one query looks at.
    """

    name: str
    safe_sql: str
    portion: int


@dataclass(frozen=True)
class Invariant:
    """A rule about the data: `sql` returns the rows that break it.

    `exercised_sql` is a SELECT of one boolean: was there anything to examine; `covers` names the rules of
    the books that the query watches.

    A rule with a `scale` also has `incremental_sql`: the same question about the numbers above {after} up to
    {through}, which are put in by str.format; `swept` writes both from one text. A rule without one is asked
    as a whole in every run, or with `nightly` only in full runs and while it is broken, because it reads
    every row.
    """

    name: str
    says: str
    sql: str
    exercised_sql: str
    covers: tuple[str, ...] = ()
    incremental_sql: str | None = None
    scale: Scale | None = None
    nightly: bool = False


def swept(
    *, name: str, says: str, sql: str, exercised_sql: str, scale: Scale, covers: tuple[str, ...] = ()
) -> Invariant:
    """Return a rule that is examined along a scale; `sql` asks about the numbers above {after} to {through}."""
    return Invariant(
        name=name,
        says=says,
        sql=sql.format(after=0, through=_BEYOND),
        exercised_sql=exercised_sql,
        covers=covers,
        incremental_sql=sql,
        scale=scale,
    )


@dataclass(frozen=True)
class Finding:
    """The verdict on one invariant, with at most twenty of the rows that break it.

    For a rule with a scale: the numbers above `examined_after` up to `examined_through` were examined, and
    the rule is known to hold up to `clean_through`. A failed query has its error as the sample.
    """

    name: str
    says: str
    verdict: str
    violations: int
    sample: list[list[str]]
    milliseconds: int
    examined_after: int | None = None
    examined_through: int | None = None
    clean_through: int | None = None


@dataclass(frozen=True)
class AuditReport:
    """What one run found; `left_out` names the rules that only a full run asks."""

    started_at: datetime
    finished_at: datetime
    findings: list[Finding]
    is_full: bool = True
    left_out: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """True when every query ran and no invariant is violated."""
        return not self.violated and not self.failed

    @property
    def violated(self) -> list[Finding]:
        """The findings that need a person."""
        return [finding for finding in self.findings if finding.verdict == VIOLATED]

    @property
    def failed(self) -> list[Finding]:
        """The invariants about which nothing is known, because their query broke off."""
        return [finding for finding in self.findings if finding.verdict == FAILED]

    @property
    def exit_code(self) -> int:
        """What a command ends with: 0 clean, 1 an invariant is violated, 2 one could not be examined."""
        return 1 if self.violated else 2 if self.failed else 0


@dataclass
class _Look:
    """What the queries about one invariant have returned so far."""

    violations: int = 0
    sample: list[list[str]] = field(default_factory=list)
    after: int | None = None
    through: int | None = None
    clean_through: int | None = None
    with_tail: bool = False

    def ask(self, sql: str) -> bool:
        """Run one query in a transaction of its own; say whether it returned nothing."""
        with transaction.atomic(), connection.cursor() as cursor:
            _prepare(cursor)
            cursor.execute(sql)
            rows = cursor.fetchmany(_SAMPLE)
            found = len(rows) + (len(cursor.fetchall()) if len(rows) == _SAMPLE else 0)
        self.violations += found
        room = _SAMPLE - len(self.sample)
        self.sample += [[str(value) for value in row] for row in rows[:room]]
        return not found


def register(invariants: Iterable[Invariant]) -> None:
    """Add an app's invariants. Raises ValueError when a name is taken by another query."""
    for invariant in invariants:
        if (invariant.scale is None) != (invariant.incremental_sql is None):
            raise ValueError(f"{invariant.name} has only one of scale and incremental_sql")
        if _REGISTRY.setdefault(invariant.name, invariant) != invariant:
            raise ValueError(f"two invariants are called {invariant.name}")


def registered() -> list[Invariant]:
    """Return every registered invariant, by name."""
    return [_REGISTRY[name] for name in sorted(_REGISTRY)]


def run_audits(
    *,
    names: Iterable[str] | None = None,
    store: bool = True,
    full: bool = True,
    after_each: Callable[[Finding], None] | None = None,
) -> AuditReport:
    """Run the invariants (all of them by default) and store the verdicts unless `store` is False.

    With `full` everything is examined; without it what is new since the last run, and what was broken then.
    `after_each` is told each finding as it comes. Raises ValueError for a name that nobody registered.
    """
    wanted = set(_REGISTRY if names is None else names)
    if unknown := wanted - _REGISTRY.keys():
        raise ValueError(f"no invariant is called {', '.join(sorted(unknown))}")
    started_at = clock.now()
    findings, left_out = [], []
    for invariant in registered():
        if invariant.name not in wanted:
            continue
        last = AuditResult.objects.filter(name=invariant.name).order_by("-id").first()
        # Whatever has a verdict other than these is asked again.
        if not full and invariant.nightly and last and last.verdict in (CLEAN, NOT_EXERCISED):
            left_out.append(invariant.name)
            continue
        finding = _examine(invariant, full=full, last=last)
        findings.append(finding)
        if after_each:
            after_each(finding)
    report = AuditReport(
        started_at=started_at,
        finished_at=clock.now(),
        findings=findings,
        is_full=full,
        left_out=left_out,
    )
    if store:
        _store(report)
    return report


def _examine(invariant: Invariant, *, full: bool, last: AuditResult | None) -> Finding:
    started = time.monotonic()
    look = _Look(
        clean_through=last.clean_through if last else None,
        with_tail=full or bool(last and last.verdict == VIOLATED),
    )
    try:
        if invariant.scale is None:
            look.ask(invariant.sql)
        else:
            _sweep(look, invariant, invariant.scale, full=full)
        verdict = VIOLATED if look.violations else CLEAN if _exercised(look, invariant) else NOT_EXERCISED
    except DatabaseError as error:
        verdict, look.sample = FAILED, [[str(error).strip()]]
    return Finding(
        name=invariant.name,
        says=invariant.says,
        verdict=verdict,
        violations=look.violations,
        sample=look.sample,
        milliseconds=int((time.monotonic() - started) * 1000),
        examined_after=look.after,
        examined_through=look.through,
        clean_through=look.clean_through,
    )


def _sweep(look: _Look, invariant: Invariant, scale: Scale, *, full: bool) -> None:
    """Ask portion by portion. A portion that is broken keeps the place where the next run begins."""
    safe = int(_value(scale.safe_sql))
    begin = 0 if full else look.clean_through or 0
    if begin > safe:
        # The database was restored to an earlier day: nothing that was examined since counts.
        begin = 0
    look.after, look.through, look.clean_through = begin, safe, begin
    holds = True
    while begin < safe:
        end = min(begin + scale.portion, safe)
        holds = look.ask(_portion(invariant, begin, end)) and holds
        if holds:
            look.clean_through = end
        begin = end
    if look.with_tail:
        # What is above the safe number may still get company; it is examined, and examined again later.
        look.ask(_portion(invariant, safe, _BEYOND))


def _portion(invariant: Invariant, after: int, through: int) -> str:
    return str(invariant.incremental_sql).format(after=after, through=through)


def _exercised(look: _Look, invariant: Invariant) -> bool:
    nothing_new = look.after is not None and look.after == look.through and not look.with_tail
    return not nothing_new and bool(_value(invariant.exercised_sql))


def _value(sql: str) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        _prepare(cursor)
        cursor.execute(sql)
        row = cursor.fetchone()
    return int(row[0]) if row and row[0] is not None else 0


def _prepare(cursor: CursorWrapper) -> None:
    # A full pass over the books takes longer and sorts more than a payment may; only this transaction.
    cursor.execute("SET LOCAL statement_timeout = 0")
    cursor.execute("SET LOCAL work_mem = '64MB'")


def _store(report: AuditReport) -> None:
    with transaction.atomic():
        run = AuditRun.objects.create(
            started_at=report.started_at,
            finished_at=report.finished_at,
            is_clean=report.is_clean,
            is_full=report.is_full,
        )
        AuditResult.objects.bulk_create(
            AuditResult(
                run=run,
                name=finding.name,
                verdict=finding.verdict,
                violations=finding.violations,
                sample=finding.sample,
                milliseconds=finding.milliseconds,
                examined_after=finding.examined_after,
                examined_through=finding.examined_through,
                clean_through=finding.clean_through,
            )
            for finding in report.findings
        )
