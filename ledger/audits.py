"""What must always be true of the books, as queries that return no rows."""

from core.audits import Invariant, Scale, swept
from ledger import period_audits

__all__ = ["ENTRIES", "INVARIANTS"]

# A line's id begins with its entry's number, so that a span of entries is a span of lines as well.
ENTRIES = Scale(name="entries", safe_sql="SELECT safe_entry FROM ledger_fence", portion=200_000)
_LINE_IN_SPAN = "line.id >= ({after} + 1) * 1024::bigint AND line.id <= {through} * 1024 + 1023"
_LINES = "SELECT EXISTS (SELECT 1 FROM ledger_journalline)"
_ENTRIES = "SELECT EXISTS (SELECT 1 FROM ledger_journalentry)"

INVARIANTS = [
    swept(
        name="entry_balances",
        says="Every entry adds up to zero in every currency, with at least two lines.",
        sql=f"""SELECT line.entry_id, line.currency, sum(line.amount_minor), count(*)
            FROM ledger_journalline AS line WHERE {_LINE_IN_SPAN}
            GROUP BY line.entry_id, line.currency HAVING sum(line.amount_minor) <> 0 OR count(*) < 2""",  # noqa: S608
        exercised_sql=_LINES,
        covers=("I01", "I03", "L1"),
        scale=ENTRIES,
    ),
    swept(
        name="books_balance",
        says="All lines of a merchant add up to zero in every currency.",
        sql=f"""SELECT line.merchant_id, line.currency, sum(line.amount_minor)
            FROM ledger_journalline AS line WHERE {_LINE_IN_SPAN}
            GROUP BY line.merchant_id, line.currency HAVING sum(line.amount_minor) <> 0""",  # noqa: S608
        exercised_sql=_LINES,
        covers=("I02", "L2"),
        scale=ENTRIES,
    ),
    swept(
        name="entry_has_its_lines",
        says="Every entry has exactly the lines that its header announces.",
        sql=f"""SELECT entry.id, entry.line_count, lines.count, lines.highest
            FROM ledger_journalentry AS entry LEFT JOIN (
                SELECT line.entry_id, count(*) AS count, max(line.line_no) AS highest
                FROM ledger_journalline AS line WHERE {_LINE_IN_SPAN} GROUP BY line.entry_id
            ) AS lines ON lines.entry_id = entry.id
            WHERE entry.id > {{after}} AND entry.id <= {{through}}
                AND (lines.count IS DISTINCT FROM entry.line_count::bigint
                    OR lines.highest IS DISTINCT FROM entry.line_count)""",  # noqa: S608
        exercised_sql=_ENTRIES,
        covers=("I03", "L10"),
        scale=ENTRIES,
    ),
    swept(
        name="line_belongs",
        says="Every line has its entry and its account, of the same merchant and currency.",
        sql=f"""SELECT line.id FROM ledger_journalline AS line
            LEFT JOIN ledger_journalentry AS entry ON entry.id > {{after}} AND entry.id <= {{through}}
                AND entry.id = line.entry_id AND entry.merchant_id = line.merchant_id
            LEFT JOIN ledger_account AS account ON account.id = line.account_id
                AND account.merchant_id = line.merchant_id AND account.currency = line.currency
            WHERE {_LINE_IN_SPAN} AND (entry.id IS NULL OR account.id IS NULL OR line.amount_minor = 0)""",  # noqa: S608
        exercised_sql=_LINES,
        covers=("I04", "I05", "L5", "L10"),
        scale=ENTRIES,
    ),
    Invariant(
        name="one_posting_per_leg",
        says="A leg of a business event is in the books at most once.",
        sql="""SELECT merchant_id, source, source_ref, leg FROM ledger_journalentry
            GROUP BY merchant_id, source, source_ref, leg HAVING count(*) > 1""",
        exercised_sql=_ENTRIES,
        covers=("I08", "L8"),
        nightly=True,
    ),
    swept(
        name="clearing_key_where_due",
        says="Lines on clearing accounts carry their key, and no others do.",
        sql=f"""SELECT line.id FROM ledger_journalline AS line
            JOIN ledger_account AS account ON account.id = line.account_id
            WHERE {_LINE_IN_SPAN} AND account.clearing <> (line.clearing_key IS NOT NULL)""",  # noqa: S608
        exercised_sql=_LINES,
        scale=ENTRIES,
    ),
    Invariant(
        name="checkpoint_is_the_sum",
        says="Every checkpoint is the sum of the lines up to its entry, and lies below the fence.",
        sql="""SELECT mark.account_id, mark.balance_minor, coalesce(sum(line.amount_minor), 0)
            FROM ledger_accountcheckpoint AS mark
            LEFT JOIN ledger_journalline AS line
                ON line.account_id = mark.account_id AND line.entry_id <= mark.entry_id
            GROUP BY mark.account_id, mark.balance_minor, mark.entry_id
            HAVING mark.balance_minor <> coalesce(sum(line.amount_minor), 0)
                OR mark.entry_id > (SELECT safe_entry FROM ledger_fence)""",
        exercised_sql="SELECT EXISTS (SELECT 1 FROM ledger_accountcheckpoint)",
        covers=("I06", "L7", "L14"),
        nightly=True,
    ),
    Invariant(
        name="books_are_read_only",
        says="The application's role may read the books and call their doors, nothing else.",
        # By what the role may really do, whether granted to it, to a role it is in, or to PUBLIC.
        sql="""SELECT books.name, wanted.privilege
            FROM unnest(ARRAY['ledger_account', 'ledger_journalentry', 'ledger_journalline',
                'ledger_accountcheckpoint', 'ledger_fence', 'ledger_fencemark', 'ledger_daytotal',
                'ledger_openkey', 'ledger_closedperiod', 'ledger_closedtotal', 'ledger_seal',
                'wallet_wallet', 'wallet_walletaccount',
                'wallet_walletoperation']) AS books(name)
            CROSS JOIN unnest(ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER']) AS wanted(privilege)
            WHERE CASE WHEN wanted.privilege IN ('INSERT', 'UPDATE')
                    THEN has_any_column_privilege('quittance_app', books.name, wanted.privilege)
                    ELSE has_table_privilege('quittance_app', books.name, wanted.privilege) END""",
        exercised_sql="SELECT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'quittance_app')",
        covers=("L17",),
    ),
    Invariant(
        name="identifier_headroom",
        says="No sequence has used half of its numbers.",
        sql="SELECT schemaname || '.' || sequencename FROM pg_sequences WHERE last_value > max_value / 2",
        exercised_sql="SELECT EXISTS (SELECT 1 FROM pg_sequences)",
        covers=("I40",),
    ),
    *period_audits.INVARIANTS,
]
