-- A saved method stays what it is: whose, where, and what it charges. It is used, and it is deleted once.
-- Re-encryption under a newer key writes the token again; the digest says that it is the same one.
CREATE FUNCTION payments_guard_method() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF OLD.deleted_at IS NOT NULL AND NEW.deleted_at IS DISTINCT FROM OLD.deleted_at THEN
        RAISE EXCEPTION 'saved method %: what was deleted does not come back', OLD.id
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER payments_method_deleted_once BEFORE UPDATE ON payments_paymentmethodtoken
    FOR EACH ROW EXECUTE FUNCTION payments_guard_method();
CREATE TRIGGER payments_method_fixed BEFORE UPDATE ON payments_paymentmethodtoken
    FOR EACH ROW EXECUTE FUNCTION core_refuse_rewrite('psp_token', 'last_used_at', 'deleted_at');
CREATE TRIGGER payments_customer_fixed BEFORE UPDATE ON payments_pspcustomer
    FOR EACH ROW EXECUTE FUNCTION core_refuse_rewrite('reference');
