"""What must always be true of payouts, as queries that return no rows."""

from core.audits import Invariant

__all__ = ["INVARIANTS"]

_ANY = "SELECT EXISTS (SELECT 1 FROM payouts_payout)"
_SENT = "SELECT EXISTS (SELECT 1 FROM payouts_payout WHERE sent_at IS NOT NULL)"
_TRIED = "SELECT EXISTS (SELECT 1 FROM payouts_payoutattempt)"

# What the books say of each payout, by what its entries did to the accounts that are its own.
_BOOKED = """
    SELECT entry.merchant_id, entry.source_ref,
        coalesce(sum(line.amount_minor) FILTER (WHERE entry.leg = 'requested'
            AND account.role = 'seller_available'), 0) AS held,
        coalesce(-sum(line.amount_minor) FILTER (WHERE entry.leg = 'hold_resolved'
            AND account.role = 'seller_available'), 0) AS released,
        coalesce(-sum(line.amount_minor) FILTER (WHERE entry.leg = 'hold_resolved'
            AND account.role = 'payouts_in_transit' AND line.clearing_key = entry.source_ref), 0) AS sent,
        coalesce(sum(line.amount_minor) FILTER (WHERE entry.leg = 'rejected'
            AND account.role = 'payouts_in_transit' AND line.clearing_key = entry.source_ref), 0) AS rejected,
        coalesce(-sum(line.amount_minor) FILTER (WHERE account.role = 'payout_fee'), 0) AS fee
    FROM ledger_journalentry AS entry
    JOIN ledger_journalline AS line ON line.entry_id = entry.id
    JOIN ledger_account AS account ON account.id = line.account_id
    WHERE entry.source = 'payout' GROUP BY entry.merchant_id, entry.source_ref
"""

