-- What may never change once written, and the pairing of a key's mode with its merchant's.
CREATE TRIGGER merchants_merchant_fixed BEFORE UPDATE ON merchants_merchant
    FOR EACH ROW EXECUTE FUNCTION core_refuse_rewrite('name');
CREATE TRIGGER merchants_apikey_fixed BEFORE UPDATE ON merchants_apikey
    FOR EACH ROW EXECUTE FUNCTION core_refuse_rewrite('name', 'expires_at', 'revoked_at', 'last_used_at');
CREATE TRIGGER merchants_seller_fixed BEFORE UPDATE ON merchants_seller
    FOR EACH ROW EXECUTE FUNCTION core_refuse_rewrite(
        'name', 'country', 'kyc_status', 'settlement_delay_days', 'payout_schedule', 'reserve_bps',
        'reserve_days', 'event_sequence');

ALTER TABLE merchants_apikey ADD CONSTRAINT merchants_apikey_merchant_mode
    FOREIGN KEY (merchant_id, mode) REFERENCES merchants_merchant (id, mode);
ALTER TABLE merchants_seller ADD CONSTRAINT merchants_seller_merchant_id UNIQUE (merchant_id, id);
ALTER TABLE merchants_sellerterms ADD CONSTRAINT merchants_terms_merchant_seller
    FOREIGN KEY (merchant_id, seller_id) REFERENCES merchants_seller (merchant_id, id);

-- A revoked key stays revoked.
CREATE FUNCTION merchants_keep_revoked() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS DISTINCT FROM OLD.revoked_at THEN
        RAISE EXCEPTION 'a revoked key stays revoked' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER merchants_apikey_keep_revoked BEFORE UPDATE OF revoked_at ON merchants_apikey
    FOR EACH ROW EXECUTE FUNCTION merchants_keep_revoked();
