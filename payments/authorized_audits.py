"""What must always be true of money that was reserved first and taken or given back later: no rows."""

from core.audits import Invariant

__all__ = ["INVARIANTS"]

_ANY = "SELECT EXISTS (SELECT 1 FROM payments_charge WHERE authorized_minor > 0)"
_ANY_CAPTURE = "SELECT EXISTS (SELECT 1 FROM payments_pspoperation WHERE kind = 'capture')"
# Charges that were captured after they had been authorised.
_LATER = """
    SELECT charge.id, charge.captured_minor FROM payments_charge AS charge
    WHERE charge.status = 'CAPTURED' AND EXISTS (
        SELECT 1 FROM core_statuschange AS change WHERE change.subject_id = charge.id
            AND change.from_state = 'AUTHORIZED' AND change.to_state = 'CAPTURED')
"""

INVARIANTS = [
    Invariant(
        name="authorized_is_taken_or_given_back",
        says="What was authorised is captured or given back to the cent when a charge has ended.",
        sql="""
            SELECT id, status, authorized_minor, captured_minor, voided_minor FROM payments_charge
            WHERE CASE WHEN status IN ('CAPTURED', 'DECLINED', 'CANCELED', 'EXPIRED')
                THEN authorized_minor <> captured_minor + voided_minor
                ELSE captured_minor <> 0 OR voided_minor <> 0 END
        """,
        exercised_sql=_ANY,
        covers=("I11",),
    ),
    Invariant(
        name="authorized_order_is_its_charge",
        says="An order is AUTHORIZED exactly while a charge has reserved its whole amount, or people decide.",
        sql="""
            SELECT o.id, o.status, charge.status FROM payments_paymentorder AS o
            LEFT JOIN (payments_chargeline AS line JOIN payments_charge AS charge
                ON charge.id = line.charge_id AND line.live) ON line.order_id = o.id
            WHERE (o.status = 'AUTHORIZED' AND (charge.status IS NULL
                    OR charge.status NOT IN ('AUTHORIZED', 'CONFLICTED')
                    OR o.authorized_minor <> o.amount_minor
                    OR charge.authorized_minor <> charge.amount_minor))
                OR (charge.status = 'AUTHORIZED' AND o.status <> 'AUTHORIZED')
        """,
        exercised_sql="SELECT EXISTS (SELECT 1 FROM payments_paymentorder WHERE status = 'AUTHORIZED')",
        covers=("I11",),
    ),
    Invariant(
        name="capture_is_its_operation",
        says="What was captured after an authorisation is what one capture took, and nothing else was taken.",
        sql=f"""
            SELECT later.id, later.captured_minor, count(o.id), sum(o.amount_minor) FROM ({_LATER}) AS later
            LEFT JOIN payments_pspoperation AS o ON o.charge_id = later.id
                AND o.kind = 'capture' AND o.status = 'SUCCEEDED'
            GROUP BY later.id, later.captured_minor
            HAVING count(o.id) <> 1 OR sum(o.amount_minor) <> later.captured_minor
            UNION ALL
            SELECT charge.id, charge.captured_minor, 1, o.amount_minor FROM payments_pspoperation AS o
            JOIN payments_charge AS charge ON charge.id = o.charge_id
            WHERE o.kind = 'capture' AND o.status = 'SUCCEEDED' AND charge.captured_minor <> o.amount_minor
        """,  # noqa: S608 - built from constants
        exercised_sql=_ANY_CAPTURE,
        covers=("I11",),
    ),
    Invariant(
        name="capture_or_void",
        says="Authorised money is being taken, or given back, or neither; never both.",
        sql="""
            SELECT charge_id FROM payments_pspoperation
            WHERE kind IN ('capture', 'void') AND status NOT IN ('DECLINED', 'CANCELED')
            GROUP BY charge_id HAVING count(*) > 1
        """,
        exercised_sql=_ANY_CAPTURE,
        covers=("I11",),
    ),
    Invariant(
        name="partial_capture_has_one_order",
        says="Only of a charge with one order a part is captured: of several nobody could say whose it is.",
        sql="""
            SELECT charge.id FROM payments_charge AS charge
            JOIN payments_chargeline AS line ON line.charge_id = charge.id
            WHERE charge.captured_minor BETWEEN 1 AND charge.amount_minor - 1
            GROUP BY charge.id HAVING count(*) > 1
        """,
        exercised_sql="SELECT EXISTS (SELECT 1 FROM payments_charge WHERE voided_minor > 0)",
        covers=("I11",),
    ),
    Invariant(
        name="authorization_ends",
        says="No money stays reserved for a day after it could no longer be taken.",
        sql="""
            SELECT id, capture_before FROM payments_charge
            WHERE status = 'AUTHORIZED' AND capture_before < now() - interval '24 hours'
                AND NOT EXISTS (SELECT 1 FROM core_case
                    WHERE core_case.detail ->> 'charge_id' = payments_charge.id::text
                    AND core_case.kind IN ('void_refused', 'authorization_stuck'))
        """,
        exercised_sql=_ANY,
        covers=("I25",),
    ),
]
