-- What a provider's balance must show of pay-in, one row for each movement, signed as the provider signs it.
-- The read contract for set-based work of higher apps: join it by (merchant_id, kind, reference).
--
-- kind: the line that tells of it (charge, refund, refund_failure, charge_failure, dispute, dispute_reversal).
-- (subject_kind, subject_id, nth): the movement's name for good. reference: the provider's, null where we know
-- none; of a charge that failed later it is the charge's. payment_reference: of the charge that it is of.
-- clearing_key: under which key of psp_clearing the books have it. our_key: whose public id the
-- provider was told as ours, the charge's or that of the operation that refunds.
-- state: final, the books have it and a line must come; unknown, a line may come and says what happened; none,
-- we know that nothing moved, so that a line contradicts us.
-- happened_at looks at the history of each row: select it for few.
-- Every column of every part has the same type as in the first: only then are conditions taken into the parts, and
-- columns that nobody asks for left out.
CREATE VIEW payments_movement AS
SELECT charge.merchant_id, charge.channel_id, 'charge'::text AS kind, 'charge'::text AS subject_kind,
    charge.id AS subject_id, 0::smallint AS nth, charge.psp_reference::text AS reference,
    charge.psp_reference::text AS payment_reference, charge.id AS our_key,
    charge.id::text AS clearing_key, charge.amount_currency::text AS currency,
    CASE WHEN charge.status = 'CAPTURED' THEN charge.captured_minor
        WHEN charge.status = 'AUTHORIZED' THEN coalesce((SELECT taken.amount_minor
            FROM payments_pspoperation AS taken WHERE taken.charge_id = charge.id AND taken.kind = 'capture'
                AND taken.status IN ('SENT', 'PENDING', 'UNKNOWN')), charge.amount_minor)
        ELSE charge.amount_minor END AS amount_minor,
    CASE WHEN charge.status = 'CAPTURED' THEN 'final'
        WHEN charge.status IN ('REGISTERED', 'SUBMITTED', 'REQUIRES_ACTION', 'PENDING', 'UNKNOWN') THEN 'unknown'
        WHEN charge.status = 'AUTHORIZED' AND EXISTS (
            SELECT FROM payments_pspoperation AS taken WHERE taken.charge_id = charge.id
                AND taken.kind = 'capture' AND taken.status IN ('SENT', 'PENDING', 'UNKNOWN')) THEN 'unknown'
        ELSE 'none' END::text AS state,
    charge.payment_method::text AS payment_method,
    coalesce((SELECT min(change.occurred_at) FROM core_statuschange AS change
        WHERE change.subject_id = charge.id AND change.to_state = 'CAPTURED'), charge.updated_at) AS happened_at
FROM payments_charge AS charge
UNION ALL
SELECT refund.merchant_id, charge.channel_id, 'refund'::text, 'refund'::text, refund.id, 0::smallint,
    refund.psp_reference::text, charge.psp_reference::text, asked.id, charge.id::text,
    refund.amount_currency::text, -refund.amount_minor,
    CASE WHEN refund.succeeded_at IS NOT NULL THEN 'final'
        WHEN refund.status IN ('EXECUTING', 'PENDING', 'UNKNOWN') THEN 'unknown' ELSE 'none' END::text,
    charge.payment_method::text, coalesce(refund.succeeded_at, refund.created_at)
FROM payments_refund AS refund JOIN payments_charge AS charge ON charge.id = refund.charge_id
LEFT JOIN payments_pspoperation AS asked ON asked.refund_id = refund.id
    AND asked.status NOT IN ('DECLINED', 'CANCELED')
WHERE refund.destination = 'instrument'
UNION ALL
-- A refund that had succeeded, and that the buyer's bank sent back.
SELECT refund.merchant_id, charge.channel_id, 'refund_failure'::text, 'refund_failure'::text, refund.id, 0::smallint,
    refund.psp_reference::text, charge.psp_reference::text, asked.id, charge.id::text,
    refund.amount_currency::text, refund.amount_minor, 'final'::text, charge.payment_method::text, refund.updated_at
FROM payments_refund AS refund JOIN payments_charge AS charge ON charge.id = refund.charge_id
LEFT JOIN payments_pspoperation AS asked ON asked.refund_id = refund.id
    AND asked.status NOT IN ('DECLINED', 'CANCELED')
WHERE refund.destination = 'instrument' AND refund.status = 'FAILED' AND refund.succeeded_at IS NOT NULL
UNION ALL
-- Money that came too late for any order, and goes back.
SELECT operation.merchant_id, operation.channel_id, 'refund'::text, 'late_refund'::text, operation.id, 0::smallint,
    operation.psp_reference::text, charge.psp_reference::text, operation.id, charge.id::text,
    operation.currency::text, -operation.amount_minor,
    CASE WHEN operation.status = 'SUCCEEDED' THEN 'final'
        WHEN operation.status IN ('SENT', 'PENDING', 'UNKNOWN') THEN 'unknown' ELSE 'none' END::text,
    charge.payment_method::text, operation.updated_at
FROM payments_pspoperation AS operation JOIN payments_charge AS charge ON charge.id = operation.charge_id
WHERE operation.kind = 'refund' AND operation.refund_id IS NULL
UNION ALL
-- A top-up that was refunded at the provider without us, or that its rail took back.
SELECT back.merchant_id, charge.channel_id,
    CASE back.kind WHEN 'refund' THEN 'refund' ELSE 'charge_failure' END::text, 'top_up_return'::text, back.id, 0::smallint,
    CASE back.kind WHEN 'refund' THEN back.psp_reference ELSE charge.psp_reference END::text, charge.psp_reference::text, back.id, charge.id::text,
    charge.amount_currency::text, -back.amount_minor, 'final'::text, charge.payment_method::text, back.recorded_at
FROM payments_topupreturn AS back JOIN payments_charge AS charge ON charge.id = back.charge_id
UNION ALL
-- A payment that its rail took back after its success.
SELECT reversal.merchant_id, charge.channel_id, 'charge_failure'::text, 'reversal'::text, charge.id, 0::smallint,
    charge.psp_reference::text, charge.psp_reference::text, NULL::uuid, charge.id::text,
    charge.amount_currency::text, -reversal.amount_minor, 'final'::text, charge.payment_method::text, reversal.recorded_at
FROM payments_chargereversal AS reversal JOIN payments_charge AS charge ON charge.id = reversal.charge_id
UNION ALL
-- With the fee: C1 and C3a book both against psp_clearing.
SELECT moved.merchant_id, moved.channel_id,
    CASE moved.kind WHEN 'withdrawn' THEN 'dispute' ELSE 'dispute_reversal' END::text, 'dispute'::text, moved.id, 0::smallint,
    dispute.psp_reference::text, charge.psp_reference::text, NULL::uuid, charge.id::text,
    dispute.amount_currency::text,
    CASE moved.kind WHEN 'withdrawn' THEN -1 ELSE 1 END * (moved.amount_minor + moved.fee_minor),
    'final'::text, charge.payment_method::text, moved.moved_at
FROM payments_disputemovement AS moved JOIN payments_dispute AS dispute ON dispute.id = moved.dispute_id
JOIN payments_charge AS charge ON charge.id = dispute.charge_id;
