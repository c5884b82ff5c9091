"""What must always be true of refunds, as queries that return no rows."""

from core.audits import Invariant

__all__ = ["INVARIANTS"]

_ANY = "SELECT EXISTS (SELECT 1 FROM payments_refund)"
_ANY_SUCCESS = "SELECT EXISTS (SELECT 1 FROM payments_refund WHERE status = 'SUCCESS')"
_ENTRIES = """
    SELECT refund.*, count(entry.id) FILTER (WHERE entry.leg = 'accepted') AS accepted,
        count(entry.id) FILTER (WHERE entry.leg = 'netted') AS netted,
        count(entry.id) FILTER (WHERE entry.leg = 'failed') AS failed
    FROM payments_refund AS refund
    LEFT JOIN ledger_journalentry AS entry ON entry.merchant_id = refund.merchant_id
        AND entry.source = 'refund' AND entry.source_ref = refund.id::text
    GROUP BY refund.id
"""
# What has gone back of an order, part by part, with the commission: refunded, disputed, reversed, denied.
_RETURNED = """
    SELECT order_id, sum(amount_minor) AS whole, sum(seller_minor) AS seller,
        sum(commission_minor) AS commission, sum(tax_minor) AS tax
    FROM (
        SELECT line.order_id, line.amount_minor, line.seller_minor, line.commission_minor, line.tax_minor
        FROM payments_refundline AS line JOIN payments_refund AS refund ON refund.id = line.refund_id
        WHERE refund.status NOT IN ('FAILED', 'CANCELED') AND refund.returns_commission
        UNION ALL
        SELECT order_id, amount_minor, seller_minor, commission_minor, tax_minor
        FROM payments_disputeline WHERE is_reserved
        UNION ALL
        SELECT order_id, amount_minor, seller_minor, commission_minor, tax_minor FROM payments_reversalline
        UNION ALL
        SELECT line.order_id, line.amount_minor, line.seller_minor, line.commission_minor, line.tax_minor
        FROM payments_denialline AS line JOIN payments_chargedenial AS denial ON denial.id = line.denial_id
        WHERE denial.ended_at IS NULL
    ) AS line GROUP BY order_id
"""

