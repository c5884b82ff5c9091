-- A signing key stays the key of its API key, within one merchant; only its life may be shortened or noted.
CREATE TRIGGER merchants_signingkey_fixed BEFORE UPDATE ON merchants_signingkey
    FOR EACH ROW EXECUTE FUNCTION core_refuse_rewrite('expires_at', 'revoked_at', 'last_used_at');
CREATE TRIGGER merchants_signingkey_keep_revoked BEFORE UPDATE OF revoked_at ON merchants_signingkey
    FOR EACH ROW EXECUTE FUNCTION merchants_keep_revoked();
ALTER TABLE merchants_apikey ADD CONSTRAINT merchants_apikey_merchant_id UNIQUE (merchant_id, id);
ALTER TABLE merchants_signingkey ADD CONSTRAINT merchants_signingkey_merchant_key
    FOREIGN KEY (merchant_id, api_key_id) REFERENCES merchants_apikey (merchant_id, id);
