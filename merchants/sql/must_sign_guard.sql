-- At its commit, a key that must sign has a key to sign with. Neither changes or goes away afterwards.
CREATE FUNCTION merchants_check_can_sign() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM merchants_signingkey WHERE api_key_id = NEW.id) THEN
        RAISE EXCEPTION 'a key that must sign needs a signing key' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER merchants_apikey_can_sign AFTER INSERT ON merchants_apikey
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.must_sign) EXECUTE FUNCTION merchants_check_can_sign();
