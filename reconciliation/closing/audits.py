"""What must always be true of clearing accounts and of closed days, as queries that return no rows."""

from core.audits import Invariant
from payments.selectors import MOVEMENTS as PAY_INS
from payouts.selectors import MOVEMENTS as PAY_OUTS

__all__ = ["INVARIANTS"]

# The keys of psp_clearing that are not zero, of providers whose files a merchant reads.
_OPEN = """
    SELECT account.merchant_id, line.clearing_key AS key, account.currency, sum(line.amount_minor) AS minor
    FROM ledger_account AS account
    JOIN ledger_journalline AS line ON line.account_id = account.id AND line.clearing_key IS NOT NULL
    WHERE account.role = 'psp_clearing' AND EXISTS (
        SELECT FROM reconciliation_settlementsource AS source WHERE source.merchant_id = account.merchant_id
            AND source.kind = 'psp'
            AND account.provider = coalesce(nullif(source.books, ''), source.provider))
    GROUP BY account.merchant_id, line.clearing_key, account.currency HAVING sum(line.amount_minor) <> 0
"""
_REPORTED = """
    SELECT FROM reconciliation_match AS found WHERE found.merchant_id = open.merchant_id
        AND found.clearing_key = open.key AND found.live AND found.line_id IS NOT NULL
"""
# Booked against psp_clearing when they happen; transfers are when a file reports them.
_AT_ONCE = "('charge', 'charge_failure', 'refund', 'refund_failure', 'dispute', 'dispute_reversal')"
_ANY_CLEARED = "SELECT EXISTS (SELECT 1 FROM reconciliation_match WHERE line_id IS NOT NULL)"
_ANY_CLOSED = "SELECT EXISTS (SELECT 1 FROM reconciliation_dayclose WHERE status = 'CLOSED')"

