"""What must always be true of late money, refunds and checkouts whose time is over: queries without rows."""

from core.audits import Invariant

__all__ = ["INVARIANTS"]

_LATE = """
    SELECT charge.id, charge.merchant_id, charge.captured_minor FROM payments_charge AS charge
    WHERE charge.status = 'CAPTURED' AND (EXISTS (
            SELECT 1 FROM payments_chargeline WHERE charge_id = charge.id AND superseded)
        OR EXISTS (SELECT 1 FROM payments_topup AS top_up
            WHERE top_up.id = charge.top_up_id AND top_up.status <> 'SUCCESS'))
"""
_ANY_LATE = """
    SELECT EXISTS (SELECT 1 FROM payments_chargeline WHERE superseded) OR EXISTS (
        SELECT 1 FROM payments_topup AS top_up JOIN payments_charge AS charge ON charge.top_up_id = top_up.id
        WHERE top_up.status <> 'SUCCESS' AND charge.status = 'CAPTURED')
"""
_ANY_REFUND = (
    "SELECT EXISTS (SELECT 1 FROM payments_pspoperation WHERE kind = 'refund' AND refund_id IS NULL)"
)
# What stands on the accounts of a role under one key.
_BALANCE = """
    coalesce((
        SELECT sum(line.amount_minor) FROM ledger_journalline AS line
        JOIN ledger_account AS account ON account.id = line.account_id
        WHERE line.merchant_id = {row}.merchant_id AND account.role = '{role}'
            AND line.clearing_key = {row}.id::text), 0)
"""

INVARIANTS = [
    Invariant(
        name="late_charge_is_late_as_a_whole",
        says="Only what was captured can be superseded, and of a charge all lines are or none.",
        sql="""
            SELECT charge.id, charge.status FROM payments_charge AS charge
            JOIN payments_chargeline AS line ON line.charge_id = charge.id
            GROUP BY charge.id
            HAVING bool_or(line.superseded) AND (charge.status <> 'CAPTURED' OR NOT bool_and(line.superseded))
        """,
        exercised_sql=_ANY_LATE,
        covers=("I12",),
    ),
    Invariant(
        name="late_money_goes_back",
        says="Late money is refunded or being refunded, or a person has it on the desk.",
        sql=f"""
            SELECT late.id FROM ({_LATE}) AS late
            WHERE NOT EXISTS (
                SELECT 1 FROM payments_pspoperation AS refund
                WHERE refund.charge_id = late.id AND refund.kind = 'refund' AND refund.refund_id IS NULL
                    AND refund.amount_minor = late.captured_minor
                    AND refund.status NOT IN ('DECLINED', 'CANCELED', 'CONFLICTED'))
            AND NOT EXISTS (
                SELECT 1 FROM core_case WHERE core_case.merchant_id = late.merchant_id
                    AND core_case.kind IN ('refund_failed', 'charge_conflict')
                    AND core_case.detail ->> 'charge_id' = late.id::text)
        """,  # noqa: S608 - built from constants
        exercised_sql=_ANY_LATE,
        covers=("I12",),
    ),
    Invariant(
        name="overpayment_is_cleared",
        says="An overpayment is owed to the buyer exactly until its refund is requested, or after it failed.",
        sql=f"""
            SELECT late.id FROM ({_LATE}) AS late
            WHERE {_BALANCE.format(row="late", role="customer_overpayment")} <> CASE WHEN EXISTS (
                SELECT 1 FROM payments_pspoperation AS refund
                WHERE refund.charge_id = late.id AND refund.kind = 'refund' AND refund.refund_id IS NULL
                    AND refund.status NOT IN ('DECLINED', 'CANCELED')) THEN 0 ELSE -late.captured_minor END
        """,  # noqa: S608 - built from constants
        exercised_sql=_ANY_LATE,
        covers=("P4",),
    ),
    Invariant(
        name="refund_in_transit_is_its_operation",
        says="What gives late money back is in transit exactly while the provider has not answered for good.",
        sql=f"""
            SELECT refund.id, refund.status FROM payments_pspoperation AS refund
            WHERE refund.kind = 'refund' AND refund.refund_id IS NULL
                AND {_BALANCE.format(row="refund", role="refunds_in_transit")} <> CASE
                    WHEN refund.status IN ('SUCCEEDED', 'DECLINED', 'CANCELED') THEN 0
                    ELSE -refund.amount_minor END
        """,  # noqa: S608 - built from constants
        exercised_sql=_ANY_REFUND,
        covers=("P4",),
    ),
    Invariant(
        name="charge_refunded_is_its_refunds",
        says="What a charge counts as refunded is what its refunds gave back.",
        sql="""
            SELECT charge.id, charge.refunded_minor FROM payments_charge AS charge
            LEFT JOIN (
                SELECT charge_id, amount_minor FROM payments_pspoperation
                WHERE kind = 'refund' AND status = 'SUCCEEDED' AND refund_id IS NULL
                UNION ALL
                SELECT charge_id, amount_minor FROM payments_refund
                WHERE destination = 'instrument' AND status = 'SUCCESS'
                UNION ALL
                SELECT charge_id, amount_minor FROM payments_topupreturn WHERE kind = 'refund'
            ) AS refund ON refund.charge_id = charge.id
            GROUP BY charge.id HAVING charge.refunded_minor <> coalesce(sum(refund.amount_minor), 0)
        """,
        exercised_sql="SELECT EXISTS (SELECT 1 FROM payments_charge WHERE refunded_minor > 0)",
        covers=("I11",),
    ),
    Invariant(
        name="checkout_ends_in_time",
        says="No checkout is open an hour after its time was over without anybody having begun to close it.",
        sql="""
            SELECT checkout.id FROM payments_paymentevent AS checkout
            WHERE checkout.expires_at < now() - interval '1 hour' AND NOT checkout.is_payment_done
                AND checkout.expiry_started_at IS NULL AND EXISTS (
                    SELECT 1 FROM payments_paymentorder AS o WHERE o.checkout_id = checkout.id
                        AND o.status IN ('NOT_STARTED', 'IN_REVIEW', 'EXECUTING', 'REQUIRES_ACTION'))
        """,
        exercised_sql="SELECT EXISTS (SELECT 1 FROM payments_paymentevent)",
        covers=("I25",),
    ),
]
