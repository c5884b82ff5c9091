"""What must always be true of pay-in, as queries that return no rows."""

from core.audits import Invariant
from payments import authorized_audits, late_audits, method_audits

__all__ = ["INVARIANTS"]

_HISTORY = """
    SELECT '{table}' AS subject, row.id, row.status, change.to_state
    FROM {table} AS row
    LEFT JOIN LATERAL (
        SELECT to_state FROM core_statuschange
        WHERE subject_id = row.id ORDER BY id DESC LIMIT 1
    ) AS change ON true
    WHERE change.to_state IS DISTINCT FROM row.status
"""
_STATEFUL = (
    "payments_paymentorder",
    "payments_topup",
    "payments_charge",
    "payments_pspoperation",
    "payments_refund",
)

INVARIANTS = [
    Invariant(
        name="captured_charge_posted_once",
        says="Every captured charge is in the books once: as a capture or a top-up, or as an overpayment when"
        " late.",
        sql="""
            SELECT charge.id, count(entry.id), min(entry.leg) FROM payments_charge AS charge
            LEFT JOIN payments_topup AS top_up ON top_up.id = charge.top_up_id
            LEFT JOIN LATERAL (
                SELECT bool_or(superseded) AS late FROM payments_chargeline WHERE charge_id = charge.id
            ) AS line ON true
            LEFT JOIN ledger_journalentry AS entry ON entry.merchant_id = charge.merchant_id
                AND entry.source = 'charge' AND entry.source_ref = charge.id::text
                AND entry.leg IN ('capture', 'top_up', 'overpayment')
            WHERE charge.status = 'CAPTURED' GROUP BY charge.id, line.late, top_up.status
            HAVING count(entry.id) <> 1 OR min(entry.leg) <> CASE
                WHEN line.late OR top_up.status <> 'SUCCESS' THEN 'overpayment'
                WHEN charge.top_up_id IS NOT NULL THEN 'top_up' ELSE 'capture' END
        """,
        exercised_sql="SELECT EXISTS (SELECT 1 FROM payments_charge WHERE status = 'CAPTURED')",
        covers=("I14", "P1"),
    ),
    Invariant(
        name="capture_entry_has_a_charge",
        says="No capture and no overpayment is in the books without a captured charge.",
        sql="""
            SELECT entry.id FROM ledger_journalentry AS entry
            LEFT JOIN payments_charge AS charge ON charge.merchant_id = entry.merchant_id
                AND charge.id::text = entry.source_ref AND charge.status = 'CAPTURED'
            WHERE entry.source = 'charge' AND entry.leg IN ('capture', 'overpayment') AND charge.id IS NULL
        """,
        exercised_sql="SELECT EXISTS (SELECT 1 FROM ledger_journalentry WHERE source = 'charge')",
        covers=("I15",),
    ),
    Invariant(
        name="capture_entry_amount",
        says="What the books say a provider owes for a charge is what the charge captured.",
        sql="""
            SELECT charge.id, charge.captured_minor, sum(line.amount_minor)
            FROM payments_charge AS charge
            JOIN ledger_journalentry AS entry ON entry.merchant_id = charge.merchant_id
                AND entry.source = 'charge' AND entry.source_ref = charge.id::text
                AND entry.leg IN ('capture', 'top_up', 'overpayment')
            JOIN ledger_journalline AS line ON line.entry_id = entry.id AND line.amount_minor > 0
            WHERE charge.status = 'CAPTURED'
            GROUP BY charge.id, charge.captured_minor HAVING sum(line.amount_minor) <> charge.captured_minor
        """,
        exercised_sql="SELECT EXISTS (SELECT 1 FROM payments_charge WHERE status = 'CAPTURED')",
        covers=("I16",),
    ),
    Invariant(
        name="order_captured_is_its_lines",
        says="An order's captured total is what its charges took of what they cover of it, and its balance.",
        # A charge of which a part was captured has one line; see partial_capture_has_one_order.
        sql="""
            SELECT o.id, o.captured_minor, coalesce(sum(least(line.amount_minor, charge.captured_minor)), 0)
            FROM payments_paymentorder AS o
            LEFT JOIN LATERAL (
                SELECT coalesce(sum(amount_minor), 0) AS minor FROM payments_balancepart
                WHERE order_id = o.id AND paid
            ) AS balance ON true
            LEFT JOIN (payments_chargeline AS line JOIN payments_charge AS charge
                ON charge.id = line.charge_id AND charge.status = 'CAPTURED' AND NOT line.superseded)
                ON line.order_id = o.id
            GROUP BY o.id, balance.minor
            HAVING o.captured_minor
                <> coalesce(sum(least(line.amount_minor, charge.captured_minor)), 0) + balance.minor
        """,
        exercised_sql="SELECT EXISTS (SELECT 1 FROM payments_paymentorder WHERE captured_minor > 0)",
        covers=("I11",),
    ),
    Invariant(
        name="order_share_is_its_amount",
        says="Seller net, commission and tax of an order add up to what was captured.",
        sql="""
            SELECT o.id FROM payments_paymentorder AS o
            LEFT JOIN payments_ordershare AS share ON share.order_id = o.id
            WHERE o.captured_minor <> coalesce(
                share.seller_net_minor + share.commission_minor + share.tax_minor, 0)
        """,
        exercised_sql="SELECT EXISTS (SELECT 1 FROM payments_ordershare)",
        covers=("I11",),
    ),
    Invariant(
        name="success_is_booked",
        says="An order is SUCCESS exactly when its money is captured, and then it is in wallet and ledger.",
        sql="""
            SELECT id, status FROM payments_paymentorder
            WHERE (status = 'SUCCESS') <> (captured_minor > 0)
                OR (captured_minor > 0) <> wallet_updated OR (captured_minor > 0) <> ledger_updated
        """,
        exercised_sql="SELECT EXISTS (SELECT 1 FROM payments_paymentorder WHERE status = 'SUCCESS')",
        covers=("I14",),
    ),
    Invariant(
        name="payment_done_flag",
        says="A checkout is done exactly when every order is SUCCESS and it was not compensated.",
        sql="""
            SELECT checkout.id FROM payments_paymentevent AS checkout
            JOIN payments_paymentorder AS o ON o.checkout_id = checkout.id
            GROUP BY checkout.id
            HAVING checkout.is_payment_done
                <> (bool_and(o.status = 'SUCCESS') AND checkout.compensated_at IS NULL)
        """,
        exercised_sql="SELECT EXISTS (SELECT 1 FROM payments_paymentevent WHERE is_payment_done)",
    ),
    Invariant(
        name="pay_in_state_is_last_history",
        says="The state of every order, charge, operation and refund is the last line of its history.",
        sql=" UNION ALL ".join(_HISTORY.format(table=table) for table in _STATEFUL),
        exercised_sql="SELECT EXISTS (SELECT 1 FROM payments_paymentorder)",
        covers=("I24",),
    ),
    Invariant(
        name="history_is_a_chain",
        says="Each line of a history begins where the one before it ended.",
        sql="""
            SELECT id, from_state, before FROM (
                SELECT id, from_state,
                    coalesce(lag(to_state) OVER (PARTITION BY subject_id ORDER BY id), '') AS before
                FROM core_statuschange WHERE subject_type LIKE 'payments.%'
            ) AS chain WHERE from_state <> before
        """,
        exercised_sql="SELECT EXISTS (SELECT 1 FROM core_statuschange WHERE subject_type LIKE 'payments.%')",
        covers=("I23",),
    ),
    Invariant(
        name="order_changes_are_told",
        says="Every order has as many events as it counted, and a final one has told its end.",
        sql="""
            SELECT o.id, o.event_sequence, count(event.id) FROM payments_paymentorder AS o
            LEFT JOIN core_outboxevent AS event
                ON event.payload #>> '{object,payment_order_id}' = o.payment_order_id
                AND event.merchant_id = o.merchant_id AND event.subject LIKE 'pay\\_%'
            GROUP BY o.id HAVING count(event.id) <> o.event_sequence
                OR max(event.payload #>> '{object,payment_order_status}')
                    FILTER (WHERE event.sequence = o.event_sequence) <> o.status
        """,
        exercised_sql="SELECT EXISTS (SELECT 1 FROM payments_paymentorder)",
        covers=("I22",),
    ),
    Invariant(
        name="no_forgotten_operation",
        says="An operation that has no outcome has a time at which it is looked at, or a dead letter.",
        sql="""
            SELECT operation.id, operation.status FROM payments_pspoperation AS operation
            WHERE operation.due_at IS NULL
                AND operation.status IN ('CREATED', 'SENT', 'NOT_SENT', 'PENDING', 'UNKNOWN')
                AND NOT EXISTS (
                    SELECT 1 FROM core_deadletter AS letter
                    WHERE letter.queue = 'operations' AND letter.status = 'OPEN'
                        AND letter.detail ->> 'operation_id' = operation.id::text)
        """,
        exercised_sql="SELECT EXISTS (SELECT 1 FROM payments_pspoperation)",
        covers=("I25",),
    ),
    Invariant(
        name="finished_operation_is_not_due",
        says="Nothing is due for an operation that has its outcome.",
        sql="""
            SELECT id, status, due_at FROM payments_pspoperation
            WHERE due_at IS NOT NULL AND status IN ('SUCCEEDED', 'DECLINED', 'CANCELED', 'CONFLICTED')
        """,
        exercised_sql="SELECT EXISTS (SELECT 1 FROM payments_pspoperation WHERE due_at IS NULL)",
    ),
    Invariant(
        name="open_charge_has_work",
        says="A charge without an outcome has an operation that will bring one, or people look at it.",
        sql="""
            SELECT charge.id, charge.status FROM payments_charge AS charge
            WHERE charge.status IN ('CREATED', 'REGISTERED', 'SUBMITTED', 'REQUIRES_ACTION', 'PENDING',
                    'UNKNOWN')
                AND NOT EXISTS (
                    SELECT 1 FROM payments_pspoperation AS operation
                    JOIN payments_charge AS sibling ON sibling.id = operation.charge_id
                    WHERE (sibling.id = charge.id OR (sibling.checkout_id = charge.checkout_id
                            AND operation.kind IN ('customer', 'attach')))
                        AND operation.kind <> 'detach'
                        AND operation.status IN
                            ('CREATED', 'SENT', 'NOT_SENT', 'PENDING', 'UNKNOWN', 'CONFLICTED'))
        """,
        exercised_sql="SELECT EXISTS (SELECT 1 FROM payments_charge)",
        covers=("I25",),
    ),
    Invariant(
        name="open_page_is_known",
        says="Where the buyer is asked to act, it is stored where, and what the provider calls it.",
        sql="""
            SELECT id, payment_method FROM payments_charge
            WHERE status = 'REQUIRES_ACTION' AND (redirect_url = ''
                OR CASE payment_method WHEN 'hosted_page' THEN session_reference
                    ELSE psp_reference END IS NULL)
        """,
        exercised_sql="SELECT EXISTS (SELECT 1 FROM payments_charge WHERE redirect_url <> '')",
    ),
    Invariant(
        name="page_has_a_reference",
        says="A page of the provider that was ever open is known by its reference, and so is what it took.",
        sql="""
            SELECT charge.id, charge.status FROM payments_charge AS charge
            WHERE charge.payment_method = 'hosted_page' AND (
                (charge.status = 'CAPTURED' AND charge.psp_reference IS NULL)
                OR (charge.session_reference IS NULL AND EXISTS (
                    SELECT 1 FROM core_statuschange AS change
                    WHERE change.subject_id = charge.id
                        AND change.to_state IN ('REQUIRES_ACTION', 'CAPTURED'))))
        """,
        exercised_sql="SELECT EXISTS (SELECT 1 FROM payments_charge WHERE session_reference IS NOT NULL)",
    ),
    Invariant(
        name="unknown_is_bounded",
        says="No payment has been without an outcome for a day after it was sent.",
        sql="""
            SELECT id, status, first_sent_at FROM payments_pspoperation
            WHERE status IN ('SENT', 'UNKNOWN') AND kind <> 'detach'
                AND first_sent_at < now() - interval '24 hours'
        """,
        exercised_sql="SELECT EXISTS (SELECT 1 FROM payments_pspoperation WHERE first_sent_at IS NOT NULL)",
        covers=("I25",),
    ),
    Invariant(
        name="line_follows_its_charge",
        says="A charge line is live exactly while its charge can cover its order.",
        sql="""
            SELECT line.id FROM payments_chargeline AS line
            JOIN payments_charge AS charge ON charge.id = line.charge_id
            WHERE line.live IS DISTINCT FROM
                (charge.status NOT IN ('DECLINED', 'CANCELED', 'EXPIRED') AND NOT line.superseded)
        """,
        exercised_sql="SELECT EXISTS (SELECT 1 FROM payments_chargeline)",
    ),
    Invariant(
        name="charge_is_its_lines",
        says="The lines of a charge add up to its amount; one that tops up a wallet has none.",
        sql="""
            SELECT charge.id FROM payments_charge AS charge
            LEFT JOIN payments_chargeline AS line ON line.charge_id = charge.id
            WHERE charge.checkout_id IS NOT NULL
            GROUP BY charge.id HAVING charge.amount_minor <> coalesce(sum(line.amount_minor), 0)
            UNION ALL
            SELECT charge.id FROM payments_charge AS charge
            JOIN payments_chargeline AS line ON line.charge_id = charge.id
            WHERE charge.top_up_id IS NOT NULL
        """,
        exercised_sql="SELECT EXISTS (SELECT 1 FROM payments_charge)",
    ),
    *authorized_audits.INVARIANTS,
    *late_audits.INVARIANTS,
    *method_audits.INVARIANTS,
]