INVARIANTS = [
    Invariant(
        name="never_more_back_than_captured",
        says="What goes back of an order, is disputed or was reversed is within what was captured of it, but"
        " for what a provider returned beyond that, which is counted and has a case.",
        sql="""
            SELECT o.id, o.captured_minor, o.refund_reserved_minor, o.dispute_reserved_minor
            FROM payments_paymentorder AS o
            WHERE o.refund_reserved_minor + o.dispute_reserved_minor + o.reversed_minor
                    > o.captured_minor + o.excess_returned_minor
                OR (o.excess_returned_minor > 0 AND NOT EXISTS (
                    SELECT 1 FROM core_case WHERE core_case.merchant_id = o.merchant_id
                        AND core_case.kind = 'refund_dispute_overlap'))
        """,
        exercised_sql="SELECT EXISTS (SELECT 1 FROM payments_paymentorder WHERE refund_reserved_minor > 0)",
        covers=("I12",),
    ),
    Invariant(
        name="order_reserves_its_live_refunds",
        says="An order reserves what its refunds give back that neither failed nor were canceled, and counts"
        " as refunded what succeeded.",
        sql="""
            SELECT o.id, o.refund_reserved_minor, o.refunded_minor, sums.live, sums.done
            FROM payments_paymentorder AS o
            LEFT JOIN (
                SELECT line.order_id, sum(line.amount_minor) AS live,
                    sum(line.amount_minor) FILTER (WHERE refund.status = 'SUCCESS') AS done
                FROM payments_refundline AS line JOIN payments_refund AS refund ON refund.id = line.refund_id
                WHERE refund.status NOT IN ('FAILED', 'CANCELED') GROUP BY line.order_id
            ) AS sums ON sums.order_id = o.id
            WHERE o.refund_reserved_minor <> coalesce(sums.live, 0)
                OR o.refunded_minor <> coalesce(sums.done, 0)
        """,
        exercised_sql=_ANY,
        covers=("I12", "P2"),
    ),
    Invariant(
        name="refund_is_its_lines",
        says="The lines of a refund add up to it, and are of its order where it has one.",
        sql="""
            SELECT refund.id, refund.amount_minor FROM payments_refund AS refund
            LEFT JOIN payments_refundline AS line ON line.refund_id = refund.id
            GROUP BY refund.id
            HAVING refund.amount_minor <> coalesce(sum(line.amount_minor), 0)
                OR bool_or(line.order_id <> refund.order_id)
                OR bool_or(line.merchant_id <> refund.merchant_id)
        """,
        exercised_sql=_ANY,
        covers=("I11",),
    ),
    Invariant(
        name="refund_posted_once",
        says="Every refund is in the books as far as it got: accepted, netted by the provider, given back.",
        sql=f"""
            SELECT id, status, destination, accepted, netted, failed FROM ({_ENTRIES}) AS refund
            WHERE (accepted, netted, failed) IS DISTINCT FROM CASE destination
                WHEN 'instrument' THEN (1::bigint, (succeeded_at IS NOT NULL)::int::bigint,
                    (status IN ('FAILED', 'CANCELED'))::int::bigint)
                ELSE ((status = 'SUCCESS')::int::bigint, 0::bigint, 0::bigint) END
        """,  # noqa: S608 - built from constants
        exercised_sql=_ANY,
        covers=("I14", "P1"),
    ),
    Invariant(
        name="refund_entry_has_a_refund",
        says="No refund is in the books without its row, or the operation that gave late money back.",
        sql="""
            SELECT entry.id, entry.source_ref FROM ledger_journalentry AS entry
            WHERE entry.source = 'refund'
                AND NOT EXISTS (SELECT 1 FROM payments_refund AS refund
                    WHERE refund.id::text = entry.source_ref AND refund.merchant_id = entry.merchant_id)
                AND NOT EXISTS (SELECT 1 FROM payments_pspoperation AS operation
                    WHERE operation.id::text = entry.source_ref AND operation.kind = 'refund'
                        AND operation.refund_id IS NULL AND operation.merchant_id = entry.merchant_id)
        """,
        exercised_sql="SELECT EXISTS (SELECT 1 FROM ledger_journalentry WHERE source = 'refund')",
        covers=("I15", "P1"),
    ),
    Invariant(
        name="refund_entry_amount",
        says="What the books take for a refund is its amount, and of whom is what its lines say.",
        sql="""
            SELECT refund.id, booked.total, booked.commission, booked.tax, said.commission, said.tax
            FROM payments_refund AS refund
            JOIN LATERAL (
                SELECT sum(line.amount_minor) AS total,
                    coalesce(sum(line.amount_minor) FILTER (WHERE account.role = 'commission_refunded'), 0)
                        AS commission,
                    coalesce(sum(line.amount_minor) FILTER (WHERE account.role = 'tax_payable'), 0) AS tax
                FROM ledger_journalentry AS entry
                JOIN ledger_journalline AS line ON line.entry_id = entry.id AND line.amount_minor > 0
                    AND line.currency = refund.amount_currency
                JOIN ledger_account AS account ON account.id = line.account_id
                WHERE entry.merchant_id = refund.merchant_id AND entry.source = 'refund'
                    AND entry.source_ref = refund.id::text AND entry.leg = 'accepted'
            ) AS booked ON booked.total IS NOT NULL
            JOIN LATERAL (
                SELECT sum(commission_minor) AS commission, sum(tax_minor) AS tax
                FROM payments_refundline WHERE refund_id = refund.id
            ) AS said ON true
            WHERE (booked.total, booked.commission, booked.tax)
                IS DISTINCT FROM (refund.amount_minor, said.commission, said.tax)
        """,
        exercised_sql=_ANY,
        covers=("I16", "P2"),
    ),
    Invariant(
        name="refund_in_transit_is_its_state",
        says="A refund to a card is in transit exactly while the provider has not answered for good.",
        sql="""
            SELECT refund.id, refund.status, transit.minor FROM payments_refund AS refund
            CROSS JOIN LATERAL (
                SELECT coalesce(sum(line.amount_minor), 0) AS minor FROM ledger_journalline AS line
                JOIN ledger_account AS account ON account.id = line.account_id
                WHERE line.merchant_id = refund.merchant_id AND account.role = 'refunds_in_transit'
                    AND line.clearing_key = refund.id::text
            ) AS transit
            WHERE transit.minor <> CASE WHEN refund.destination <> 'instrument'
                OR refund.status IN ('SUCCESS', 'FAILED', 'CANCELED') THEN 0 ELSE -refund.amount_minor END
        """,
        exercised_sql=_ANY,
        covers=("P4",),
    ),
    Invariant(
        name="returned_parts_close",
        says="No part of an order gives back more than it had, through refunds, disputes and reversals, and"
        " when all went back every part is at zero.",
        sql=f"""
            SELECT o.id, back.seller, back.commission, back.tax FROM ({_RETURNED}) AS back
            JOIN payments_paymentorder AS o ON o.id = back.order_id
            JOIN payments_ordershare AS share ON share.order_id = o.id
            WHERE back.commission > share.commission_minor OR back.tax > share.tax_minor
                OR back.seller > share.seller_net_minor + o.excess_returned_minor
                OR (back.whole >= o.captured_minor AND (back.commission, back.tax)
                    IS DISTINCT FROM (share.commission_minor::numeric, share.tax_minor::numeric))
        """,  # noqa: S608 - built from constants
        exercised_sql=_ANY,
        covers=("P2",),
    ),
    Invariant(
        name="refund_follows_its_operation",
        says="A refund to a card that is under way has an operation under way or people who look at it, and"
        " ended as its operation did.",
        sql="""
            SELECT refund.id, refund.status, operation.status FROM payments_refund AS refund
            LEFT JOIN payments_pspoperation AS operation ON operation.refund_id = refund.id
            WHERE refund.destination = 'instrument' AND CASE
                WHEN refund.status IN ('IN_REVIEW', 'CANCELED') THEN operation.id IS NOT NULL
                WHEN refund.status = 'SUCCESS' THEN operation.status IS DISTINCT FROM 'SUCCEEDED'
                WHEN refund.status = 'FAILED' THEN operation.status IS DISTINCT FROM
                    CASE WHEN refund.succeeded_at IS NULL THEN 'DECLINED' ELSE 'SUCCEEDED' END
                ELSE operation.status IS NULL OR operation.status IN ('SUCCEEDED', 'DECLINED', 'CANCELED') END
        """,
        exercised_sql="SELECT EXISTS (SELECT 1 FROM payments_refund WHERE destination = 'instrument')",
        covers=("I25",),
    ),
    Invariant(
        name="refund_changes_are_told",
        says="Every refund has told its beginning, and a final one its end.",
        sql="""
            SELECT told.merchant_id, told.counted, told.events FROM (
                SELECT merchant_id, sum(event_sequence) AS counted,
                    (SELECT count(*) FROM core_outboxevent AS event
                        WHERE event.merchant_id = refund.merchant_id AND event.type LIKE 'refund.%') AS events
                FROM payments_refund AS refund GROUP BY merchant_id
            ) AS told WHERE told.counted <> told.events
            UNION ALL
            SELECT merchant_id, event_sequence, 0 FROM payments_refund
            WHERE event_sequence < 1 + (status IN ('SUCCESS', 'FAILED', 'CANCELED'))::int
        """,
        exercised_sql=_ANY,
        covers=("I22",),
    ),
    Invariant(
        name="checkout_is_compensated",
        says="A checkout is compensated exactly when something was captured and all of it went back.",
        sql="""
            SELECT checkout.id, checkout.compensated_at FROM payments_paymentevent AS checkout
            JOIN payments_paymentorder AS o ON o.checkout_id = checkout.id
            GROUP BY checkout.id
            HAVING (checkout.compensated_at IS NOT NULL) <> (sum(o.captured_minor) > 0
                AND bool_and(o.captured_minor = o.refunded_minor + o.reversed_minor))
        """,
        exercised_sql=_ANY_SUCCESS,
    ),
]
