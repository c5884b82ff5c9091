"""What must always be true of the open keys of clearing accounts."""

from core.audits import Invariant

__all__ = ["INVARIANTS"]

INVARIANTS = [
    Invariant(
        name="open_keys_are_the_sum",
        says="The open keys of clearing accounts are the sums of the lines by key up to their place, without"
        " those at zero; the place lies below the fence.",
        sql="""
            SELECT coalesce(kept.account_id, lines.account_id),
                coalesce(kept.clearing_key, lines.clearing_key)
            FROM ledger_openkey AS kept
            FULL JOIN (
                SELECT account_id, clearing_key, sum(amount_minor) AS minor FROM ledger_journalline
                WHERE clearing_key IS NOT NULL AND entry_id <= (SELECT key_entry FROM ledger_fence)
                GROUP BY account_id, clearing_key HAVING sum(amount_minor) <> 0
            ) AS lines ON lines.account_id = kept.account_id AND lines.clearing_key = kept.clearing_key
            WHERE kept.balance_minor IS DISTINCT FROM lines.minor
            UNION ALL
            SELECT NULL, NULL FROM ledger_fence WHERE key_entry > safe_entry
        """,
        exercised_sql="SELECT EXISTS (SELECT 1 FROM ledger_openkey)",
        covers=("L7",),
        nightly=True,
    ),
]
