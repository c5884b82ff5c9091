"""What must always be true of disputes and reversals, as queries that return no rows."""

from core.audits import Invariant

__all__ = ["INVARIANTS"]

_ANY = "SELECT EXISTS (SELECT 1 FROM payments_dispute)"
_MOVED = "SELECT EXISTS (SELECT 1 FROM payments_disputemovement)"
_REVERSED = "SELECT EXISTS (SELECT 1 FROM payments_chargereversal)"
_RESERVING = "('OPEN', 'EVIDENCE_SENT', 'ACCEPTED', 'LOST')"

INVARIANTS = [
    Invariant(
        name="order_reserves_its_disputes",
        says="What an order counts as disputed are its parts of open and of lost disputes.",
        sql=f"""
            SELECT o.id, o.dispute_reserved_minor, sums.minor FROM payments_paymentorder AS o
            LEFT JOIN (
                SELECT line.order_id, sum(line.amount_minor) AS minor FROM payments_disputeline AS line
                JOIN payments_dispute AS dispute ON dispute.id = line.dispute_id
                WHERE dispute.status IN {_RESERVING} GROUP BY line.order_id
            ) AS sums ON sums.order_id = o.id
            WHERE o.dispute_reserved_minor <> coalesce(sums.minor, 0)
        """,  # noqa: S608 - built from constants
        exercised_sql=_ANY,
        covers=("I12",),
    ),
    Invariant(
        name="dispute_is_its_lines",
        says="The lines of a dispute add up to it, reserve exactly while it is open or lost, and are of the"
        " orders that its charge paid.",
        sql=f"""
            SELECT dispute.id, dispute.amount_minor FROM payments_dispute AS dispute
            JOIN payments_disputeline AS line ON line.dispute_id = dispute.id
            LEFT JOIN payments_chargeline AS paid ON paid.id = line.charge_line_id
                AND paid.charge_id = dispute.charge_id AND paid.order_id = line.order_id
            GROUP BY dispute.id
            HAVING dispute.amount_minor <> sum(line.amount_minor) OR bool_or(paid.id IS NULL)
                OR bool_or(line.amount_minor > 0
                    AND line.is_reserved <> (dispute.status IN {_RESERVING}))
                OR bool_or(line.merchant_id <> dispute.merchant_id)
        """,  # noqa: S608 - built from constants
        exercised_sql=_ANY,
        covers=("I11",),
    ),
    Invariant(
        name="dispute_movement_posted_once",
        says="Every movement of money for a dispute is in the books once, with its amount, under its leg.",
        sql="""
            SELECT movement.id, movement.kind, count(entry.id) FROM payments_disputemovement AS movement
            LEFT JOIN ledger_journalentry AS entry ON entry.merchant_id = movement.merchant_id
                AND entry.source = 'dispute_movement' AND entry.source_ref = movement.id::text
                AND entry.leg = CASE movement.kind WHEN 'withdrawn' THEN 'taken' ELSE 'returned' END
            LEFT JOIN LATERAL (
                SELECT sum(amount_minor) AS minor FROM ledger_journalline
                WHERE entry_id = entry.id AND amount_minor > 0
            ) AS booked ON true
            GROUP BY movement.id HAVING count(entry.id) <> 1
                OR sum(booked.minor) <> movement.amount_minor + movement.fee_minor
        """,
        exercised_sql=_MOVED,
        covers=("I14", "I16", "P1"),
    ),
    Invariant(
        name="dispute_entry_has_a_dispute",
        says="No dispute is in the books without its row, and no movement without its record.",
        sql="""
            SELECT entry.id, entry.source_ref FROM ledger_journalentry AS entry
            WHERE (entry.source = 'dispute_movement' AND NOT EXISTS (
                    SELECT 1 FROM payments_disputemovement AS movement
                    WHERE movement.id::text = entry.source_ref AND movement.merchant_id = entry.merchant_id))
                OR (entry.source = 'dispute' AND NOT EXISTS (
                    SELECT 1 FROM payments_dispute AS dispute
                    WHERE dispute.id::text = split_part(entry.source_ref, ':', 1)
                        AND split_part(entry.source_ref, ':', 2)::int BETWEEN 1 AND dispute.round
                        AND dispute.merchant_id = entry.merchant_id))
        """,
        exercised_sql="SELECT EXISTS (SELECT 1 FROM ledger_journalentry WHERE source = 'dispute_movement')",
        covers=("I15",),
    ),
    Invariant(
        name="dispute_verdict_posted",
        says="A lost dispute is lost once more in the books than that was undone, any other as often.",
        sql="""
            SELECT dispute.id, dispute.status, count(entry.id) FILTER (WHERE entry.leg = 'decided'),
                count(entry.id) FILTER (WHERE entry.leg = 'undone')
            FROM payments_dispute AS dispute
            LEFT JOIN ledger_journalentry AS entry ON entry.merchant_id = dispute.merchant_id
                AND entry.source = 'dispute' AND entry.source_ref LIKE dispute.id::text || ':%'
            GROUP BY dispute.id
            HAVING count(entry.id) FILTER (WHERE entry.leg = 'decided')
                - count(entry.id) FILTER (WHERE entry.leg = 'undone') <> (dispute.status = 'LOST')::int
        """,
        exercised_sql=_ANY,
        covers=("I14",),
    ),
    Invariant(
        name="dispute_receivable_is_explained",
        says="What a scheme has taken and not decided is the open dispute's; a decided one leaves nothing.",
        sql="""
            SELECT dispute.id, dispute.status, dispute.taken_minor, booked.minor
            FROM payments_dispute AS dispute
            CROSS JOIN LATERAL (
                SELECT coalesce(sum(line.amount_minor), 0) AS minor FROM ledger_journalline AS line
                JOIN ledger_account AS account ON account.id = line.account_id
                WHERE line.merchant_id = dispute.merchant_id AND account.role = 'dispute_receivable'
                    AND line.clearing_key = dispute.id::text
            ) AS booked
            WHERE booked.minor <> dispute.taken_minor
                - CASE WHEN dispute.status = 'LOST' THEN dispute.amount_minor ELSE 0 END
        """,
        exercised_sql=_MOVED,
        covers=("P1",),
    ),
    Invariant(
        name="dispute_holds_its_sellers",
        says="Of every part of a dispute that is held there is one open hold, of what the seller bears.",
        sql="""
            SELECT dispute.id, line.id, hold.amount_minor FROM payments_dispute AS dispute
            JOIN payments_disputeline AS line ON line.dispute_id = dispute.id
            LEFT JOIN wallet_hold AS hold ON hold.merchant_id = line.merchant_id AND hold.purpose = 'dispute'
                AND hold.subject = line.hold_subject AND hold.state = 'OPEN'
            WHERE CASE WHEN dispute.is_held AND line.seller_minor > 0 AND line.amount_minor > 0
                THEN hold.amount_minor IS DISTINCT FROM line.seller_minor ELSE hold.id IS NOT NULL END
            UNION ALL
            SELECT NULL, hold.id, hold.amount_minor FROM wallet_hold AS hold
            WHERE hold.purpose = 'dispute' AND hold.state = 'OPEN' AND NOT EXISTS (
                SELECT 1 FROM payments_disputeline AS line WHERE line.merchant_id = hold.merchant_id
                    AND line.hold_subject = hold.subject)
                AND EXISTS (SELECT 1 FROM payments_dispute AS dispute
                    WHERE dispute.id::text = split_part(hold.subject, ':', 1))
        """,
        exercised_sql="SELECT EXISTS (SELECT 1 FROM wallet_hold WHERE purpose = 'dispute')",
        covers=("W1",),
    ),
    Invariant(
        name="reversal_posted_once",
        says="What a rail took back is in the books once, is the sum of its lines, and its orders say so.",
        sql="""
            SELECT reversal.charge_id, reversal.amount_minor, lines.minor, count(entry.id)
            FROM payments_chargereversal AS reversal
            LEFT JOIN LATERAL (
                SELECT sum(amount_minor) AS minor FROM payments_reversalline
                WHERE reversal_id = reversal.charge_id
            ) AS lines ON true
            LEFT JOIN ledger_journalentry AS entry ON entry.merchant_id = reversal.merchant_id
                AND entry.source = 'charge' AND entry.source_ref = reversal.charge_id::text
                AND entry.leg = 'reversal'
            GROUP BY reversal.charge_id, lines.minor
            HAVING count(entry.id) <> 1 OR reversal.amount_minor IS DISTINCT FROM lines.minor
            UNION ALL
            SELECT o.id, o.reversed_minor, coalesce(sum(line.amount_minor), 0), 0
            FROM payments_paymentorder AS o LEFT JOIN (
                SELECT order_id, amount_minor FROM payments_reversalline
                UNION ALL
                SELECT line.order_id, line.amount_minor FROM payments_denialline AS line
                JOIN payments_chargedenial AS denial ON denial.id = line.denial_id
                WHERE denial.ended_at IS NULL
            ) AS line ON line.order_id = o.id
            GROUP BY o.id HAVING o.reversed_minor <> coalesce(sum(line.amount_minor), 0)
        """,
        exercised_sql=_REVERSED,
        covers=("I09", "I14"),
    ),
    Invariant(
        name="evidence_is_sent_whole",
        says="An answer that is on its way, or arrived, has its pieces, the case file among them.",
        sql="""
            SELECT operation.id FROM payments_pspoperation AS operation
            WHERE operation.kind = 'evidence' AND NOT EXISTS (
                SELECT 1 FROM payments_disputeevidence AS piece
                WHERE piece.operation_id = operation.id AND piece.field = 'case_file')
        """,
        exercised_sql="SELECT EXISTS (SELECT 1 FROM payments_pspoperation WHERE kind = 'evidence')",
    ),
]
