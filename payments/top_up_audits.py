"""What must always be true of top-ups, as queries that return no rows."""

from core.audits import Invariant

__all__ = ["INVARIANTS"]

_ANY = "SELECT EXISTS (SELECT 1 FROM payments_topup)"
_ANY_RETURN = "SELECT EXISTS (SELECT 1 FROM payments_topupreturn)"
_ANY_PAID = "SELECT EXISTS (SELECT 1 FROM payments_topup WHERE status = 'SUCCESS')"

INVARIANTS = [
    Invariant(
        name="top_up_posted_once",
        says="A top-up is in the books once, with its amount to its wallet, exactly when it is SUCCESS.",
        sql="""
            SELECT top_up.id, top_up.status, count(line.id), coalesce(-sum(line.amount_minor), 0)
            FROM payments_topup AS top_up
            LEFT JOIN payments_charge AS charge ON charge.top_up_id = top_up.id
            LEFT JOIN (ledger_journalentry AS entry
                JOIN ledger_journalline AS line ON line.entry_id = entry.id
                JOIN ledger_account AS account ON account.id = line.account_id
                    AND account.role IN ('wallet_available', 'wallet_pending')
                JOIN wallet_walletaccount AS behind ON behind.account_id = account.id)
                ON entry.merchant_id = top_up.merchant_id AND entry.source = 'charge'
                AND entry.source_ref = charge.id::text AND entry.leg = 'top_up'
                AND behind.wallet_id = top_up.wallet_id
            GROUP BY top_up.id
            HAVING count(line.id) <> (top_up.status = 'SUCCESS')::int
                OR coalesce(-sum(line.amount_minor), 0) <> top_up.credited_minor
        """,
        exercised_sql=_ANY,
        covers=("P1", "I14"),
    ),
    Invariant(
        name="top_up_entry_has_its_top_up",
        says="No top-up is in the books without a captured charge of a top-up that is SUCCESS.",
        sql="""
            SELECT entry.id, entry.leg FROM ledger_journalentry AS entry
            LEFT JOIN (payments_charge AS charge JOIN payments_topup AS top_up
                ON top_up.id = charge.top_up_id AND top_up.status = 'SUCCESS')
                ON charge.merchant_id = entry.merchant_id AND charge.id::text = entry.source_ref
                AND charge.status = 'CAPTURED'
            WHERE entry.source = 'charge' AND entry.leg IN ('top_up', 'top_up_final')
                AND (charge.id IS NULL
                    OR (entry.leg = 'top_up_final' AND (NOT top_up.available OR top_up.available_at IS NULL)))
        """,
        exercised_sql=_ANY_PAID,
        covers=("I15",),
    ),
    Invariant(
        name="top_up_pending_until_final",
        says="The money of a slow top-up is pending until its time, and then it is made available once.",
        sql="""
            SELECT top_up.id, count(entry.id), gone.minor FROM payments_topup AS top_up
            JOIN payments_charge AS charge ON charge.top_up_id = top_up.id
            CROSS JOIN LATERAL (
                SELECT coalesce(sum(taken_minor), 0) AS minor FROM payments_topupreturn
                WHERE top_up_id = top_up.id AND from_pending
            ) AS gone
            LEFT JOIN ledger_journalentry AS entry ON entry.merchant_id = top_up.merchant_id
                AND entry.source = 'charge' AND entry.source_ref = charge.id::text
                AND entry.leg = 'top_up_final'
            WHERE top_up.available_at IS NOT NULL
            GROUP BY top_up.id, gone.minor
            HAVING count(entry.id) <> (top_up.available AND gone.minor < top_up.amount_minor)::int
                OR (NOT top_up.available AND top_up.available_at < now() - interval '1 hour')
        """,
        exercised_sql="SELECT EXISTS (SELECT 1 FROM payments_topup WHERE available_at IS NOT NULL)",
        covers=("P1",),
    ),
    Invariant(
        name="top_up_follows_its_charge",
        says="A top-up ends with its charge: paid when that is captured in time, open while it is open.",
        sql="""
            SELECT top_up.id, top_up.status, charge.status FROM payments_topup AS top_up
            JOIN payments_charge AS charge ON charge.top_up_id = top_up.id
            WHERE (top_up.status = 'SUCCESS' AND charge.status <> 'CAPTURED')
                OR (top_up.status IN ('NOT_STARTED', 'EXECUTING', 'REQUIRES_ACTION')
                    AND charge.status IN ('CAPTURED', 'DECLINED', 'CANCELED', 'EXPIRED'))
                OR top_up.amount_minor <> charge.amount_minor
                OR top_up.amount_currency <> charge.amount_currency
            UNION ALL
            SELECT top_up.id, top_up.status, '' FROM payments_topup AS top_up
            WHERE top_up.status <> 'FAILED'
                AND NOT EXISTS (SELECT 1 FROM payments_charge AS charge WHERE charge.top_up_id = top_up.id)
        """,
        exercised_sql=_ANY,
        covers=("I25",),
    ),
    Invariant(
        name="top_up_changes_are_told",
        says="The top-ups of a merchant have as many events as they counted, and as many told each end.",
        sql="""
            SELECT counted.merchant_id, counted.steps, told.events FROM (
                SELECT merchant_id, sum(event_sequence) AS steps,
                    count(*) FILTER (WHERE status = 'SUCCESS') AS paid
                FROM payments_topup GROUP BY merchant_id
            ) AS counted
            LEFT JOIN (
                SELECT merchant_id, count(*) AS events,
                    count(*) FILTER (WHERE type = 'top_up.succeeded') AS paid
                FROM core_outboxevent WHERE subject LIKE 'top\\_%' GROUP BY merchant_id
            ) AS told ON told.merchant_id = counted.merchant_id
            WHERE counted.steps <> coalesce(told.events, 0) OR counted.paid <> coalesce(told.paid, 0)
        """,
        exercised_sql=_ANY,
        covers=("I22",),
    ),
    Invariant(
        name="top_up_ends_in_time",
        says="No top-up is open an hour after its time was over without anybody having begun to close it.",
        sql="""
            SELECT id FROM payments_topup WHERE expires_at < now() - interval '1 hour'
                AND expiry_started_at IS NULL AND status IN ('NOT_STARTED', 'EXECUTING', 'REQUIRES_ACTION')
        """,
        exercised_sql=_ANY,
        covers=("I25",),
    ),
    Invariant(
        name="top_up_return_posted_once",
        says="What the provider took back of a top-up is in the books once: out of what it owes us, of"
        " the wallet as far as that had it, and the rest open under a key of its own.",
        sql="""
            SELECT back.id, back.amount_minor, count(DISTINCT entry.id) FROM payments_topupreturn AS back
            JOIN payments_topup AS top_up ON top_up.id = back.top_up_id
            LEFT JOIN ledger_journalentry AS entry ON entry.merchant_id = back.merchant_id
                AND entry.source = 'top_up_return' AND entry.source_ref = back.id::text
            LEFT JOIN (ledger_journalline AS line JOIN ledger_account AS account
                ON account.id = line.account_id) ON line.entry_id = entry.id
            LEFT JOIN wallet_walletaccount AS behind ON behind.account_id = account.id
            GROUP BY back.id, top_up.wallet_id
            HAVING count(DISTINCT entry.id) <> 1
                OR coalesce(sum(line.amount_minor) FILTER (WHERE account.role = 'psp_clearing'
                    AND line.clearing_key = back.charge_id::text), 0) <> -back.amount_minor
                OR coalesce(sum(line.amount_minor) FILTER (WHERE account.role = 'dispute_receivable'
                    AND line.clearing_key = back.id::text), 0) <> back.missing_minor
                OR coalesce(sum(line.amount_minor) FILTER (WHERE behind.wallet_id = top_up.wallet_id
                    AND behind.bucket = CASE WHEN back.from_pending THEN 'pending' ELSE 'available' END), 0)
                    <> back.taken_minor
        """,
        exercised_sql=_ANY_RETURN,
        covers=("P1", "I14"),
    ),
    Invariant(
        name="top_up_return_entry_has_its_return",
        says="Nothing is taken back of a top-up in the books without its row.",
        sql="""
            SELECT entry.id FROM ledger_journalentry AS entry WHERE entry.source = 'top_up_return'
                AND NOT EXISTS (SELECT 1 FROM payments_topupreturn AS back
                    WHERE back.id::text = entry.source_ref AND back.merchant_id = entry.merchant_id)
        """,
        exercised_sql=_ANY_RETURN,
        covers=("I15",),
    ),
    Invariant(
        name="top_up_counts_its_returns",
        says="A top-up counts what was refunded and what was reversed of it, its buyer never gives more than"
        " came in, and what is missing has a case.",
        sql="""
            SELECT top_up.id, top_up.refunded_minor, top_up.reversed_minor FROM payments_topup AS top_up
            LEFT JOIN LATERAL (
                SELECT coalesce(sum(amount_minor) FILTER (WHERE kind = 'refund'), 0) AS refunded,
                    coalesce(sum(amount_minor) FILTER (WHERE kind = 'reversal'), 0) AS reversed,
                    coalesce(sum(taken_minor), 0) AS taken, coalesce(sum(missing_minor), 0) AS missing
                FROM payments_topupreturn WHERE top_up_id = top_up.id
            ) AS back ON true
            WHERE (top_up.refunded_minor, top_up.reversed_minor) <> (back.refunded, back.reversed)
                OR back.taken > top_up.credited_minor
                OR (back.missing > 0 AND NOT EXISTS (SELECT 1 FROM core_case
                    WHERE core_case.merchant_id = top_up.merchant_id
                        AND core_case.kind = 'top_up_not_covered'))
        """,
        exercised_sql=_ANY_RETURN,
        covers=("I12",),
    ),
]
