"""What must always be true of files and statements, as queries that return no rows."""

from core.audits import Invariant, Scale, swept
from core.history import SYSTEM
from reconciliation.ingest.gaps import MOST_MISSING
from reconciliation.ingest.policy import SEQUENCE

__all__ = ["INVARIANTS"]

# Below it every file is decided. A file gets its number in a transaction that is over within minutes; one
# that waits in a dead letter keeps the place.
FILES = Scale(
    name="settlement files",
    safe_sql="""
        SELECT least(
            (SELECT max(number) FROM reconciliation_settlementfile
             WHERE received_at < clock_timestamp() - interval '10 minutes'),
            (SELECT min(number) - 1 FROM reconciliation_settlementfile
             WHERE status IN ('RECEIVED', 'STAGING')))
    """,
    portion=20,
)
_ANY_FILE = (
    "SELECT EXISTS (SELECT 1 FROM reconciliation_settlementfile WHERE status IN ('PUBLISHED', 'PROVISIONAL'))"
)
_ANY_STATEMENT = "SELECT EXISTS (SELECT 1 FROM reconciliation_bankstatement WHERE status = 'LIVE')"
_STOOD = """
    SELECT file.id, file.number, file.lines_count, file.totals, source.kind, source.currency
    FROM reconciliation_settlementfile AS file
    JOIN reconciliation_settlementsource AS source ON source.id = file.source_id
    WHERE file.number > {after} AND file.number <= {through}
        AND file.status IN ('PUBLISHED', 'PROVISIONAL', 'SUPERSEDED')
"""
_OF_FILE = "line.id BETWEEN file.number << 24 AND (file.number << 24) + 16777215"

