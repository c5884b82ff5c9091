"""The matching of a published file: all of it becomes visible at once, matches and breaks together."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from core import clock
from core.alerts import end_alert, raise_alert
from core.audit_trail import required_reason
from core.drain import Claim
from core.failpoints import failpoint
from core.history import Changes, begin, move
from core.ids import public_id
from core.nudges import nudge
from core.settings_store import get_setting
from core.transactions import at_edge, requires_transaction
from reconciliation.breaks import BreakClass
from reconciliation.errors import BreakStateConflict
from reconciliation.locks import lock_run
from reconciliation.matching.batches import batch_findings, declared_findings
from reconciliation.matching.carry import carry_over
from reconciliation.matching.exact import match_exactly, pair_lines
from reconciliation.matching.expected import expect_missing
from reconciliation.matching.findings import line_finding
from reconciliation.matching.late import clear_missing
from reconciliation.matching.open_lines import find_open, known_of, to_match, unknown_of
from reconciliation.matching.opening import Place, open_breaks
from reconciliation.matching.policy import MOST_BREAKS, RUN_FAILED
from reconciliation.matching.resolving import resolve
from reconciliation.matching.rules import Rules, ensure_rules, rules_of
from reconciliation.matching.sql import long_statements
from reconciliation.matching.terms import fee_findings, fx_findings
from reconciliation.matching.turns import take_turn
from reconciliation.matching.types import Finding, OpenLine
from reconciliation.matching.writing import write_pairings
from reconciliation.models import ReconciliationRun, SettlementFile

__all__ = ["DRAIN", "TooManyBreaks", "fail_run", "match_run", "note_matched", "queue_run", "retry_run"]

DRAIN = "reconciliation_runs"


class TooManyBreaks(Exception):
    """More of a file is unexplained than can be right: it is likely about another account."""


@requires_transaction
def queue_run(file: SettlementFile) -> ReconciliationRun | None:
    """Let a locked file that was published be matched; None for one that is not to be: a bank's, provisional.

    Again it changes nothing.
    """
    if file.status != "PUBLISHED" or file.source.kind != "psp":
        return None
    known = ReconciliationRun.objects.filter(file_id=file.id).first()
    if known is not None:
        return known
    now = clock.now()
    run = ReconciliationRun.objects.create(
        merchant_id=file.merchant_id,
        source_id=file.source_id,
        file=file,
        due_at=now,
        created_at=now,
        updated_at=now,
    )
    begin(run, why=f"{file.name[:120]} was published")
    nudge(DRAIN)
    return run


@at_edge
def match_run(claim: Claim) -> str:
    """Match a queued run; return its state, which is QUEUED while an older run of its source is to be done.

    Everything is written in one transaction. Raises TooManyBreaks when the file cannot be this account's.
    """
    run, may = take_turn(claim, after=("QUEUED",))
    if not may:
        return run.status
    long_statements()
    ensure_rules(merchant_id=run.merchant_id)
    rules = rules_of(merchant_id=run.merchant_id)
    if run.file.status == "PUBLISHED":
        counts, covered_to = _match(run, rules)
    else:
        counts, covered_to = {"superseded": True}, None
    note_matched(run, rules, counts, covered_to)
    failpoint("reconciliation_runs.before_matched")
    return run.status


def _match(run: ReconciliationRun, rules: Rules) -> tuple[dict[str, Any], date | None]:
    most = get_setting(name=MOST_BREAKS)
    number = run.file.number
    carried = carry_over(run)
    pair_lines(run, number)
    exact = match_exactly(run)
    lines = find_open(number, most=5 * most + 1)
    if len(lines) > 5 * most:
        raise TooManyBreaks(f"more than {5 * most} lines are nothing that we know at first sight")
    resolved = resolve(to_match(lines), known_of(run, to_match(lines)))
    write_pairings(run, resolved.pairings)
    rates = fx_findings(run, most=most + 1)
    findings = [
        *resolved.findings,
        *_unknown(unknown_of(lines)),
        *rates,
        *fee_findings(run, most=most + 1, but=[each.line_id for each in rates if each.line_id]),
        *batch_findings(number),
        *declared_findings(run.file),
    ]
    if len(findings) > most:
        raise TooManyBreaks(f"{len(findings)} breaks in one file, and at most {most} can be right")
    cleared, late = clear_missing(run)
    open_breaks(Place(run.source, run.id, run.file_id), [*findings, *late], rules=rules)
    noted, covered_to = expect_missing(run)
    by_how = Counter(pairing.how for pairing in resolved.pairings)
    by_how["exact"] += exact
    return {
        "matched": dict(sorted(by_how.items())),
        "carried": carried,
        "breaks": dict(sorted(Counter(str(each.break_class) for each in [*findings, *late]).items())),
        "cleared": cleared,
        "expected": noted,
    }, covered_to


def _unknown(lines: Sequence[OpenLine]) -> list[Finding]:
    findings = []
    for line in lines:
        step = {"step": "kind", "kind": line.kind, "raw_kind": line.raw_kind, "quarantine": line.quarantine}
        says = f" ({line.quarantine or line.raw_kind})"
        findings.append(line_finding(BreakClass.UNKNOWN, line, [step], None, extra=says))
    return findings


@requires_transaction
def note_matched(
    run: ReconciliationRun, rules: Rules, counts: Mapping[str, Any], covered_to: date | None
) -> None:
    """Note that every line of a locked run's file has its end, and let it be posted."""
    now = clock.now()
    changes = Changes()
    changes.move(
        run,
        run.to_matched,
        why="every line is matched, explains itself, or has its break",
        matched_at=now,
        counts=dict(counts),
        rules_version=rules.version,
        covered_to=covered_to,
        due_at=now,
    )
    changes.wake(DRAIN)
    changes.save()
    end_alert(RUN_FAILED, subject=public_id("stl", run.file_id), resolution="the file was matched")


@requires_transaction
def fail_run(run: ReconciliationRun, *, error: str) -> None:
    """Stop a locked run that cannot go on by itself, and tell people."""
    move(run, run.to_failed, why=error[:200], error=error)
    raise_alert(
        RUN_FAILED,
        subject=public_id("stl", run.file_id),
        summary=f"{run.file.name[:120]}: {error}"[:500],
        detail={"run_id": str(run.id), "file_id": str(run.file_id)},
        merchant_id=run.merchant_id,
    )


@requires_transaction
def retry_run(*, run_id: UUID, by: str, reason: str) -> ReconciliationRun:
    """Let a run that failed try again, from where it stands.

    Raises ReasonRequired, and BreakStateConflict for any other run.
    """
    reason = required_reason(reason)
    run = lock_run(run_id=run_id)
    if run.status != "FAILED":
        raise BreakStateConflict("Only a run that failed can try again.")
    not_posted = run.back_to_matched if run.matched_at else run.to_queued
    move(run, run.back_to_posted if run.posted_at else not_posted, why=reason, by=by, due_at=clock.now())
    nudge(DRAIN)
    return run
