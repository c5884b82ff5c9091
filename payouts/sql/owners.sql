-- Who is paid, from which wallet and where to belong to one merchant; where to is the seller's own account, in
-- the payout's currency.
ALTER TABLE payouts_payout ADD CONSTRAINT payouts_payout_destination_fk
    FOREIGN KEY (merchant_id, seller_id, amount_currency, destination_id)
    REFERENCES payouts_destination (merchant_id, seller_id, currency, id);
ALTER TABLE payouts_payout ADD CONSTRAINT payouts_payout_wallet_fk
    FOREIGN KEY (merchant_id, wallet_id) REFERENCES wallet_wallet (merchant_id, id);
ALTER TABLE payouts_payoutattempt ADD CONSTRAINT payouts_attempt_payout_fk
    FOREIGN KEY (merchant_id, payout_id) REFERENCES payouts_payout (merchant_id, id);
ALTER TABLE payouts_payoutattempt ADD CONSTRAINT payouts_attempt_batch_fk
    FOREIGN KEY (merchant_id, batch_id) REFERENCES payouts_payoutbatch (merchant_id, id);
-- A destination is what it was when somebody found it to be the seller's: another account is another row.
-- Its details change only in how they are encrypted.
CREATE TRIGGER payouts_destination_fixed BEFORE UPDATE ON payouts_destination
    FOR EACH ROW EXECUTE FUNCTION core_refuse_rewrite(
        'details', 'is_default', 'status', 'verified_by', 'verified_at', 'removed_at', 'updated_at', 'event_sequence');
-- What is paid, from where and for whom stays; its course changes, and so may where to, before the yes.
CREATE TRIGGER payouts_payout_fixed BEFORE UPDATE ON payouts_payout
    FOR EACH ROW EXECUTE FUNCTION core_refuse_rewrite(
        'destination_id', 'channel_id', 'status', 'execute_on', 'approved_by', 'auto_approved_by_policy',
        'instruction_digest', 'why_held', 'attempts', 'failure', 'provider_reference', 'arrival_date', 'sent_at',
        'paid_at', 'returned_at', 'return_fee_minor', 'updated_at', 'event_sequence');
