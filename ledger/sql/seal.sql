-- Seals: blocks of entries below the fence. The hash of a block covers every byte of its entries, their lines
-- and the accounts these are on, and the hash of the block before; docs/reference/seal.md writes the bytes out.
--
-- Numbers, dates, times and ids end with a semicolon, texts have their length in octets in front, and nothing
-- is a tilde: no two contents give the same bytes. The functions that hash only read, so that the audit
-- computes what the sealer computed; the stand-alone verifier is the second opinion.
CREATE FUNCTION ledger_seal_root(p_after bigint, p_last bigint)
RETURNS TABLE (first_entry bigint, entry_count bigint, line_count bigint, root bytea)
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, public, pg_temp AS $$
    WITH line AS MATERIALIZED (
        SELECT id / 1024 AS header, count(*) AS lines, string_agg(
            id || ';' || entry_id || ';' || line_no || ';' || merchant_id || ';' || account_id || ';'
            || amount_minor || ';' || octet_length(currency) || ':' || currency
            || CASE WHEN clearing_key IS NULL THEN '~'
                ELSE octet_length(clearing_key) || ':' || clearing_key END, '' ORDER BY id) AS bytes
        FROM ledger_journalline WHERE id >= (p_after + 1) * 1024 AND id <= p_last * 1024 + 1023
        GROUP BY id / 1024
    ), entry AS (
        SELECT id,
            'entry 1;' || id || ';' || merchant_id || ';'
            || octet_length(kind) || ':' || kind || octet_length(source) || ':' || source
            || octet_length(source_ref) || ':' || source_ref || octet_length(leg) || ':' || leg
            || to_char(effective_date, 'YYYY-MM-DD') || ';'
            || to_char(recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') || ';'
            || line_count || ';' || coalesce(corrects || ';', '~') || encode(digest, 'hex') || ';'
            || coalesce(group_id || ';', '~') || coalesce(group_size || ';', '~')
            || coalesce(to_char(original_date, 'YYYY-MM-DD') || ';', '~')
            || CASE WHEN facts IS NULL THEN '~' ELSE octet_length(facts::text) || ':' || facts END AS bytes
        FROM ledger_journalentry WHERE id > p_after AND id <= p_last
    ), leaf AS (
        SELECT entry.id, coalesce(line.lines, 0) AS lines,
            sha256(convert_to(entry.bytes || coalesce(line.bytes, ''), 'UTF8')) AS bytes
        FROM entry LEFT JOIN line ON line.header = entry.id
    ), account AS (
        SELECT id, sha256(convert_to(
            'account 1;' || id || ';' || merchant_id || ';' || octet_length(role) || ':' || role
            || coalesce(owner || ';', '~')
            || CASE WHEN provider IS NULL THEN '~' ELSE octet_length(provider) || ':' || provider END
            || octet_length(currency) || ':' || currency || guarded::int || ';' || clearing::int || ';',
            'UTF8')) AS bytes
        FROM ledger_account WHERE id IN (
            SELECT account_id FROM ledger_journalline
            WHERE id >= (p_after + 1) * 1024 AND id <= p_last * 1024 + 1023)
    )
    SELECT min(leaf.id), count(*), sum(leaf.lines)::bigint, sha256(
        string_agg(leaf.bytes, ''::bytea ORDER BY leaf.id)
        || coalesce((SELECT string_agg(account.bytes, ''::bytea ORDER BY account.id) FROM account), ''::bytea))
    FROM leaf
$$;
REVOKE ALL ON FUNCTION ledger_seal_root(bigint, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger_seal_root(bigint, bigint) TO quittance_app;

-- The hash of one block, from what its row says.
CREATE FUNCTION ledger_seal_hash(p_seal ledger_seal) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT sha256(convert_to(
        'ledger block 1;' || p_seal.number || ';' || p_seal.first_entry || ';' || p_seal.last_entry || ';'
        || p_seal.entry_count || ';' || p_seal.line_count || ';' || encode(p_seal.root, 'hex') || ';'
        || encode(p_seal.previous, 'hex') || ';'
        || to_char(p_seal.sealed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') || ';', 'UTF8'))
$$;
REVOKE ALL ON FUNCTION ledger_seal_hash(ledger_seal) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger_seal_hash(ledger_seal) TO quittance_app;

-- Seal the next block; returns how many entries are in it, 0 when nothing is left below the fence. One sealer
-- at a time: the second one waits, and then goes on where the first one stopped.
CREATE FUNCTION ledger_seal_step() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    before ledger_seal;
    sealed ledger_seal;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('ledger_seal', 0));
    SELECT * INTO before FROM ledger_seal ORDER BY number DESC LIMIT 1;
    -- A block has at most 5000 entries, and begins none after its 30 000th line, so that it takes a moment.
    SELECT max(id) INTO sealed.last_entry FROM (
        SELECT id, sum(line_count) OVER (ORDER BY id) - line_count AS lines_before FROM (
            SELECT id, line_count FROM ledger_journalentry
            WHERE id > coalesce(before.last_entry, 0) AND id <= (SELECT safe_entry FROM ledger_fence)
            ORDER BY id LIMIT 5000
        ) AS portion
    ) AS counted WHERE lines_before < 30000;
    IF sealed.last_entry IS NULL THEN
        RETURN 0;
    END IF;
    SELECT * INTO sealed.first_entry, sealed.entry_count, sealed.line_count, sealed.root
        FROM ledger_seal_root(coalesce(before.last_entry, 0), sealed.last_entry);
    sealed.number := coalesce(before.number, 0) + 1;
    sealed.previous := coalesce(before.hash, decode(repeat('00', 32), 'hex'));
    -- Never before the block before, whatever happens to the server's clock.
    sealed.sealed_at := greatest(clock_timestamp(), before.sealed_at);
    sealed.hash := ledger_seal_hash(sealed);
    INSERT INTO ledger_seal (number, first_entry, last_entry, entry_count, line_count, root, previous, hash, sealed_at)
        VALUES (sealed.number, sealed.first_entry, sealed.last_entry, sealed.entry_count, sealed.line_count,
            sealed.root, sealed.previous, sealed.hash, sealed.sealed_at);
    RETURN sealed.entry_count;
END $$;
REVOKE ALL ON FUNCTION ledger_seal_step() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger_seal_step() TO quittance_app;
