"""What must always be true of saved payment methods, as queries that return no rows."""

from core.audits import Invariant

__all__ = ["INVARIANTS"]

_ANY = "SELECT EXISTS (SELECT 1 FROM payments_paymentmethodtoken)"

INVARIANTS = [
    Invariant(
        name="saved_method_is_its_buyers",
        says="A saved method was attached by a payment of its buyer, to that buyer's customer, there.",
        sql="""
            SELECT method.id FROM payments_paymentmethodtoken AS method
            JOIN payments_pspcustomer AS customer ON customer.id = method.customer_id
            JOIN payments_charge AS charge ON charge.id = method.charge_id
            LEFT JOIN payments_paymentevent AS checkout ON checkout.id = charge.checkout_id
            LEFT JOIN payments_topup AS top_up ON top_up.id = charge.top_up_id
            JOIN merchants_buyer AS buyer ON buyer.id = method.buyer_id
            WHERE (method.merchant_id, method.buyer_id, method.channel_id)
                    IS DISTINCT FROM (customer.merchant_id, customer.buyer_id, customer.channel_id)
                OR (method.merchant_id, method.channel_id)
                    IS DISTINCT FROM (charge.merchant_id, charge.channel_id)
                OR (buyer.merchant_id, buyer.buyer_account)
                    IS DISTINCT FROM (coalesce(checkout.merchant_id, top_up.merchant_id),
                        coalesce(checkout.buyer_account, top_up.buyer_account))
                OR NOT EXISTS (
                    SELECT 1 FROM payments_pspoperation AS operation
                    WHERE operation.charge_id = charge.id AND operation.kind = 'attach'
                        AND operation.status = 'SUCCEEDED')
        """,
        exercised_sql=_ANY,
    ),
    Invariant(
        name="paid_with_own_method",
        says="Whoever pays with a saved method is the buyer whose it is, at the same store.",
        sql="""
            SELECT checkout.id FROM payments_paymentevent AS checkout
            JOIN payments_paymentmethodtoken AS method ON method.id = checkout.saved_method_id
            JOIN merchants_buyer AS buyer ON buyer.id = method.buyer_id
            WHERE checkout.save_method
                OR (checkout.merchant_id, checkout.merchant_id, checkout.buyer_account)
                    IS DISTINCT FROM (method.merchant_id, buyer.merchant_id, buyer.buyer_account)
            UNION ALL
            SELECT top_up.id FROM payments_topup AS top_up
            JOIN payments_paymentmethodtoken AS method ON method.id = top_up.saved_method_id
            JOIN merchants_buyer AS buyer ON buyer.id = method.buyer_id
            WHERE top_up.save_method
                OR (top_up.merchant_id, top_up.merchant_id, top_up.buyer_account)
                    IS DISTINCT FROM (method.merchant_id, buyer.merchant_id, buyer.buyer_account)
        """,
        exercised_sql="SELECT EXISTS (SELECT 1 FROM payments_paymentevent WHERE saved_method_id IS NOT NULL)",
    ),
    Invariant(
        name="deleted_method_is_detached",
        says="A deleted method, and no other, is detached at the provider within a day, or a person knows.",
        sql="""
            SELECT method.id, method.deleted_at, detach.status FROM payments_paymentmethodtoken AS method
            LEFT JOIN payments_pspoperation AS detach
                ON detach.charge_id = method.charge_id AND detach.kind = 'detach'
            WHERE (method.deleted_at IS NULL) <> (detach.id IS NULL)
                OR (detach.status <> 'SUCCEEDED'
                    AND (method.deleted_at < now() - interval '24 hours'
                        OR detach.status IN ('DECLINED', 'CANCELED', 'CONFLICTED'))
                    AND NOT EXISTS (
                        SELECT 1 FROM core_case WHERE core_case.merchant_id = method.merchant_id
                            AND core_case.kind = 'method_not_detached'
                            AND core_case.detail ->> 'charge_id' = method.charge_id::text))
        """,
        exercised_sql="SELECT EXISTS (SELECT 1 FROM payments_pspoperation WHERE kind = 'detach')",
    ),
]
