"""What must always be true of debts that were given up, as queries that return no rows."""

from core.audits import Invariant

__all__ = ["INVARIANTS"]

INVARIANTS = [
    Invariant(
        name="write_off_had_two_people",
        says="Every debt that was given up is the one that two different people agreed on.",
        sql="""
            SELECT entry.id, approval.id FROM ledger_journalentry AS entry
            JOIN LATERAL (SELECT sum(amount_minor) AS amount FROM ledger_journalline
                WHERE entry_id = entry.id AND amount_minor > 0) AS lost ON true
            LEFT JOIN core_approval AS approval ON approval.id::text = entry.source_ref
                AND approval.action = 'wallet.write_off_debt' AND approval.status = 'APPROVED'
                AND approval.maker <> approval.checker AND approval.merchant_id = entry.merchant_id
            WHERE entry.source = 'seller_debt' AND entry.leg = 'written_off'
                AND (approval.id IS NULL OR (approval.instruction ->> 'amount_minor')::bigint <> lost.amount)
        """,
        exercised_sql="SELECT EXISTS (SELECT 1 FROM ledger_journalentry"
        " WHERE source = 'seller_debt' AND leg = 'written_off')",
        covers=("I30",),
        nightly=True,
    ),
]
