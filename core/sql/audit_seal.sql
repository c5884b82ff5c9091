-- The audit trail is sealed like the books (docs/reference/seal.md): a fence of its own, blocks of records
-- below it, each block with the hash of the one before.
ALTER TABLE core_auditfence ADD COLUMN next_xid xid8;
INSERT INTO core_auditfence (id, safe_seq) VALUES (1, 0);

-- One step of the fence; the first statement of its own transaction. core_audit_append takes its transaction
-- id before its number, so every holder of a number read here has a smaller transaction id than ours.
CREATE FUNCTION core_audit_fence_step() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    highest bigint;
    safe bigint;
BEGIN
    IF pg_current_xact_id_if_assigned() IS NOT NULL THEN
        RAISE EXCEPTION 'the fence moves only in a transaction of its own' USING ERRCODE = 'QL003';
    END IF;
    SELECT CASE WHEN is_called THEN last_value ELSE 0 END INTO highest FROM core_auditrecord_seq;
    PERFORM pg_current_xact_id();
    -- Only a restored database can hold a transaction id from the future: begin the round again.
    UPDATE core_auditfence SET next_seq = NULL, next_xid = NULL WHERE next_xid > pg_current_xact_id();
    -- A step that waited for another may bring an old place; the fence never goes back.
    UPDATE core_auditfence SET safe_seq = greatest(safe_seq, next_seq), next_seq = NULL, next_xid = NULL
        WHERE next_xid < pg_snapshot_xmin(pg_current_snapshot());
    UPDATE core_auditfence SET next_seq = highest, next_xid = pg_current_xact_id() WHERE next_xid IS NULL;
    SELECT safe_seq INTO safe FROM core_auditfence;
    RETURN safe;
END $$;
REVOKE ALL ON FUNCTION core_audit_fence_step() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION core_audit_fence_step() TO quittance_app;

CREATE FUNCTION core_audit_seal_root(p_after bigint, p_last bigint)
RETURNS TABLE (first_seq bigint, record_count bigint, root bytea)
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT min(seq), count(*), sha256(string_agg(sha256(convert_to(
        'audit record 1;' || seq || ';' || coalesce(merchant_id || ';', '~')
        || octet_length(actor) || ':' || actor || octet_length(action) || ':' || action
        || octet_length(subject) || ':' || subject || octet_length(reason) || ':' || reason
        || octet_length(detail::text) || ':' || detail || octet_length(request_id) || ':' || request_id
        || to_char(recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') || ';', 'UTF8')), ''::bytea
        ORDER BY seq))
    FROM core_auditrecord WHERE seq > p_after AND seq <= p_last
$$;
REVOKE ALL ON FUNCTION core_audit_seal_root(bigint, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION core_audit_seal_root(bigint, bigint) TO quittance_app;

CREATE FUNCTION core_audit_seal_hash(p_seal core_auditseal) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT sha256(convert_to(
        'audit block 1;' || p_seal.number || ';' || p_seal.first_seq || ';' || p_seal.last_seq || ';'
        || p_seal.record_count || ';' || encode(p_seal.root, 'hex') || ';' || encode(p_seal.previous, 'hex') || ';'
        || to_char(p_seal.sealed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') || ';', 'UTF8'))
$$;
REVOKE ALL ON FUNCTION core_audit_seal_hash(core_auditseal) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION core_audit_seal_hash(core_auditseal) TO quittance_app;

-- Seal the next block; returns how many records are in it, 0 when nothing is left below the fence.
CREATE FUNCTION core_audit_seal_step() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    before core_auditseal;
    sealed core_auditseal;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('core_auditseal', 0));
    SELECT * INTO before FROM core_auditseal ORDER BY number DESC LIMIT 1;
    SELECT max(seq) INTO sealed.last_seq FROM (
        SELECT seq FROM core_auditrecord
        WHERE seq > coalesce(before.last_seq, 0) AND seq <= (SELECT safe_seq FROM core_auditfence)
        ORDER BY seq LIMIT 5000
    ) AS portion;
    IF sealed.last_seq IS NULL THEN
        RETURN 0;
    END IF;
    SELECT * INTO sealed.first_seq, sealed.record_count, sealed.root
        FROM core_audit_seal_root(coalesce(before.last_seq, 0), sealed.last_seq);
    sealed.number := coalesce(before.number, 0) + 1;
    sealed.previous := coalesce(before.hash, decode(repeat('00', 32), 'hex'));
    -- Never before the block before, whatever happens to the server's clock.
    sealed.sealed_at := greatest(clock_timestamp(), before.sealed_at);
    sealed.hash := core_audit_seal_hash(sealed);
    INSERT INTO core_auditseal (number, first_seq, last_seq, record_count, root, previous, hash, sealed_at)
        VALUES (sealed.number, sealed.first_seq, sealed.last_seq, sealed.record_count, sealed.root,
            sealed.previous, sealed.hash, sealed.sealed_at);
    RETURN sealed.record_count;
END $$;
REVOKE ALL ON FUNCTION core_audit_seal_step() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION core_audit_seal_step() TO quittance_app;
