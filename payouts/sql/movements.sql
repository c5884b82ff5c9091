-- What left for sellers and what came back, one row for each sending, signed as a statement signs it.
-- The read contract for set-based work of higher apps.
--
-- rail: balance, out of a provider's balance, whose lines have `reference`; bank, whose lines have end_to_end
-- or, booked together, batch_reference. clearing_key: of payouts_in_transit and of psp_clearing the payout, of
-- payout_returns the reference of the sending. state: as in payments_movement.
CREATE VIEW payouts_movement AS
SELECT sending.merchant_id, batch.channel_id,
    CASE channel.provider WHEN 'stripe' THEN 'balance' ELSE 'bank' END::text AS rail, 'transfer'::text AS kind,
    'sending'::text AS subject_kind, sending.id AS subject_id, 0::smallint AS nth, sending.payout_id,
    sending.provider_reference::text AS reference, sending.reference::text AS end_to_end,
    batch.reference::text AS batch_reference, sending.payout_id::text AS clearing_key,
    payout.amount_currency::text AS currency, -payout.amount_minor AS amount_minor,
    CASE WHEN sending.status IN ('ACCEPTED', 'PAID', 'RETURNED') THEN 'final'
        WHEN sending.status IN ('SENT', 'UNKNOWN') THEN 'unknown' ELSE 'none' END::text AS state,
    coalesce(sending.sent_at, sending.created_at) AS happened_at
FROM payouts_payoutattempt AS sending
JOIN payouts_payout AS payout ON payout.id = sending.payout_id
JOIN payouts_payoutbatch AS batch ON batch.id = sending.batch_id
JOIN channels_channel AS channel ON channel.id = batch.channel_id
UNION ALL
SELECT sending.merchant_id, batch.channel_id,
    CASE channel.provider WHEN 'stripe' THEN 'balance' ELSE 'bank' END::text, 'transfer_reversal'::text,
    'sending_return'::text, sending.id, 0::smallint, sending.payout_id,
    sending.provider_reference::text, sending.reference::text, batch.reference::text, sending.reference::text,
    payout.amount_currency::text, payout.amount_minor, 'final'::text, coalesce(payout.returned_at, sending.updated_at)
FROM payouts_payoutattempt AS sending
JOIN payouts_payout AS payout ON payout.id = sending.payout_id
JOIN payouts_payoutbatch AS batch ON batch.id = sending.batch_id
JOIN channels_channel AS channel ON channel.id = batch.channel_id
WHERE sending.status = 'RETURNED';
