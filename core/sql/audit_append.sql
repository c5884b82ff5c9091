-- The audit trail is written only through this function. It takes the transaction id before the number,
-- so that every holder of a number below a fence has a smaller transaction id (see ledger/sql/fence.sql).
CREATE SEQUENCE core_auditrecord_seq AS bigint;

CREATE FUNCTION core_audit_append(
    p_merchant uuid, p_actor text, p_action text, p_subject text, p_reason text, p_detail jsonb,
    p_request_id text, p_at timestamptz
) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    number bigint;
BEGIN
    PERFORM pg_current_xact_id();
    number := nextval('core_auditrecord_seq');
    INSERT INTO core_auditrecord
        (seq, merchant_id, actor, action, subject, reason, detail, request_id, recorded_at)
    VALUES (number, p_merchant, p_actor, p_action, p_subject, p_reason, p_detail, p_request_id, p_at);
    RETURN number;
END $$;

REVOKE ALL ON FUNCTION core_audit_append(uuid, text, text, text, text, jsonb, text, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION core_audit_append(uuid, text, text, text, text, jsonb, text, timestamptz)
    TO quittance_app;
REVOKE ALL ON SEQUENCE core_auditrecord_seq FROM quittance_app;
-- Reading it lets the audit watch the head-room.
GRANT SELECT ON SEQUENCE core_auditrecord_seq TO quittance_app;