INVARIANTS = [
    Invariant(
        name="payout_one_live_sending",
        says="A payout has at most one sending that is live or has paid somebody.",
        sql="""
            SELECT payout_id, count(*) FROM payouts_payoutattempt
            WHERE status NOT IN ('REFUSED', 'CANCELED', 'RETURNED') GROUP BY payout_id HAVING count(*) > 1
        """,
        exercised_sql=_TRIED,
        covers=("I27",),
    ),
    Invariant(
        name="payout_reference_once",
        says="A provider's reference, and each of ours, stands for the sending of one payout.",
        sql="""
            SELECT merchant_id, provider_reference FROM payouts_payoutattempt
            WHERE provider_reference IS NOT NULL
            GROUP BY merchant_id, provider_reference HAVING count(DISTINCT payout_id) > 1
            UNION ALL
            SELECT merchant_id, reference FROM payouts_payoutattempt
            GROUP BY merchant_id, reference HAVING count(*) > 1
        """,
        exercised_sql=_TRIED,
        covers=("I28",),
    ),
    Invariant(
        name="payout_has_one_owner",
        says="Seller, wallet, destination and channel of a payout are its merchant's, and the seller's own.",
        sql="""
            SELECT payout.id FROM payouts_payout AS payout
            LEFT JOIN wallet_wallet AS wallet ON wallet.id = payout.wallet_id
                AND wallet.merchant_id = payout.merchant_id AND wallet.owner_type = 'seller'
                AND wallet.owner_id = payout.seller_id AND wallet.currency = payout.amount_currency
            LEFT JOIN payouts_destination AS place ON place.id = payout.destination_id
                AND place.merchant_id = payout.merchant_id AND place.seller_id = payout.seller_id
                AND place.currency = payout.amount_currency
            LEFT JOIN merchants_seller AS seller ON seller.id = payout.seller_id
                AND seller.merchant_id = payout.merchant_id
            LEFT JOIN channels_channel AS channel ON channel.id = payout.channel_id
                AND channel.merchant_id = payout.merchant_id
            WHERE wallet.id IS NULL OR place.id IS NULL OR seller.id IS NULL OR channel.id IS NULL
        """,
        exercised_sql=_ANY,
        covers=("I29",),
    ),
    Invariant(
        name="payout_had_its_yes",
        says="What leaves was let go by the policy, or by a second person, to exactly this instruction.",
        sql="""
            SELECT payout.id, payout.status FROM payouts_payout AS payout
            WHERE payout.status NOT IN ('REQUESTED', 'IN_REVIEW', 'REJECTED', 'CANCELED')
                AND NOT payout.auto_approved_by_policy AND NOT EXISTS (
                    SELECT 1 FROM core_approval AS approval WHERE approval.subject = 'payout:' || payout.id
                    AND approval.action = 'payout.approve' AND approval.status = 'APPROVED'
                    AND approval.digest = payout.instruction_digest AND approval.checker = payout.approved_by
                    AND approval.checker NOT IN (approval.maker, payout.requested_by))
        """,
        exercised_sql="SELECT EXISTS (SELECT 1 FROM payouts_payout WHERE approved_by <> '')",
        covers=("I30",),
    ),
    Invariant(
        name="payout_hold_follows",
        says="The money of a payout is held until it is sent or given up, and then it is not.",
        sql="""
            SELECT payout.id, payout.status, hold.state FROM payouts_payout AS payout
            LEFT JOIN wallet_hold AS hold ON hold.merchant_id = payout.merchant_id
                AND hold.purpose = 'payout' AND hold.subject = payout.id::text
            WHERE coalesce(hold.state, 'none') <> CASE
                    WHEN payout.status IN
                        ('REQUESTED', 'IN_REVIEW', 'APPROVED', 'BLOCKED', 'EXECUTING', 'UNKNOWN') THEN 'OPEN'
                    WHEN payout.sent_at IS NOT NULL THEN 'SETTLED'
                    WHEN payout.failure ->> 'code' = 'payout_declined' THEN 'none'
                    ELSE 'RELEASED' END
                OR hold.amount_minor <> payout.amount_minor + payout.fee_minor
        """,
        exercised_sql=_ANY,
        covers=("I31", "I26"),
    ),
    Invariant(
        name="payout_posted",
        says="A payout is in the books as it stands: set aside, and released, sent or refused as it was.",
        sql=f"""
            SELECT payout.id, payout.status, booked.held, booked.released, booked.sent, booked.rejected
            FROM payouts_payout AS payout LEFT JOIN ({_BOOKED}) AS booked
                ON booked.merchant_id = payout.merchant_id AND booked.source_ref = payout.id::text
            CROSS JOIN LATERAL (SELECT payout.amount_minor AS part,
                payout.amount_minor + payout.fee_minor AS whole,
                payout.sent_at IS NOT NULL AS was_sent, payout.status = 'FAILED' AS failed,
                payout.failure ->> 'code' IS NOT DISTINCT FROM 'payout_declined' AS declined) AS it
            WHERE (coalesce(booked.held, 0), coalesce(booked.released, 0), coalesce(booked.sent, 0),
                    coalesce(booked.rejected, 0), coalesce(booked.fee, 0))
                <> (CASE WHEN declined THEN 0 ELSE whole END,
                    CASE WHEN NOT was_sent AND NOT declined
                        AND payout.status IN ('REJECTED', 'CANCELED', 'FAILED') THEN whole ELSE 0 END,
                    CASE WHEN was_sent THEN part ELSE 0 END,
                    CASE WHEN was_sent AND failed THEN part ELSE 0 END,
                    CASE WHEN was_sent AND NOT failed THEN payout.fee_minor ELSE 0 END)
        """,  # noqa: S608 - nothing but what stands in this file
        exercised_sql=_ANY,
        covers=("I14", "I16", "I32", "P1"),
    ),
    Invariant(
        name="payout_return_credited",
        says="What came back is the seller's again, once, less the fee for it; and nothing else is.",
        sql="""
            SELECT attempt.id, booked.amount, payout.amount_minor FROM payouts_payoutattempt AS attempt
            JOIN payouts_payout AS payout ON payout.id = attempt.payout_id
            FULL JOIN (
                SELECT entry.merchant_id, entry.source_ref,
                    sum(line.amount_minor) FILTER (WHERE account.role = 'payout_returns') AS amount,
                    coalesce(-sum(line.amount_minor) FILTER (WHERE account.role = 'payout_fee'), 0) AS fee
                FROM ledger_journalentry AS entry
                JOIN ledger_journalline AS line ON line.entry_id = entry.id
                JOIN ledger_account AS account ON account.id = line.account_id
                WHERE entry.source = 'payout_return' AND entry.leg = 'credited'
                GROUP BY entry.merchant_id, entry.source_ref
            ) AS booked ON booked.merchant_id = attempt.merchant_id AND booked.source_ref = attempt.reference
            WHERE (attempt.status = 'RETURNED' AND (booked.amount, booked.fee)
                    IS DISTINCT FROM (payout.amount_minor, payout.return_fee_minor))
                OR (booked.amount IS NOT NULL AND attempt.status IS DISTINCT FROM 'RETURNED')
        """,
        exercised_sql="SELECT EXISTS (SELECT 1 FROM payouts_payoutattempt WHERE status = 'RETURNED')",
        covers=("I32", "I15"),
    ),
    Invariant(
        name="payout_entry_has_its_payout",
        says="Nothing of pay-out is in the books or held without its payout, where a merchant has payouts.",
        sql="""
            SELECT entry.source_ref FROM ledger_journalentry AS entry
            LEFT JOIN payouts_payout AS payout
                ON payout.merchant_id = entry.merchant_id AND payout.id::text = entry.source_ref
            WHERE entry.source = 'payout' AND payout.id IS NULL
                AND EXISTS (SELECT 1 FROM payouts_payout AS other WHERE other.merchant_id = entry.merchant_id)
            UNION ALL
            SELECT hold.subject FROM wallet_hold AS hold
            LEFT JOIN payouts_payout AS payout
                ON payout.merchant_id = hold.merchant_id AND payout.id::text = hold.subject
            WHERE hold.purpose = 'payout' AND payout.id IS NULL
                AND EXISTS (SELECT 1 FROM payouts_payout AS other WHERE other.merchant_id = hold.merchant_id)
        """,
        exercised_sql=_ANY,
        covers=("I15",),
    ),
    Invariant(
        name="payout_follows_its_sending",
        says="A payout stands as its sending does: at the bank, paid, back, refused, or not sent at all.",
        sql="""
            SELECT payout.id, payout.status, live.status FROM payouts_payout AS payout
            LEFT JOIN LATERAL (SELECT attempt.status FROM payouts_payoutattempt AS attempt
                WHERE attempt.payout_id = payout.id ORDER BY attempt.id DESC LIMIT 1) AS live ON true
            WHERE coalesce(live.status, 'none') <> ALL (CASE payout.status
                WHEN 'EXECUTING' THEN ARRAY['SENT']
                WHEN 'UNKNOWN' THEN ARRAY['UNKNOWN']
                WHEN 'SENT' THEN ARRAY['ACCEPTED']
                WHEN 'PAID' THEN ARRAY['PAID']
                WHEN 'RETURNED' THEN ARRAY['RETURNED']
                WHEN 'FAILED' THEN ARRAY['REFUSED']
                ELSE ARRAY['none', 'CREATED', 'NOT_SENT', 'CANCELED'] END)
        """,
        exercised_sql=_TRIED,
        covers=("I27",),
    ),
    Invariant(
        name="payout_batch_adds_up",
        says="A batch says how many payouts and how much it was sent with, and when it is looked at next.",
        sql="""
            SELECT batch.id, batch.status FROM payouts_payoutbatch AS batch
            LEFT JOIN LATERAL (
                SELECT count(*) AS payouts, coalesce(sum(payout.amount_minor), 0) AS total,
                    bool_and(payout.amount_currency = batch.currency
                        AND payout.channel_id = batch.channel_id) AS alike
                FROM payouts_payoutattempt AS attempt JOIN payouts_payout AS payout
                    ON payout.id = attempt.payout_id
                WHERE attempt.batch_id = batch.id AND attempt.sent_at IS NOT NULL
                    AND attempt.status <> 'CANCELED'
            ) AS sent ON true
            WHERE (batch.status IN ('SUBMITTING', 'UNKNOWN', 'SUBMITTED', 'CLOSED')
                    AND (batch.payouts_count, batch.total_minor) <> (sent.payouts, sent.total))
                OR sent.alike IS FALSE
                OR (batch.status IN ('CREATED', 'SUBMITTING', 'NOT_SENT', 'UNKNOWN', 'SUBMITTED')
                    AND batch.due_at IS NULL AND NOT EXISTS (SELECT 1 FROM core_deadletter AS letter
                        WHERE letter.queue = 'payout_batches' AND letter.status = 'OPEN'
                        AND letter.detail ->> 'batch_id' = batch.id::text))
        """,
        exercised_sql="SELECT EXISTS (SELECT 1 FROM payouts_payoutbatch)",
        covers=("I25",),
    ),
    Invariant(
        name="payout_changes_are_told",
        says="The payouts of a merchant have as many events as they counted, and each end was told.",
        sql="""
            SELECT counted.merchant_id, counted.steps, told.events FROM (
                SELECT merchant_id, sum(event_sequence) AS steps,
                    count(*) FILTER (WHERE paid_at IS NOT NULL) AS paid,
                    count(*) FILTER (WHERE status = 'RETURNED') AS returned,
                    count(*) FILTER (WHERE status = 'FAILED') AS failed
                FROM payouts_payout GROUP BY merchant_id
            ) AS counted
            LEFT JOIN (
                SELECT merchant_id, count(*) AS events,
                    count(*) FILTER (WHERE type = 'payout.paid') AS paid,
                    count(*) FILTER (WHERE type = 'payout.returned') AS returned,
                    count(*) FILTER (WHERE type = 'payout.failed') AS failed
                FROM core_outboxevent WHERE subject LIKE 'po\\_%' GROUP BY merchant_id
            ) AS told ON told.merchant_id = counted.merchant_id
            WHERE counted.steps <> coalesce(told.events, 0) OR counted.paid <> coalesce(told.paid, 0)
                OR counted.returned <> coalesce(told.returned, 0)
                OR counted.failed <> coalesce(told.failed, 0)
        """,
        exercised_sql=_ANY,
        covers=("I22",),
    ),
]
