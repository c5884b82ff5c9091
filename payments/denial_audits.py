"""What must always be true of payments that a provider denies, as queries that return no rows."""

from core.audits import Invariant

__all__ = ["INVARIANTS"]

INVARIANTS = [
    Invariant(
        name="denial_is_its_entry",
        says="What orders gave back because a provider denies their payment is the sum of its lines, and an"
        " entry of the books took as much from sellers, commission and tax.",
        sql="""
            WITH booked AS (
                SELECT entry.merchant_id, entry.source_ref, entry.kind, sum(line.amount_minor) AS minor
                FROM ledger_journalentry AS entry
                JOIN ledger_journalline AS line ON line.entry_id = entry.id
                JOIN ledger_account AS account ON account.id = line.account_id
                WHERE entry.source = 'adjustment' AND entry.kind = 'capture_denied'
                    AND account.role NOT IN ('psp_clearing', 'recon_loss')
                GROUP BY 1, 2, 3
            )
            SELECT denial.id, denial.amount_minor, lines.minor, booked.minor
            FROM payments_chargedenial AS denial
            LEFT JOIN LATERAL (
                SELECT sum(amount_minor) AS minor FROM payments_denialline WHERE denial_id = denial.id
            ) AS lines ON true
            LEFT JOIN booked ON booked.merchant_id = denial.merchant_id
                AND booked.source_ref = denial.adjustment_id::text
            WHERE denial.amount_minor IS DISTINCT FROM lines.minor
                OR denial.amount_minor IS DISTINCT FROM booked.minor
            UNION ALL
            SELECT NULL, booked.minor, NULL, NULL FROM booked
            LEFT JOIN payments_chargedenial AS denial ON denial.merchant_id = booked.merchant_id
                AND denial.adjustment_id::text = booked.source_ref
            WHERE denial.id IS NULL
        """,
        exercised_sql="SELECT EXISTS (SELECT 1 FROM payments_chargedenial)",
        covers=("I14",),
    ),
    Invariant(
        name="denied_line_is_of_its_charge",
        says="What is denied is a captured charge, and its lines are of orders that it pays.",
        sql="""
            SELECT denial.id, charge.status, line.order_id FROM payments_chargedenial AS denial
            JOIN payments_charge AS charge ON charge.id = denial.charge_id
            JOIN payments_denialline AS line ON line.denial_id = denial.id
            LEFT JOIN payments_chargeline AS paid ON paid.charge_id = denial.charge_id
                AND paid.order_id = line.order_id AND NOT paid.superseded
            WHERE charge.status <> 'CAPTURED' OR paid.id IS NULL OR line.merchant_id <> denial.merchant_id
                OR charge.merchant_id <> denial.merchant_id
        """,
        exercised_sql="SELECT EXISTS (SELECT 1 FROM payments_chargedenial)",
        covers=("I09",),
    ),
]