INVARIANTS = [
    Invariant(
        name="clearing_is_what_was_captured",
        says="Until a provider's file reports it, psp_clearing holds under the key of a payment what was"
        " captured, less what the provider took back.",
        sql=f"""
            WITH sides AS (
                -- Both sides are read once and added up by key. A join would look up the movements by open
                -- keys, which are taken for very few, and read them all anew for each.
                SELECT merchant_id, key::text, currency::text, minor AS booked, NULL::numeric AS moved
                FROM ({_OPEN}) AS account
                UNION ALL
                SELECT movement.merchant_id, movement.clearing_key::text, movement.currency::text, NULL,
                    coalesce(sum(movement.amount_minor) FILTER (WHERE movement.state = 'final'
                        AND movement.kind IN {_AT_ONCE}), 0)
                FROM {PAY_INS} AS movement
                GROUP BY movement.merchant_id, movement.clearing_key, movement.currency
            ), open AS (
                SELECT merchant_id, key, sum(booked) AS booked, sum(moved) AS moved FROM sides
                GROUP BY merchant_id, key, currency
                HAVING count(booked) > 0 AND count(moved) > 0 AND sum(booked) <> sum(moved)
            )
            SELECT merchant_id, key, booked, moved FROM open
            WHERE NOT EXISTS ({_REPORTED}) AND NOT EXISTS (
                SELECT FROM reconciliation_discrepancy AS broken
                WHERE broken.merchant_id = open.merchant_id AND broken.clearing_key = open.key)
        """,  # noqa: S608 - built from constants
        exercised_sql="SELECT EXISTS (SELECT 1 FROM reconciliation_settlementsource WHERE kind = 'psp')"
        " AND EXISTS (SELECT 1 FROM ledger_account WHERE role = 'psp_clearing')",
        covers=("P3",),
        nightly=True,
    ),
    Invariant(
        name="clearing_of_matched_is_zero",
        says="Once every movement of a payment is matched and posted without a difference, and no break is"
        " open about it, psp_clearing is zero under its key.",
        sql=f"""
            WITH open AS MATERIALIZED (
                SELECT open.* FROM ({_OPEN}) AS open
                WHERE EXISTS ({_REPORTED}) AND NOT EXISTS (
                    SELECT FROM reconciliation_match AS found
                    LEFT JOIN reconciliation_reconciliationrun AS run ON run.id = found.run_id
                    WHERE found.merchant_id = open.merchant_id AND found.clearing_key = open.key
                        AND found.live AND (found.line_id IS NULL OR found.difference_minor <> 0
                            OR run.status IN ('QUEUED', 'MATCHED', 'FAILED')))
                AND NOT EXISTS (
                    SELECT FROM reconciliation_discrepancy AS broken
                    WHERE broken.merchant_id = open.merchant_id AND broken.status <> 'RESOLVED'
                        AND (broken.clearing_key = open.key OR broken.line_id IN (
                            SELECT line_id FROM reconciliation_match AS found
                            WHERE found.merchant_id = open.merchant_id AND found.clearing_key = open.key)))
            )
            SELECT open.merchant_id, open.key, open.minor FROM open
            WHERE NOT EXISTS (
                SELECT FROM (
                    SELECT merchant_id, clearing_key, subject_kind, subject_id, nth, state FROM {PAY_INS}
                    UNION ALL
                    SELECT merchant_id, clearing_key, subject_kind, subject_id, nth, state FROM {PAY_OUTS}
                ) AS movement
                WHERE movement.merchant_id = open.merchant_id AND movement.clearing_key = open.key
                    AND movement.state <> 'none' AND NOT EXISTS (
                        SELECT FROM reconciliation_match AS found
                        WHERE found.subject_id = movement.subject_id AND found.nth = movement.nth
                            AND found.subject_kind = movement.subject_kind AND found.live))
        """,  # noqa: S608 - built from constants
        exercised_sql=_ANY_CLEARED,
        covers=("I38",),
        nightly=True,
    ),
    Invariant(
        name="signed_day_is_the_books",
        says="The figures of a closed day are what the books say of it: opening, debits, credits and closing"
        " by account, each day going on where the one before ended; the same two people closed the books.",
        sql="""
            WITH closed AS (
                SELECT merchant_id, day, figures, prepared_by, closed_by, period_id,
                    min(day) OVER (PARTITION BY merchant_id) AS first_day
                FROM reconciliation_dayclose WHERE status = 'CLOSED'
            ), said AS (
                SELECT merchant_id, day, first_day, each ->> 'role' AS role, each ->> 'provider' AS provider,
                    each ->> 'currency' AS currency, (each ->> 'opening_minor')::numeric AS opening,
                    (each ->> 'debit_minor')::numeric AS debit, (each ->> 'credit_minor')::numeric AS credit,
                    (each ->> 'closing_minor')::numeric AS closing
                FROM closed, jsonb_array_elements(figures -> 'books' -> 'positions') AS each
            ), booked AS (
                SELECT closed.merchant_id, closed.day, account.role,
                    coalesce(account.provider, '') AS provider, account.currency,
                    sum(total.debit_minor) AS debit, sum(total.credit_minor) AS credit
                FROM closed JOIN ledger_closedtotal AS total ON total.merchant_id = closed.merchant_id
                    AND total.effective_date = closed.day
                JOIN ledger_account AS account ON account.id = total.account_id
                GROUP BY closed.merchant_id, closed.day, account.role, coalesce(account.provider, ''),
                    account.currency
            ), before AS (
                SELECT closed.merchant_id, account.role, coalesce(account.provider, '') AS provider,
                    account.currency, sum(total.debit_minor - total.credit_minor) AS balance
                FROM closed JOIN ledger_closedtotal AS total ON total.merchant_id = closed.merchant_id
                    AND total.effective_date < closed.day
                JOIN ledger_account AS account ON account.id = total.account_id
                WHERE closed.day = closed.first_day
                GROUP BY closed.merchant_id, account.role, coalesce(account.provider, ''), account.currency
            )
            SELECT coalesce(said.merchant_id, booked.merchant_id), coalesce(said.day, booked.day)::text,
                coalesce(said.role, booked.role)
            FROM said FULL JOIN booked USING (merchant_id, day, role, provider, currency)
            WHERE coalesce(said.debit, 0) <> coalesce(booked.debit, 0)
                OR coalesce(said.credit, 0) <> coalesce(booked.credit, 0)
            UNION ALL
            SELECT merchant_id, day::text, role FROM (
                SELECT said.*, lag(closing, 1, 0::numeric) OVER (
                    PARTITION BY merchant_id, role, provider, currency ORDER BY day) AS ended FROM said
            ) AS said WHERE opening + debit - credit <> closing OR (day <> first_day AND opening <> ended)
            UNION ALL
            SELECT coalesce(said.merchant_id, before.merchant_id), said.day::text,
                coalesce(said.role, before.role)
            FROM (SELECT * FROM said WHERE day = first_day) AS said
            FULL JOIN before USING (merchant_id, role, provider, currency)
            WHERE coalesce(said.opening, 0) <> coalesce(before.balance, 0)
            UNION ALL
            SELECT closed.merchant_id, closed.day::text, 'who' FROM closed
            LEFT JOIN ledger_closedperiod AS period ON period.id = closed.period_id
                AND period.merchant_id = closed.merchant_id
            WHERE period.id IS NULL OR period.last_day <> closed.day OR period.maker <> closed.prepared_by
                OR period.checker <> closed.closed_by
        """,
        exercised_sql=_ANY_CLOSED,
        covers=("L13", "I30"),
        nightly=True,
    ),
]
