"""What must always be true of payments from a balance, as queries that return no rows."""

from core.audits import Invariant

__all__ = ["INVARIANTS"]

_ANY = "SELECT EXISTS (SELECT 1 FROM payments_balancepart)"
_ANY_PAID = "SELECT EXISTS (SELECT 1 FROM payments_balancepart WHERE paid)"
_ANY_BACK = "SELECT EXISTS (SELECT 1 FROM payments_refundpart)"
# What is back of each part, in money and in units of the wallet, or is reserved for it.
_BACK = """
    SELECT back.balance_part_id, sum(back.amount_minor) AS minor, sum(back.units_minor) AS units
    FROM payments_refundpart AS back JOIN payments_refund AS refund ON refund.id = back.refund_id
    WHERE refund.status NOT IN ('FAILED', 'CANCELED') GROUP BY back.balance_part_id
"""

INVARIANTS = [
    Invariant(
        name="balance_part_posted_once",
        says="Every paid part of an order is in the books once, split as its row says, resolving its hold.",
        sql="""
            SELECT part.id, count(DISTINCT entry.id), coalesce(-sum(line.amount_minor), 0)
            FROM payments_balancepart AS part
            LEFT JOIN ledger_journalentry AS entry ON entry.merchant_id = part.merchant_id
                AND entry.source = 'hold' AND entry.source_ref = part.hold_id::text
                AND entry.leg = 'resolved' AND entry.kind IN ('hold_confirmed', 'points_spent')
            LEFT JOIN (ledger_journalline AS line JOIN ledger_account AS account
                ON account.id = line.account_id
                AND account.role IN ('seller_pending', 'commission', 'tax_payable'))
                ON line.entry_id = entry.id
            WHERE part.paid GROUP BY part.id
            HAVING count(DISTINCT entry.id) <> 1
                OR coalesce(-sum(line.amount_minor) FILTER (WHERE account.role = 'seller_pending'), 0)
                    <> part.seller_net_minor
                OR coalesce(-sum(line.amount_minor) FILTER (WHERE account.role = 'commission'), 0)
                    <> part.commission_minor
                OR coalesce(-sum(line.amount_minor) FILTER (WHERE account.role = 'tax_payable'), 0)
                    <> part.tax_minor
        """,
        exercised_sql=_ANY_PAID,
        covers=("P1", "I14"),
        nightly=True,
    ),
    Invariant(
        name="balance_part_follows_its_hold",
        says="A part is paid when its hold is settled whole, released when it was released, else held.",
        sql="""
            SELECT part.id, hold.state FROM payments_balancepart AS part
            JOIN wallet_hold AS hold ON hold.id = part.hold_id
            WHERE hold.amount_minor <> part.units_minor OR hold.wallet_id <> part.wallet_id
                OR hold.purpose <> 'payment' OR hold.expires_at IS NOT NULL
                OR hold.state <> CASE WHEN part.paid THEN 'SETTLED' WHEN part.released THEN 'RELEASED'
                    ELSE 'OPEN' END
        """,
        exercised_sql=_ANY,
        covers=("W2", "W4"),
    ),
    Invariant(
        name="balance_hold_has_its_order",
        says="Money is held only for an order under review, and every hold of an order is known to it.",
        sql="""
            SELECT part.hold_id::text, o.status FROM payments_balancepart AS part
            JOIN payments_paymentorder AS o ON o.id = part.order_id
            WHERE NOT part.paid AND NOT part.released AND o.status <> 'IN_REVIEW'
            UNION ALL
            SELECT hold.id::text, hold.subject FROM wallet_hold AS hold
            WHERE hold.purpose = 'payment' AND hold.subject LIKE 'pay\\_%:%'
                AND NOT EXISTS (SELECT 1 FROM payments_balancepart AS part WHERE part.hold_id = hold.id)
        """,
        exercised_sql=_ANY,
        covers=("W3",),
    ),
    Invariant(
        name="balance_parts_are_the_order",
        says="The parts that pay or may pay an order add up to it, and so do their splits to its share.",
        sql="""
            SELECT o.id, o.amount_minor, sum(part.amount_minor) FROM payments_paymentorder AS o
            JOIN payments_balancepart AS part ON part.order_id = o.id AND NOT part.released
            LEFT JOIN payments_ordershare AS share ON share.order_id = o.id
            GROUP BY o.id, share.order_id
            HAVING sum(part.amount_minor) <> o.amount_minor
                OR bool_or(part.paid) <> bool_and(part.paid)
                OR bool_and(part.paid) <> (share.order_id IS NOT NULL)
                OR (share.order_id IS NOT NULL AND (sum(part.seller_net_minor), sum(part.commission_minor),
                    sum(part.tax_minor)) <> (share.seller_net_minor, share.commission_minor, share.tax_minor))
        """,
        exercised_sql=_ANY,
        covers=("I11",),
    ),
    Invariant(
        name="balance_and_charge_exclude_each_other",
        says="No order is paid from a balance and by a charge, or may be.",
        sql="""
            SELECT line.order_id FROM payments_chargeline AS line
            JOIN payments_balancepart AS part ON part.order_id = line.order_id AND NOT part.released
            WHERE line.live
        """,
        exercised_sql=_ANY,
        covers=("I08",),
    ),
    Invariant(
        name="points_are_worth_what_they_paid",
        says="The points of a part are of grants in the order's currency, and worth what they paid.",
        sql="""
            SELECT part.id, part.units_minor, part.amount_minor FROM payments_balancepart AS part
            JOIN payments_paymentorder AS o ON o.id = part.order_id
            LEFT JOIN (wallet_grantuse AS uses JOIN wallet_grant AS given ON given.id = uses.grant_id)
                ON uses.hold_id = part.hold_id
            WHERE part.kind = 'points' GROUP BY part.id, o.amount_currency
            HAVING part.units_minor <> coalesce(sum(uses.units_minor), 0)
                OR part.amount_minor <> coalesce(sum(uses.value_minor), 0)
                OR NOT bool_and(given.currency = o.amount_currency)
        """,
        exercised_sql="SELECT EXISTS (SELECT 1 FROM payments_balancepart WHERE kind = 'points')",
        covers=("I13",),
    ),
    Invariant(
        name="balance_refund_is_its_parts",
        says="A refund of what a balance paid is of one order and adds up from what each of its wallets gets,"
        " and no other refund has such parts; points and nothing else name their grant.",
        sql="""
            SELECT refund.id, refund.destination, sum(back.amount_minor) FROM payments_refund AS refund
            LEFT JOIN (payments_refundpart AS back
                JOIN payments_balancepart AS part ON part.id = back.balance_part_id)
                ON back.refund_id = refund.id
            GROUP BY refund.id
            HAVING coalesce(sum(back.amount_minor), 0)
                    <> CASE refund.destination WHEN 'balance' THEN refund.amount_minor ELSE 0 END
                OR bool_or(part.order_id <> refund.order_id OR NOT part.paid
                    OR back.merchant_id <> refund.merchant_id
                    OR (part.kind = 'points') <> (back.grant_id IS NOT NULL))
        """,
        exercised_sql=_ANY_BACK,
        covers=("I11",),
    ),
    Invariant(
        name="balance_parts_back_close",
        says="No wallet gets back more than it paid of an order, and when all of the order went back, every"
        " wallet has all that it paid, in money and in points.",
        sql=f"""
            SELECT part.id, part.amount_minor, back.minor, back.units FROM payments_balancepart AS part
            JOIN payments_paymentorder AS o ON o.id = part.order_id
            LEFT JOIN ({_BACK}) AS back ON back.balance_part_id = part.id
            WHERE part.paid AND (back.minor > part.amount_minor OR back.units > part.units_minor
                OR (back.minor = part.amount_minor) <> (back.units = part.units_minor)
                OR (o.refund_reserved_minor >= o.captured_minor
                    AND back.minor IS DISTINCT FROM part.amount_minor::numeric))
        """,  # noqa: S608 - built from constants
        exercised_sql=_ANY_BACK,
        covers=("P2", "I13"),
    ),
    Invariant(
        name="balance_refund_reaches_its_wallets",
        says="What the books put back into each wallet for a refund is its part, of the kind that it paid.",
        sql="""
            SELECT refund.id, wanted.wallet_id, wanted.units, booked.units FROM payments_refund AS refund
            CROSS JOIN LATERAL (
                SELECT part.wallet_id, sum(back.units_minor) AS units FROM payments_refundpart AS back
                JOIN payments_balancepart AS part ON part.id = back.balance_part_id
                WHERE back.refund_id = refund.id AND refund.status = 'SUCCESS' GROUP BY part.wallet_id
            ) AS wanted
            LEFT JOIN LATERAL (
                SELECT -sum(line.amount_minor) AS units FROM ledger_journalentry AS entry
                JOIN ledger_journalline AS line ON line.entry_id = entry.id
                JOIN wallet_walletaccount AS behind ON behind.account_id = line.account_id
                WHERE entry.merchant_id = refund.merchant_id AND entry.source = 'refund'
                    AND entry.source_ref = refund.id::text AND entry.leg = 'accepted'
                    AND behind.wallet_id = wanted.wallet_id AND behind.bucket = 'available'
            ) AS booked ON true
            WHERE booked.units IS DISTINCT FROM wanted.units
        """,
        exercised_sql=_ANY_BACK,
        covers=("P1", "I16"),
        nightly=True,
    ),
]