INVARIANTS = [
    swept(
        name="settlement_file_agrees_with_its_lines",
        says="The lines of a file that counts, or counted, are as many and as much as was counted when it was"
        " published, and as the file declares.",
        sql=f"""
            WITH file AS ({_STOOD}), line AS (
                SELECT file.id, line.currency, count(*) AS lines, sum(line.gross_minor) AS gross,
                    sum(line.fee_minor) AS fee, sum(line.net_minor) AS net
                FROM file JOIN reconciliation_settlementline AS line ON {_OF_FILE}
                WHERE file.kind = 'psp' GROUP BY file.id, line.currency
            ), counted AS (
                SELECT file.id, each.key AS currency, each.value AS figures
                FROM file, jsonb_each(file.totals -> 'counted') AS each WHERE file.kind = 'psp'
            )
            SELECT file.id::text, 'lines' FROM file
            LEFT JOIN (SELECT id, sum(lines) AS lines FROM line GROUP BY id) AS line ON line.id = file.id
            WHERE file.kind = 'psp' AND coalesce(line.lines, 0) <> file.lines_count
            UNION ALL
            SELECT coalesce(line.id, counted.id)::text, coalesce(line.currency, counted.currency)
            FROM line FULL JOIN counted ON counted.id = line.id AND counted.currency = line.currency
            WHERE line.id IS NULL OR counted.id IS NULL
                OR line.lines <> (figures ->> 'lines')::numeric
                OR line.gross <> (figures ->> 'gross')::numeric
                OR line.fee <> (figures ->> 'fee')::numeric OR line.net <> (figures ->> 'net')::numeric
            UNION ALL
            SELECT file.id::text, 'declared ' || (each ->> 'what') FROM file
            CROSS JOIN jsonb_array_elements(file.totals -> 'declared') AS each
            WHERE file.kind = 'psp' AND each ->> 'scope' = '' AND (each ->> 'value')::numeric <> (
                SELECT coalesce(sum((figures ->> (each ->> 'what'))::numeric), 0) FROM counted
                WHERE counted.id = file.id AND each ->> 'currency' IN ('', counted.currency))
        """,  # noqa: S608 - built from constants
        exercised_sql=_ANY_FILE,
        scale=FILES,
        covers=("I33", "R3"),
    ),
    swept(
        name="settlement_batch_is_its_lines",
        says="The lines of a batch come to what the file that has them declares of it.",
        sql=f"""
            WITH file AS ({_STOOD})
            SELECT file.id::text, each ->> 'scope' FROM file
            CROSS JOIN jsonb_array_elements(file.totals -> 'declared') AS each
            WHERE file.kind = 'psp' AND each ->> 'what' = 'batch_net' AND (each ->> 'value')::numeric <> (
                SELECT coalesce(sum(line.net_minor), 0) FROM reconciliation_settlementline AS line
                WHERE {_OF_FILE} AND line.batch = each ->> 'scope' AND line.currency = each ->> 'currency')
        """,  # noqa: S608 - built from constants
        exercised_sql="SELECT EXISTS (SELECT 1 FROM reconciliation_settlementfile"
        """ WHERE totals -> 'declared' @> '[{"what": "batch_net"}]')""",
        scale=FILES,
        covers=("R3",),
    ),
    swept(
        name="bank_statement_agrees_with_its_lines",
        says="The lines of a bank statement are as many and as much as it says, and lead from its opening to"
        " its closing balance; no line is of no statement.",
        sql=f"""
            WITH file AS ({_STOOD}), line AS (
                SELECT file.id, line.statement_id, count(*) AS lines,
                    coalesce(sum(line.amount_minor) FILTER (WHERE line.parent IS NULL), 0) AS total
                FROM file JOIN reconciliation_bankline AS line ON {_OF_FILE}
                WHERE file.kind = 'bank' GROUP BY file.id, line.statement_id
            ), statement AS (
                SELECT statement.* FROM file
                JOIN reconciliation_bankstatement AS statement ON statement.file_id = file.id
            )
            SELECT coalesce(line.statement_id, statement.id)::text
            FROM line FULL JOIN statement ON statement.id = line.statement_id AND statement.file_id = line.id
            WHERE statement.id IS NULL OR coalesce(line.lines, 0) <> statement.lines_count
                OR coalesce(line.total, 0) <> statement.total_minor
                OR statement.opening_minor + statement.total_minor <> statement.closing_minor
                OR (statement.kind = 'statement'
                    AND (statement.opening_minor IS NULL OR statement.closing_minor IS NULL))
        """,  # noqa: S608 - built from constants
        exercised_sql=_ANY_STATEMENT,
        scale=FILES,
        covers=("I33", "R3"),
    ),
    Invariant(
        name="settlement_document_counts_once",
        says="Of a document, and of a bank statement, one version counts; no body is stored twice.",
        sql="""
            SELECT source_id::text, document FROM reconciliation_settlementfile
            WHERE status IN ('PUBLISHED', 'PROVISIONAL') AND document <> ''
            GROUP BY merchant_id, source_id, document HAVING count(*) > 1
            UNION ALL
            SELECT source_id::text, encode(sha256, 'hex') FROM reconciliation_settlementfile
            GROUP BY merchant_id, source_id, sha256 HAVING count(*) > 1
            UNION ALL
            SELECT source_id::text, document FROM reconciliation_bankstatement WHERE status = 'LIVE'
            GROUP BY merchant_id, source_id, document HAVING count(*) > 1
            UNION ALL
            SELECT statement.id::text, file.status FROM reconciliation_bankstatement AS statement
            JOIN reconciliation_settlementfile AS file ON file.id = statement.file_id
            WHERE statement.status = 'LIVE' AND file.status <> 'PUBLISHED'
        """,
        exercised_sql=_ANY_FILE,
        covers=("I34",),
    ),
    swept(
        name="settlement_line_arithmetic",
        says="Of every line gross less fee is net, and it is in the currency of its source and statement.",
        sql=f"""
            WITH file AS ({_STOOD})
            SELECT line.id::text FROM file JOIN reconciliation_settlementline AS line ON {_OF_FILE}
            WHERE file.kind = 'psp' AND (line.gross_minor - line.fee_minor <> line.net_minor
                OR file.currency NOT IN ('', line.currency) OR line.file_id <> file.id)
            UNION ALL
            SELECT line.id::text FROM file JOIN reconciliation_bankline AS line ON {_OF_FILE}
            LEFT JOIN reconciliation_bankstatement AS statement ON statement.id = line.statement_id
            WHERE file.kind = 'bank'
                AND (statement.currency IS DISTINCT FROM line.currency OR line.file_id <> file.id)
        """,  # noqa: S608 - built from constants
        exercised_sql=_ANY_FILE,
        scale=FILES,
        covers=("I35",),
    ),
    Invariant(
        name="bank_statements_follow_on_each_other",
        says="A bank statement opens with what the one before it closed with, and has the next number in its"
        " year, unless two people let it count.",
        sql="""
            WITH released AS (
                SELECT replace(subject, 'bank_statement:', '')::uuid AS id FROM core_approval
                WHERE action = 'bank_statement.release' AND status = 'APPROVED'
            ), chained AS (
                SELECT id, opening_minor, lag(closing_minor) OVER account AS closed,
                    lag(id) OVER account AS before,
                    sequence, lag(sequence) OVER account AS previous,
                    date_part('year', period_to) = lag(date_part('year', period_to)) OVER account AS same_year
                FROM reconciliation_bankstatement WHERE status = 'LIVE' AND kind = 'statement'
                WINDOW account AS (PARTITION BY source_id, account, currency
                    ORDER BY period_to, coalesce(sequence, 0), created_at, position)
            )
            SELECT id::text, closed, opening_minor FROM chained
            WHERE before IS NOT NULL AND (closed <> opening_minor OR (same_year AND sequence <> previous + 1))
                AND id NOT IN (SELECT id FROM released) AND before NOT IN (SELECT id FROM released)
        """,
        exercised_sql=_ANY_STATEMENT,
        covers=("R3",),
    ),
    Invariant(
        name="settlement_numbers_have_no_gap",
        says="Between the numbered files of a source no number is missing, unless there is a case about it"
        " that is open, or that a person closed.",
        sql=f"""
            WITH numbered AS (
                SELECT source_id, sequence,
                    lag(sequence) OVER (PARTITION BY source_id ORDER BY sequence) AS previous
                FROM reconciliation_settlementfile
                WHERE status IN ('PUBLISHED', 'PROVISIONAL') AND sequence IS NOT NULL
            )
            SELECT source_id::text, missing FROM numbered
            CROSS JOIN generate_series(previous + 1, sequence - 1) AS missing
            WHERE sequence - previous <= {MOST_MISSING} AND NOT EXISTS (
                SELECT 1 FROM core_case AS told
                WHERE told.kind = '{SEQUENCE}' AND told.subject = 'settlement_source:' || source_id
                    || ':' || missing AND (told.status <> 'CLOSED' OR EXISTS (
                        SELECT 1 FROM core_auditrecord AS closed
                        WHERE closed.action = 'case.close' AND closed.subject = told.subject
                            AND closed.actor <> '{SYSTEM}')))
        """,  # noqa: S608 - built from constants
        exercised_sql="SELECT EXISTS (SELECT 1 FROM reconciliation_settlementfile"
        " WHERE status IN ('PUBLISHED', 'PROVISIONAL') AND sequence IS NOT NULL)",
        covers=("R3",),
    ),
]
