"""What must always be true of how captured money was divided and named, as queries that return no rows."""

from core.audits import Invariant

__all__ = ["INVARIANTS"]

_SHARED = "SELECT EXISTS (SELECT 1 FROM payments_ordershare)"

INVARIANTS = [
    Invariant(
        name="share_is_that_of_the_terms",
        says="Commission and tax of an order follow from the terms that held when it was sent.",
        # Half up in whole minor units, as ledger.templates.capture.split divides.
        sql="""
            SELECT o.id, share.commission_minor, kept.gross - inside.tax, share.tax_minor, inside.tax
            FROM payments_ordershare AS share
            JOIN payments_paymentorder AS o ON o.id = share.order_id
            JOIN payments_paymentevent AS checkout ON checkout.id = o.checkout_id
            LEFT JOIN LATERAL (
                SELECT * FROM merchants_sellerterms AS each
                WHERE each.seller_id = o.seller_id AND each.effective_at <= checkout.created_at
                ORDER BY each.effective_at DESC, each.version DESC LIMIT 1
            ) AS terms ON true
            CROSS JOIN LATERAL (SELECT least(o.captured_minor,
                (2 * o.captured_minor * terms.commission_bps + 10000) / 20000
                + CASE WHEN terms.commission_fixed_currency = o.amount_currency
                    THEN terms.commission_fixed_minor ELSE 0 END) AS gross) AS kept
            CROSS JOIN LATERAL (SELECT (2 * kept.gross * terms.tax_bps + 10000 + terms.tax_bps)
                / (2 * (10000 + terms.tax_bps)) AS tax) AS inside
            WHERE (share.seller_net_minor, share.commission_minor, share.tax_minor)
                IS DISTINCT FROM (o.captured_minor - kept.gross, kept.gross - inside.tax, inside.tax)
                OR terms.id IS NULL
        """,
        exercised_sql=_SHARED,
        covers=("P5",),
        nightly=True,
    ),
    Invariant(
        name="capture_legs_are_the_shares",
        says="What a capture credits to sellers, commission and tax are the shares of its orders.",
        sql="""
            SELECT booked.charge_id, booked.seller, shared.seller, booked.commission, shared.commission,
                booked.tax, shared.tax
            FROM (
                SELECT charge.id AS charge_id,
                    coalesce(-sum(line.amount_minor) FILTER (WHERE account.role = 'seller_pending'), 0)
                        AS seller,
                    coalesce(-sum(line.amount_minor) FILTER (WHERE account.role = 'commission'), 0)
                        AS commission,
                    coalesce(-sum(line.amount_minor) FILTER (WHERE account.role = 'tax_payable'), 0) AS tax
                FROM payments_charge AS charge
                JOIN ledger_journalentry AS entry ON entry.merchant_id = charge.merchant_id
                    AND entry.source = 'charge' AND entry.source_ref = charge.id::text
                    AND entry.leg = 'capture'
                JOIN ledger_journalline AS line ON line.entry_id = entry.id
                JOIN ledger_account AS account ON account.id = line.account_id
                GROUP BY charge.id
            ) AS booked
            JOIN (
                SELECT line.charge_id, sum(share.seller_net_minor) AS seller,
                    sum(share.commission_minor) AS commission, sum(share.tax_minor) AS tax
                FROM payments_chargeline AS line JOIN payments_ordershare AS share
                    ON share.order_id = line.order_id
                WHERE NOT line.superseded GROUP BY line.charge_id
            ) AS shared ON shared.charge_id = booked.charge_id
            WHERE (booked.seller, booked.commission, booked.tax)
                IS DISTINCT FROM (shared.seller, shared.commission, shared.tax)
        """,
        exercised_sql=_SHARED,
        covers=("I16", "P1"),
        nightly=True,
    ),
    Invariant(
        name="provider_reference_once",
        says="A provider's reference stands for one charge of a channel.",
        sql="""
            SELECT channel_id, psp_reference FROM payments_charge WHERE psp_reference IS NOT NULL
            GROUP BY channel_id, psp_reference HAVING count(*) > 1
        """,
        exercised_sql="SELECT EXISTS (SELECT 1 FROM payments_charge WHERE psp_reference IS NOT NULL)",
        covers=("I17",),
        nightly=True,
    ),
    Invariant(
        name="parts_share_a_currency",
        says="A charge, its orders and its operations are in one currency, and so is its entry.",
        sql="""
            SELECT charge.id, charge.amount_currency, o.amount_currency FROM payments_charge AS charge
            JOIN payments_chargeline AS line ON line.charge_id = charge.id
            JOIN payments_paymentorder AS o ON o.id = line.order_id
            WHERE o.amount_currency <> charge.amount_currency
            UNION ALL
            SELECT charge.id, charge.amount_currency, operation.currency FROM payments_charge AS charge
            JOIN payments_pspoperation AS operation ON operation.charge_id = charge.id
            WHERE operation.currency <> charge.amount_currency
            UNION ALL
            SELECT charge.id, charge.amount_currency, line.currency FROM payments_charge AS charge
            JOIN ledger_journalentry AS entry ON entry.merchant_id = charge.merchant_id
                AND entry.source = 'charge' AND entry.source_ref = charge.id::text AND entry.leg = 'capture'
            JOIN ledger_journalline AS line ON line.entry_id = entry.id
            WHERE line.currency <> charge.amount_currency
        """,
        exercised_sql="SELECT EXISTS (SELECT 1 FROM payments_charge)",
        covers=("I13",),
        nightly=True,
    ),
]
