"""What must always be true of bank statements in the books, as queries that return no rows."""

from core.audits import Invariant

__all__ = ["INVARIANTS"]

_POSTED = (
    "SELECT EXISTS (SELECT 1 FROM reconciliation_bankstatement"
    " WHERE status = 'LIVE' AND posted_at IS NOT NULL)"
)
_OF_FILE = "line.id BETWEEN file.number << 24 AND (file.number << 24) + 16777215"
# Bookings of statements that count and are matched.
_BOOKINGS = f"""
    SELECT line.id, line.amount_minor, line.line_no, line.statement_id, file.number
    FROM reconciliation_bankstatement AS statement
    JOIN reconciliation_settlementfile AS file ON file.id = statement.file_id
    JOIN reconciliation_bankline AS line ON {_OF_FILE} AND line.statement_id = statement.id
        AND line.parent IS NULL
    WHERE statement.status = 'LIVE' AND statement.matched_at IS NOT NULL
"""  # noqa: S608 - built from constants
# What of a booking was matched, on itself or on what is inside it; and whether a break says what was not.
_ENDS = f"""
    SELECT booking.id, booking.amount_minor, coalesce(sum(part.matches), 0) AS matches,
        coalesce(sum(part.minor), 0) AS minor, coalesce(sum(part.breaks), 0) AS breaks
    FROM ({_BOOKINGS}) AS booking
    LEFT JOIN LATERAL (
        SELECT (SELECT count(*) FROM reconciliation_match AS found WHERE found.line_id = line.id
                AND found.side = 'bank' AND found.live) AS matches,
            (SELECT sum(found.amount_minor + found.difference_minor) FROM reconciliation_match AS found
                WHERE found.line_id = line.id AND found.side = 'bank' AND found.live) AS minor,
            (SELECT count(*) FROM reconciliation_discrepancy AS broken WHERE broken.line_id = line.id
                AND broken.side = 'bank') AS breaks
        FROM reconciliation_bankline AS line
        WHERE line.id BETWEEN booking.number << 24 AND (booking.number << 24) + 16777215
            AND line.statement_id = booking.statement_id
            AND (line.id = booking.id OR line.parent = booking.line_no)
    ) AS part ON true
    WHERE booking.amount_minor <> 0
    GROUP BY booking.id, booking.amount_minor
"""  # noqa: S608 - built from constants

INVARIANTS = [
    Invariant(
        name="bank_line_has_one_end",
        says="Every booking of a bank statement that counts is matched, or has a break.",
        sql=f"SELECT id FROM ({_ENDS}) AS ended WHERE matches = 0 AND breaks = 0",  # noqa: S608
        exercised_sql=_POSTED,
        covers=("R1", "I36"),
        nightly=True,
    ),
    Invariant(
        name="bank_match_adds_up",
        says="What a booking was matched to is all of it, or a break says what the rest is.",
        sql=f"SELECT id, amount_minor, minor FROM ({_ENDS}) AS ended"  # noqa: S608
        " WHERE matches > 0 AND minor <> amount_minor AND breaks = 0",
        exercised_sql=_POSTED,
        covers=("R2",),
        nightly=True,
    ),
    Invariant(
        name="bank_account_is_its_statement",
        says="The books have what the last statement of an account closes with, or a break says what not.",
        sql="""
            WITH last AS (
                SELECT DISTINCT ON (source_id, account, currency) source_id, account, currency,
                    closing_minor, posted_at
                FROM reconciliation_bankstatement WHERE status = 'LIVE' AND kind = 'statement'
                ORDER BY source_id, account, currency, period_to DESC, sequence DESC NULLS LAST,
                    created_at DESC, position DESC
            ), closing AS (
                SELECT source_id, currency, sum(closing_minor) AS minor FROM last
                GROUP BY source_id, currency HAVING bool_and(posted_at IS NOT NULL)
            ), booked AS (
                SELECT source.id AS source_id, account.currency, sum(line.amount_minor) AS minor
                FROM reconciliation_settlementsource AS source
                JOIN ledger_account AS account ON account.merchant_id = source.merchant_id
                    AND account.role = 'bank' AND account.provider = source.name
                JOIN ledger_journalline AS line ON line.account_id = account.id
                WHERE source.kind = 'bank' GROUP BY source.id, account.currency
            )
            SELECT closing.source_id::text, closing.currency, closing.minor, coalesce(booked.minor, 0)
            FROM closing LEFT JOIN booked ON booked.source_id = closing.source_id
                AND booked.currency = closing.currency
            WHERE closing.minor <> coalesce(booked.minor, 0)
                AND NOT EXISTS (SELECT 1 FROM reconciliation_bankstatement AS other
                    WHERE other.source_id = closing.source_id AND other.status = 'LIVE'
                        AND other.kind = 'statement' AND other.posted_at IS NULL)
                AND NOT EXISTS (SELECT 1 FROM reconciliation_discrepancy AS broken
                    WHERE broken.source_id = closing.source_id AND broken.currency = closing.currency
                        AND broken.break_class = 'BALANCE_MISMATCH' AND broken.status <> 'RESOLVED')
        """,
        exercised_sql=_POSTED,
        covers=("R3",),
        nightly=True,
    ),
]
