"""A new version of a file: what did not change keeps its matches and its breaks, all else begins anew.

Lines that are in no LineChange say what they said before, and are paired by what they say.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from core import clock
from core.history import SYSTEM, Changes
from core.transactions import requires_transaction
from reconciliation.ingest.changes import LINES
from reconciliation.ingest.counting import ids_of
from reconciliation.locks import lock_discrepancies
from reconciliation.matching.opening import resolve_breaks
from reconciliation.matching.sql import execute, rows, scratch, whole_files
from reconciliation.models import Discrepancy, ReconciliationRun, SettlementFile
from reconciliation.snapshots import discrepancy_fact

__all__ = ["SAME_SQL", "carry_breaks", "carry_over"]

_SAYS = f"ROW({', '.join((*LINES.key, *LINES.said))})"
# By a digest of 128 bits of what they say; of lines that say the same, the first is the first again.
_NUMBERED = f"""
    SELECT id, one, two, row_number() OVER (PARTITION BY one, two ORDER BY id) AS nth FROM (
        SELECT line.id, hash_record_extended({_SAYS}, 1) AS one, hash_record_extended({_SAYS}, 2) AS two
        FROM {LINES.table} AS line
        WHERE line.id BETWEEN %({{of}}_first)s AND %({{of}}_last)s AND NOT EXISTS (
            SELECT FROM reconciliation_linechange AS change
            WHERE change.file_id = %(file)s AND change.{{end}} = line.id)
    ) AS said
"""  # noqa: S608 - names of columns
SAME_SQL = f"""
    SELECT old.id AS old_id, new.id AS new_id
    FROM ({_NUMBERED.format(of="old", end="before")}) AS old
    JOIN ({_NUMBERED.format(of="new", end="after")}) AS new USING (one, two, nth)
"""  # noqa: S608 - names of columns
"""Which lines of a new version say what lines of the one before said; of LineChange's file, old and new."""
_END = """
    WITH ended AS (
        UPDATE reconciliation_match SET live = false
        WHERE line_id BETWEEN %(old_first)s AND %(old_last)s AND side = 'psp' AND live
        RETURNING id, merchant_id
    )
    INSERT INTO reconciliation_matchend (id, merchant_id, match_id, reason, by, at)
    SELECT gen_random_uuid(), merchant_id, id, %(reason)s, 'system', %(now)s FROM ended
"""
_AGAIN = """
    INSERT INTO reconciliation_match (merchant_id, source_id, run_id, side, line_id, subject_kind, subject_id,
        nth, how, rule, group_key, line_part, movement_part, clearing_key, amount_minor, difference_minor,
        live)
    SELECT old.merchant_id, old.source_id, %(run)s, 'psp', same.new_id, old.subject_kind, old.subject_id,
        old.nth, old.how, left('carried:' || regexp_replace(old.rule, '^carried:', ''), 40), old.group_key,
        old.line_part, old.movement_part, old.clearing_key, old.amount_minor, old.difference_minor, true
    FROM reconciliation_same AS same JOIN reconciliation_match AS old ON old.line_id = same.old_id
        AND old.side = 'psp'
    JOIN reconciliation_matchend AS ended ON ended.match_id = old.id
        AND ended.reason = %(reason)s AND ended.at = %(now)s
"""
# A sum is taken anew, though the line that it is told at did not change.
_BROKEN = """
    SELECT broken.id, same.new_id FROM reconciliation_discrepancy AS broken
    LEFT JOIN reconciliation_same AS same ON same.old_id = broken.line_id
        AND broken.break_class NOT IN ('BATCH_TOTAL_MISMATCH', 'BALANCE_MISMATCH')
    WHERE broken.side = 'psp' AND (broken.line_id BETWEEN %(old_first)s AND %(old_last)s
        OR (broken.line_id IS NULL AND broken.file_id = %(old_file)s
            AND broken.break_class IN ('BATCH_TOTAL_MISMATCH', 'BALANCE_MISMATCH')))
    ORDER BY broken.id
"""


