-- What is open of clearing accounts, by key, kept behind the fence as the checkpoints are. A key that comes to
-- zero leaves the table, so that it is as large as what is open, not as the books.
CREATE FUNCTION ledger_advance_open_keys() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    safe bigint;
    low bigint;
    high bigint;
BEGIN
    -- A portion at a time, as the checkpoints: 0 says that nothing is left.
    SELECT safe_entry, key_entry INTO safe, low FROM ledger_fence FOR UPDATE;
    SELECT max(id) INTO high FROM (
        SELECT id FROM ledger_journalentry WHERE id > low AND id <= safe ORDER BY id LIMIT 10000
    ) AS portion;
    IF high IS NULL THEN
        RETURN 0;
    END IF;
    INSERT INTO ledger_openkey AS known (account_id, clearing_key, balance_minor)
        SELECT account_id, clearing_key, sum(amount_minor) FROM ledger_journalline
        WHERE id >= (low + 1) * 1024 AND id < (high + 1) * 1024 AND clearing_key IS NOT NULL
        GROUP BY account_id, clearing_key HAVING sum(amount_minor) <> 0
        ON CONFLICT (account_id, clearing_key) DO UPDATE
            SET balance_minor = known.balance_minor + excluded.balance_minor;
    DELETE FROM ledger_openkey AS known USING (
        SELECT DISTINCT account_id, clearing_key FROM ledger_journalline
        WHERE id >= (low + 1) * 1024 AND id < (high + 1) * 1024 AND clearing_key IS NOT NULL
    ) AS moved WHERE known.account_id = moved.account_id AND known.clearing_key = moved.clearing_key
        AND known.balance_minor = 0;
    UPDATE ledger_fence SET key_entry = high;
    RETURN high - low;
END $$;
REVOKE ALL ON FUNCTION ledger_advance_open_keys() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger_advance_open_keys() TO quittance_app;
