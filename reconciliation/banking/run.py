"""The run of a bank's file: its statements that count are matched, in their order, each by itself."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from core import clock
from core.alerts import raise_alert
from core.drain import Claim
from core.failpoints import failpoint
from core.history import SYSTEM, begin, move
from core.nudges import nudge
from core.transactions import at_edge, requires_transaction
from payouts.selectors import find_payout
from payouts.services import place_block
from reconciliation.banking.policy import UNKNOWN_PAYOUT
from reconciliation.banking.reading import entries_of, known_of
from reconciliation.banking.recognise import recognise
from reconciliation.banking.types import BankEntry, Read
from reconciliation.banking.versions import same_bookings
from reconciliation.banking.writing import carry_matches, end_matches, write_parts
from reconciliation.breaks import Side
from reconciliation.ingest.chain import place_of
from reconciliation.locks import lock_run_of
from reconciliation.matching.carry import carry_breaks
from reconciliation.matching.opening import Place, open_breaks
from reconciliation.matching.rules import Rules, ensure_rules, rules_of
from reconciliation.matching.runs import DRAIN, note_matched
from reconciliation.matching.sql import long_statements
from reconciliation.matching.turns import take_turn
from reconciliation.models import BankStatement, Discrepancy, ReconciliationRun

__all__ = ["booked_statements", "match_bank_run", "queue_statement"]

_REPEATS = ("report", "notification")


@requires_transaction
def queue_statement(statement: BankStatement) -> None:
    """Let the lines of a statement that counts be matched; call it with the source locked.

    A report or a notification says what a statement will say again: it is read by people only.
    """
    if statement.kind in _REPEATS:
        return
    now = clock.now()
    run = lock_run_of(file_id=statement.file_id)
    if run is None:
        run = ReconciliationRun.objects.create(
            merchant_id=statement.merchant_id,
            source_id=statement.source_id,
            file_id=statement.file_id,
            due_at=now,
            created_at=now,
            updated_at=now,
        )
        begin(run, why=f"statement {statement.document} counts")
    elif run.status == "DONE":
        move(run, run.to_queued, why=f"statement {statement.document} counts now as well", due_at=now)
    # In any other state its last step finds the statement.
    nudge(DRAIN)


@at_edge
def match_bank_run(claim: Claim) -> str:
    """Match the statements of a queued run; return its state, QUEUED while an older run is to be done.

    All matches and breaks of the file are written in one transaction.
    """
    run, may = take_turn(claim, after=("QUEUED", "MATCHED"))
    if not may:
        return run.status
    long_statements()
    ensure_rules(merchant_id=run.merchant_id)
    rules = rules_of(merchant_id=run.merchant_id)
    counts: Counter[str] = Counter()
    breaks: Counter[str] = Counter()
    for statement in booked_statements(run, matched=False):
        _match(run, statement, rules, counts, breaks)
    note_matched(run, rules, {"matched": dict(counts), "breaks": dict(breaks)}, None)
    failpoint("reconciliation_runs.before_matched")
    return run.status


def booked_statements(run: ReconciliationRun, *, matched: bool) -> list[BankStatement]:
    """Return the statements of a run's file that count and are, or are not, matched; in their order."""
    rows = BankStatement.objects.filter(
        file_id=run.file_id, status="LIVE", kind="statement", matched_at__isnull=not matched
    )
    return sorted(rows.select_related("file", "supersedes__file"), key=place_of)


def _match(
    run: ReconciliationRun,
    statement: BankStatement,
    rules: Rules,
    counts: Counter[str],
    breaks: Counter[str],
) -> None:
    entries = entries_of(statement)
    same: Mapping[int, int] = {}
    if statement.supersedes is not None:
        same = _carry_over(run, statement, entries)
        counts["carried"] += len(same)
    anew = [each for each in entries if each.id not in same]
    read = recognise(anew, known_of(run.source, statement, anew))
    end_matches(
        [key for key in read.reversed if all(each.id != key for each in anew)],
        reason="the bank took the line back",
    )
    write_parts(run, read.parts)
    opened = open_breaks(Place(run.source, run.id, run.file_id), read.findings, rules=rules)
    _stop_payouts(run, read, opened)
    counts.update(each.subject_kind for each in read.parts)
    breaks.update(str(each.break_class) for each in read.findings)
    statement.matched_at = clock.now()
    statement.save(update_fields=["matched_at"])


def _carry_over(
    run: ReconciliationRun, statement: BankStatement, entries: list[BankEntry]
) -> Mapping[int, int]:
    """A corrected statement: lines that say the same keep what they are; the others are over."""
    assert statement.supersedes is not None
    before = entries_of(statement.supersedes)
    same = same_bookings(before, entries)
    kept = {old: new for new, old in same.items()}
    reason = f"version {statement.version} of the statement counts in its place"
    carry_matches(run, same, reason=reason)
    broken = Discrepancy.objects.filter(line_id__in=[each.id for each in before], side=Side.BANK)
    found = {row.id: kept.get(row.line_id or 0) for row in broken.order_by("pk")}
    later = f"version {statement.version} of the statement"
    carry_breaks(run, found, later=later)
    end_matches([each.id for each in before if each.id not in kept and each.parent is None], reason=reason)
    return same


def _stop_payouts(run: ReconciliationRun, read: Read, opened: list[Any]) -> None:
    """Money left that we did not send, or not any more: nothing leaves until a person has looked (F-F11)."""
    urgent = {each.key: each for each in read.strangers}
    wanted = {*urgent, *read.contradicted}
    if not wanted:
        return
    for row in Discrepancy.objects.filter(pk__in=opened, key__in=wanted).order_by("pk"):
        seller_id = None
        if row.key in read.contradicted:
            payout = find_payout(payout_id=read.contradicted[row.key])
            seller_id = payout.seller_id if payout else None
        place_block(
            merchant_id=run.merchant_id,
            seller_id=seller_id,
            source="reconciliation",
            source_ref=row.public_id,
            reason=row.summary,
            by=SYSTEM,
        )
        if row.key in urgent:
            raise_alert(
                UNKNOWN_PAYOUT,
                subject=row.public_id,
                summary=row.summary,
                detail={"discrepancy": row.public_id, "source": run.source.name, "line_id": row.line_id},
                value_minor=row.amount_minor,
                currency=row.currency,
                merchant_id=run.merchant_id,
            )
