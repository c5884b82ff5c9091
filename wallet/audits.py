"""What must always be true of wallets, as queries that return no rows."""

from core.audits import Invariant, Scale, swept

__all__ = ["INVARIANTS"]

# An operation has the number of its line, which begins with that of its entry.
_ENTRIES = Scale(name="entries", safe_sql="SELECT safe_entry FROM ledger_fence", portion=200_000)
_EXERCISED = "SELECT EXISTS (SELECT 1 FROM wallet_walletoperation)"
_BUCKETS = " UNION ALL ".join(
    f"SELECT id AS wallet_id, '{name}' AS bucket, {name}_minor AS balance FROM wallet_wallet"  # noqa: S608
    for name in ("pending", "available", "held", "receivable")
)

INVARIANTS = [
    Invariant(
        name="wallet_is_its_accounts",
        says="Every bucket of every wallet is the balance of the accounts behind it.",
        sql=f"""
            SELECT bucket.wallet_id, bucket.bucket, bucket.balance, coalesce(sum(books.balance), 0)
            FROM ({_BUCKETS}) AS bucket
            LEFT JOIN (
                SELECT behind.wallet_id, behind.bucket, sum(CASE WHEN behind.role = 'seller_receivable'
                    THEN line.amount_minor ELSE -line.amount_minor END) AS balance
                FROM wallet_walletaccount AS behind
                JOIN ledger_journalline AS line ON line.account_id = behind.account_id
                GROUP BY behind.wallet_id, behind.bucket
            ) AS books ON books.wallet_id = bucket.wallet_id AND books.bucket = bucket.bucket
            GROUP BY bucket.wallet_id, bucket.bucket, bucket.balance
            HAVING bucket.balance <> coalesce(sum(books.balance), 0)
        """,  # noqa: S608
        exercised_sql=_EXERCISED,
        covers=("I06", "L3"),
        nightly=True,
    ),
    Invariant(
        name="wallet_is_its_operations",
        says="Every bucket is the sum of its operations, and each operation's balance follows from the last.",
        sql=f"""
            SELECT bucket.wallet_id, bucket.bucket FROM ({_BUCKETS}) AS bucket
            LEFT JOIN (
                SELECT wallet_id, bucket, sum(delta_minor) AS total FROM wallet_walletoperation
                GROUP BY wallet_id, bucket
            ) AS moved ON moved.wallet_id = bucket.wallet_id AND moved.bucket = bucket.bucket
            WHERE bucket.balance <> coalesce(moved.total, 0)
            UNION ALL
            SELECT wallet_id, bucket FROM (
                SELECT wallet_id, bucket, balance_after_minor,
                    sum(delta_minor) OVER (PARTITION BY wallet_id, bucket ORDER BY id) AS running
                FROM wallet_walletoperation
            ) AS chain WHERE balance_after_minor <> running
        """,  # noqa: S608
        exercised_sql=_EXERCISED,
        covers=("L3",),
        nightly=True,
    ),
    Invariant(
        name="wallet_not_negative",
        says="No bucket of any wallet is below zero.",
        sql="""SELECT id FROM wallet_wallet WHERE least(pending_minor, available_minor, held_minor,
                receivable_minor) < 0""",
        exercised_sql="SELECT EXISTS (SELECT 1 FROM wallet_wallet)",
        covers=("I07", "L4", "W5"),
    ),
    swept(
        name="wallet_never_was_negative",
        says="No bucket of any wallet was below zero after an operation, not even within a batch.",
        sql="""SELECT wallet_id, bucket, balance_after_minor FROM wallet_walletoperation
            WHERE line_id >= ({after} + 1) * 1024::bigint AND line_id <= {through} * 1024 + 1023
                AND balance_after_minor < 0""",
        exercised_sql=_EXERCISED,
        covers=("I07", "L4", "W5"),
        scale=_ENTRIES,
    ),
    Invariant(
        name="wallet_line_has_its_operation",
        says="Every line on a wallet-backed account moved its wallet by as much, and nothing else did.",
        sql="""
            SELECT line.id FROM ledger_journalline AS line
            JOIN ledger_account AS account ON account.id = line.account_id AND account.guarded
            LEFT JOIN wallet_walletoperation AS operation ON operation.line_id = line.id
            WHERE operation.delta_minor IS DISTINCT FROM CASE WHEN account.role = 'seller_receivable'
                THEN line.amount_minor ELSE -line.amount_minor END
            UNION ALL
            SELECT operation.line_id FROM wallet_walletoperation AS operation
            WHERE NOT EXISTS (SELECT 1 FROM ledger_journalline WHERE id = operation.line_id)
        """,
        exercised_sql=_EXERCISED,
        covers=("I06",),
        nightly=True,
    ),
]
