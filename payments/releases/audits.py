"""What must always be true of releases, as queries that return no rows."""

from core.audits import Invariant

__all__ = ["INVARIANTS"]

_SHARED = "SELECT EXISTS (SELECT 1 FROM payments_ordershare)"
_RELEASED = "SELECT EXISTS (SELECT 1 FROM payments_orderrelease)"
_RESERVED = "SELECT EXISTS (SELECT 1 FROM payments_orderrelease WHERE reserve_minor > 0)"

INVARIANTS = [
    Invariant(
        name="released_within_what_was_earned",
        says="What was released of an order, and what was used before, are no more than the seller's part.",
        sql="""
            SELECT order_id FROM payments_ordershare
            WHERE released_minor + pending_used_minor > seller_net_minor OR reserved_minor > released_minor
                OR least(released_minor, pending_used_minor, reserved_minor) < 0
        """,
        exercised_sql=_SHARED,
        covers=("P4",),
    ),
    Invariant(
        name="released_is_its_releases",
        says="What an order counts as released and reserved is the sum of its releases.",
        sql="""
            SELECT share.order_id, share.released_minor, done.amount, share.reserved_minor, done.reserve
            FROM payments_ordershare AS share
            LEFT JOIN (
                SELECT order_id, sum(amount_minor) AS amount, sum(reserve_minor) AS reserve
                FROM payments_orderrelease GROUP BY order_id
            ) AS done ON done.order_id = share.order_id
            WHERE (share.released_minor, share.reserved_minor)
                <> (coalesce(done.amount, 0), coalesce(done.reserve, 0))
            UNION ALL
            SELECT done.order_id, NULL, done.amount_minor, NULL, done.reserve_minor
            FROM payments_orderrelease AS done
            WHERE NOT EXISTS (SELECT 1 FROM payments_ordershare WHERE order_id = done.order_id)
        """,
        exercised_sql=_RELEASED,
        covers=("P1",),
        nightly=True,
    ),
    Invariant(
        name="release_is_booked_once",
        says="Every release is one entry on its seller's pending money, and no entry is without a release.",
        sql="""
            WITH booked AS (
                SELECT entry.merchant_id, entry.source_ref, count(DISTINCT entry.id) AS entries,
                    sum(line.amount_minor) FILTER (WHERE account.role = 'seller_pending') AS amount,
                    coalesce(-sum(line.amount_minor) FILTER (WHERE account.role = 'seller_reserve'), 0)
                        AS reserve,
                    min(account.owner::text) FILTER (WHERE account.role = 'seller_pending') AS owner
                FROM ledger_journalentry AS entry
                JOIN ledger_journalline AS line ON line.entry_id = entry.id
                JOIN ledger_account AS account ON account.id = line.account_id
                WHERE entry.source = 'release' AND entry.leg = 'release'
                GROUP BY entry.merchant_id, entry.source_ref
            )
            SELECT done.reference, booked.amount, booked.reserve FROM payments_orderrelease AS done
            JOIN payments_paymentorder AS o ON o.id = done.order_id
            LEFT JOIN booked ON booked.merchant_id = done.merchant_id AND booked.source_ref = done.reference
            WHERE (booked.entries, booked.amount, booked.reserve, booked.owner) IS DISTINCT FROM
                (1, done.amount_minor::numeric, done.reserve_minor::numeric, o.seller_id::text)
            UNION ALL
            SELECT booked.source_ref, booked.amount, booked.reserve FROM booked
            WHERE EXISTS (SELECT 1 FROM payments_ordershare WHERE merchant_id = booked.merchant_id)
                AND NOT EXISTS (SELECT 1 FROM payments_orderrelease AS done
                    WHERE done.merchant_id = booked.merchant_id AND done.reference = booked.source_ref)
        """,
        exercised_sql=_RELEASED,
        covers=("P1",),
        nightly=True,
    ),
    Invariant(
        name="pending_is_what_waits",
        says="What is pending in a seller's wallet is what its orders have not released.",
        sql="""
            SELECT o.seller_id, o.amount_currency, wallet.pending_minor,
                sum(share.seller_net_minor - share.released_minor - share.pending_used_minor)
            FROM payments_ordershare AS share
            JOIN payments_paymentorder AS o ON o.id = share.order_id
            LEFT JOIN wallet_wallet AS wallet ON wallet.merchant_id = o.merchant_id
                AND wallet.owner_type = 'seller' AND wallet.owner_id = o.seller_id
                AND wallet.currency = o.amount_currency AND wallet.kind = 'cash'
            GROUP BY o.seller_id, o.amount_currency, wallet.pending_minor
            HAVING sum(share.seller_net_minor - share.released_minor - share.pending_used_minor)
                <> coalesce(wallet.pending_minor, 0)
        """,
        exercised_sql=_SHARED,
        covers=("I06",),
        nightly=True,
    ),
    Invariant(
        name="release_had_its_reason",
        says="Nothing was released without the proof that the policy demands, nor before its time.",
        sql="""
            SELECT done.id, done.proof, done.basis FROM payments_orderrelease AS done
            LEFT JOIN payments_ordershare AS share ON share.order_id = done.order_id
            WHERE done.proof IS DISTINCT FROM share.proof_needed
                OR coalesce(CASE done.proof WHEN 'captured' THEN share.captured_at
                    WHEN 'reported' THEN share.reported_at ELSE share.banked_at END, 'infinity')
                    > done.released_at
                OR CASE done.basis WHEN 'delay' THEN share.release_on = 'fulfillment'
                    ELSE share.release_on = 'delay' END
                OR coalesce(CASE done.basis WHEN 'delay' THEN share.matures_at
                    ELSE share.fulfillment_recorded_at END, 'infinity') > done.released_at
        """,
        exercised_sql=_RELEASED,
        covers=("P4",),
        nightly=True,
    ),
    Invariant(
        name="reserve_is_its_tranche",
        says="What a release keeps back is one hold of its seller until its date, and no more.",
        sql="""
            SELECT done.id, done.reserve_minor, hold.amount_minor, done.reserve_until, hold.expires_at
            FROM payments_orderrelease AS done
            JOIN payments_paymentorder AS o ON o.id = done.order_id
            LEFT JOIN wallet_hold AS hold ON hold.merchant_id = done.merchant_id
                AND hold.purpose = 'reserve' AND hold.subject = done.reference
            LEFT JOIN wallet_wallet AS wallet ON wallet.id = hold.wallet_id
            WHERE (coalesce(hold.amount_minor, 0), hold.expires_at) IS DISTINCT FROM
                    (done.reserve_minor, done.reserve_until)
                OR (hold.id IS NOT NULL AND wallet.owner_id <> o.seller_id)
        """,
        exercised_sql=_RESERVED,
        covers=("W1",),
        nightly=True,
    ),
    Invariant(
        name="no_forgotten_release",
        says="Money that may be released has its time, or a person looks at it.",
        sql="""
            SELECT share.order_id, share.due_at FROM payments_ordershare AS share
            WHERE (share.due_at IS NULL
                AND share.seller_net_minor > share.released_minor + share.pending_used_minor
                AND CASE share.proof_needed WHEN 'captured' THEN true
                    WHEN 'reported' THEN share.reported_at IS NOT NULL ELSE share.banked_at IS NOT NULL END
                AND CASE share.release_on WHEN 'fulfillment' THEN share.fulfillment_recorded_at IS NOT NULL
                    ELSE true END
                AND NOT EXISTS (SELECT 1 FROM core_deadletter AS letter WHERE letter.queue = 'releases'
                    AND letter.status = 'OPEN' AND letter.detail ->> 'order_id' = share.order_id::text))
        """,
        exercised_sql=_SHARED,
        covers=("I25",),
        nightly=True,
    ),
]
