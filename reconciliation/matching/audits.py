"""What must always be true of matches and breaks, as queries that return no rows."""

from core.audits import Invariant
from reconciliation.matching.kinds import SELF_EXPLAINED

__all__ = ["INVARIANTS"]

_EXPLAINED = ", ".join(f"'{kind}'" for kind in SELF_EXPLAINED)
_RUNS = """
    SELECT EXISTS (SELECT 1 FROM reconciliation_reconciliationrun
        WHERE status IN ('MATCHED', 'POSTED', 'DONE'))
"""
_MATCHES = "SELECT EXISTS (SELECT 1 FROM reconciliation_match)"
# Runs of files that count, of which every line must have ended somewhere.
_DONE = """
    SELECT run.id AS run_id, file.id AS file_id, file.number FROM reconciliation_reconciliationrun AS run
    JOIN reconciliation_settlementfile AS file ON file.id = run.file_id AND file.status = 'PUBLISHED'
    WHERE run.status IN ('MATCHED', 'POSTED', 'DONE')
"""

INVARIANTS = [
    Invariant(
        name="line_has_one_end",
        says="Every line of a file that was matched is matched once, has one break, or explains itself.",
        sql=f"""
            SELECT line.id, line.kind, found.matches, broken.breaks FROM ({_DONE}) AS done
            JOIN reconciliation_settlementline AS line ON line.file_id = done.file_id
                AND line.id BETWEEN done.number << 24 AND (done.number << 24) + 16777215
            LEFT JOIN (
                SELECT line_id, count(DISTINCT (subject_kind, subject_id, nth)) AS movements,
                    count(*) AS matches, bool_or(group_key <> '') AS is_group
                FROM reconciliation_match WHERE live AND side = 'psp' AND line_id IS NOT NULL GROUP BY line_id
            ) AS found ON found.line_id = line.id
            LEFT JOIN (
                SELECT line_id, count(*) AS breaks,
                    count(*) FILTER (WHERE break_class NOT IN ('AMOUNT_MISMATCH', 'FEE_DIFFERENCE',
                        'FX_DIFFERENCE', 'BATCH_TOTAL_MISMATCH', 'LATE')) AS unmatched
                FROM reconciliation_discrepancy WHERE side = 'psp' AND line_id IS NOT NULL
                    AND break_class <> 'MISSING_EXTERNAL' GROUP BY line_id
            ) AS broken ON broken.line_id = line.id
            WHERE (found.matches IS NULL AND coalesce(broken.unmatched, 0) <> 1
                    AND NOT (line.kind IN ({_EXPLAINED}) AND line.quarantine = ''))
                OR (found.matches > 1 AND NOT found.is_group)
        """,  # noqa: S608 - built from constants
        exercised_sql=_RUNS,
        covers=("I36",),
        nightly=True,
    ),
    Invariant(
        name="movement_has_one_line",
        says="A movement is matched to one line at most, or to the lines of one group.",
        sql="""
            SELECT subject_kind, subject_id, nth, count(*) FROM reconciliation_match WHERE live
            GROUP BY subject_kind, subject_id, nth
            HAVING count(*) > 1 AND (count(DISTINCT group_key) > 1 OR min(group_key) = '')
        """,
        exercised_sql=_MATCHES,
        covers=("I37",),
        nightly=True,
    ),
    Invariant(
        name="match_counts_while_its_file_does",
        says="What holds is about lines of a file that counts; what does not hold has its end on record.",
        sql="""
            SELECT found.id FROM reconciliation_match AS found
            LEFT JOIN reconciliation_matchend AS ended ON ended.match_id = found.id
            WHERE found.live = (ended.id IS NOT NULL)
            UNION ALL
            SELECT found.id FROM reconciliation_match AS found
            JOIN reconciliation_settlementfile AS file ON file.number = found.line_id >> 24
            JOIN reconciliation_reconciliationrun AS later ON later.status IN ('MATCHED', 'POSTED', 'DONE')
            JOIN reconciliation_settlementfile AS newer ON newer.id = later.file_id
                AND newer.supersedes_id = file.id
            WHERE found.live AND found.side = 'psp' AND file.status = 'SUPERSEDED'
        """,
        exercised_sql=_MATCHES,
        covers=("I36",),
        nightly=True,
    ),
    Invariant(
        name="match_adds_up",
        says="What a line moves by is what its movements are, and the difference that is on record.",
        sql="""
            SELECT line.id, line.gross_minor, said.minor FROM (
                SELECT line_id, min(group_key) AS group_key,
                    sum(amount_minor + difference_minor) AS minor
                FROM reconciliation_match WHERE live AND side = 'psp' AND line_id IS NOT NULL GROUP BY line_id
            ) AS said JOIN reconciliation_settlementline AS line ON line.id = said.line_id
            WHERE said.group_key = '' AND said.minor NOT IN (
                CASE WHEN line.kind IN ('dispute', 'dispute_reversal') THEN line.net_minor
                    ELSE line.gross_minor END, coalesce(line.original_minor, line.gross_minor))
            UNION ALL
            SELECT min(line.id), sum(line.gross_minor), max(part.minor) FROM (
                SELECT group_key, subject_kind, subject_id, nth, line_id, amount_minor AS minor
                FROM reconciliation_match WHERE live AND side = 'psp' AND rule LIKE '%%parts_of_one'
            ) AS part JOIN reconciliation_settlementline AS line ON line.id = part.line_id
            GROUP BY part.group_key, part.subject_kind, part.subject_id, part.nth
            HAVING max(part.minor) NOT IN (sum(CASE WHEN line.kind IN ('dispute', 'dispute_reversal')
                THEN line.net_minor ELSE line.gross_minor END), sum(line.original_minor))
        """.replace("%%", "%"),
        exercised_sql=_MATCHES,
        covers=("R2",),
        nightly=True,
    ),
    Invariant(
        name="difference_has_a_break",
        says="Where a line and its movement differ there is a break about it; and a movement without a line"
        " is expected or missed, when its time is over.",
        sql="""
            SELECT found.id, found.line_id FROM reconciliation_match AS found
            WHERE found.live AND found.difference_minor <> 0 AND found.side = 'psp' AND NOT EXISTS (
                SELECT 1 FROM reconciliation_discrepancy AS broken
                WHERE broken.line_id = found.line_id AND broken.side = 'psp'
                    AND broken.break_class = 'AMOUNT_MISMATCH')
            UNION ALL
            SELECT ended.match_id, NULL FROM reconciliation_matchend AS ended
            JOIN reconciliation_match AS found ON found.id = ended.match_id AND found.how = 'expected'
            WHERE NOT EXISTS (
                    SELECT 1 FROM reconciliation_match AS later WHERE later.subject_id = found.subject_id
                        AND later.subject_kind = found.subject_kind AND later.nth = found.nth
                        AND later.id > found.id)
                AND NOT EXISTS (
                    SELECT 1 FROM reconciliation_discrepancy AS broken
                    WHERE broken.subject_id = found.subject_id AND broken.subject_kind = found.subject_kind)
        """,
        exercised_sql=_MATCHES,
        covers=("R1",),
        nightly=True,
    ),
    Invariant(
        name="break_is_told",
        says="Breaks have as many events as they counted, and every end was told.",
        sql="""
            SELECT counted.merchant_id, counted.steps, told.events FROM (
                SELECT merchant_id, sum(event_sequence) AS steps, count(*) AS opened,
                    count(*) FILTER (WHERE status = 'RESOLVED') AS resolved
                FROM reconciliation_discrepancy GROUP BY merchant_id
            ) AS counted LEFT JOIN (
                SELECT merchant_id, count(*) AS events,
                    count(*) FILTER (WHERE type = 'discrepancy.opened') AS opened,
                    count(*) FILTER (WHERE type = 'discrepancy.resolved') AS resolved
                FROM core_outboxevent WHERE subject LIKE 'dsc\\_%' GROUP BY merchant_id
            ) AS told ON told.merchant_id = counted.merchant_id
            WHERE counted.steps <> coalesce(told.events, 0) OR counted.opened > coalesce(told.opened, 0)
                OR counted.resolved > coalesce(told.resolved, 0)
        """,
        exercised_sql="SELECT EXISTS (SELECT 1 FROM reconciliation_discrepancy)",
        covers=("I22",),
    ),
]