@requires_transaction
def carry_over(run: ReconciliationRun) -> int:
    """Let the run's file inherit from the version before it; return how many matches it inherited.

    A group of matches is inherited as a whole or not at all, or lines of one movement would be torn apart.
    """
    before = run.file.supersedes
    if before is None:
        return 0
    params = _params(run, before)
    scratch("reconciliation_same", SAME_SQL, params)
    execute(_END, params)
    _forget_torn_groups(params)
    carried = execute(_AGAIN, params)
    with whole_files():
        broken = {row[0]: row[1] for row in rows(_BROKEN, params)}
    carry_breaks(run, broken, later=f"version {run.file.version} of the file")
    return carried


def _params(run: ReconciliationRun, before: SettlementFile) -> dict[str, Any]:
    old, new = ids_of(before.number), ids_of(run.file.number)
    return {
        "old_first": old[0],
        "old_last": old[1],
        "new_first": new[0],
        "new_last": new[1],
        "file": run.file_id,
        "old_file": before.id,
        "run": run.id,
        "now": clock.now(),
        "reason": f"version {run.file.version} of the file counts in its place",
    }


def _forget_torn_groups(params: Mapping[str, Any]) -> None:
    """Lines of a group of which any line changed are matched anew, all of them."""
    execute(
        """
            DELETE FROM reconciliation_same WHERE old_id IN (
                SELECT part.line_id FROM reconciliation_match AS part
                WHERE part.line_id BETWEEN %(old_first)s AND %(old_last)s AND part.side = 'psp'
                    AND (part.group_key, part.subject_id) IN (
                        SELECT torn.group_key, torn.subject_id FROM reconciliation_match AS torn
                        LEFT JOIN reconciliation_same AS same ON same.old_id = torn.line_id
                        WHERE torn.line_id BETWEEN %(old_first)s AND %(old_last)s AND torn.side = 'psp'
                            AND torn.group_key <> '' AND same.old_id IS NULL))
        """,
        dict(params),
    )


@requires_transaction
def carry_breaks(run: ReconciliationRun, found: Mapping[UUID, int | None], *, later: str) -> None:
    """Breaks of lines that did not change go on at the new line; those of the others are over.

    `found` has the new line of each break, None where there is none; `later` is what has it.
    """
    gone = {
        key: f"{later} says something else, or has no such line"
        for key, line_id in found.items()
        if line_id is None
    }
    locked = lock_discrepancies(ids=[key for key, line_id in found.items() if line_id is not None])
    copies = [(row, _copy(run, row, found[row.id] or 0)) for row in locked]
    over = {old.id: f"it goes on as {new.public_id}, at {later}" for old, new in copies}
    resolve_breaks(resolutions={**gone, **over})
    _write(copies)


def _copy(run: ReconciliationRun, old: Discrepancy, line_id: int) -> Discrepancy:
    now = clock.now()
    copied = (
        "merchant_id", "source_id", "break_class", "category", "side", "subject_kind", "subject_id",
        "clearing_key", "currency", "amount_minor", "summary", "rule_name", "rule_version", "business_date",
        "due_at",
    )  # fmt: skip
    return Discrepancy(
        **{name: getattr(old, name) for name in copied},
        run_id=run.id,
        file_id=run.file_id,
        key=f"line:{old.side}:{line_id}:{old.break_class}",
        line_id=line_id,
        explanation={**old.explanation, "carried_from": old.public_id},
        created_at=now,
        updated_at=now,
    )


def _write(copies: list[tuple[Discrepancy, Discrepancy]]) -> None:
    changes, now = Changes(), clock.now()
    new = [row for _, row in copies]
    for old, row in copies:
        changes.begin(row, why=f"carried over from {old.public_id}", fact=discrepancy_fact(row, "opened"))
    changes.insert(new)
    for old, row in copies:
        _continue(changes, old, row, now)
    changes.save()


def _continue(changes: Changes, old: Discrepancy, row: Discrepancy, now: datetime) -> None:
    """Let the new break stand as the old one stood before this run."""
    if old.status == "RESOLVED":
        changes.move(
            row,
            row.to_resolved,
            why=f"as {old.public_id} was",
            by=SYSTEM,
            fact=discrepancy_fact(row, "resolved"),
            resolution=old.resolution,
            resolved_at=old.resolved_at or now,
        )
    elif old.owner:
        changes.move(row, row.to_assigned, why=f"as {old.public_id} was", owner=old.owner)
