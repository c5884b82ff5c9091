-- Entry ids are handed out before commit, so the highest id is no safe mark: a smaller one may commit later.
-- The fence moves in steps, each the first statement of its own transaction.
ALTER TABLE ledger_fence ADD COLUMN next_xid xid8;
INSERT INTO ledger_fence (id, safe_entry, folded_entry) VALUES (1, 0, 0);

CREATE FUNCTION ledger_fence_step() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    highest bigint;
    safe bigint;
BEGIN
    IF pg_current_xact_id_if_assigned() IS NOT NULL THEN
        RAISE EXCEPTION 'the fence moves only in a transaction of its own' USING ERRCODE = 'QL003';
    END IF;
    -- Read before our own transaction id exists: every holder of an id up to this one has a smaller xid.
    SELECT CASE WHEN is_called THEN last_value ELSE 0 END INTO highest FROM ledger_journalentry_seq;
    PERFORM pg_current_xact_id();
    -- Only a restored database can hold a transaction id from the future: begin the round again.
    UPDATE ledger_fence SET next_entry = NULL, next_xid = NULL WHERE next_xid > pg_current_xact_id();
    UPDATE ledger_fence SET safe_entry = next_entry, next_entry = NULL, next_xid = NULL
        WHERE next_xid < pg_snapshot_xmin(pg_current_snapshot());
    UPDATE ledger_fence SET next_entry = highest, next_xid = pg_current_xact_id() WHERE next_xid IS NULL;
    SELECT safe_entry INTO safe FROM ledger_fence;
    RETURN safe;
END $$;
REVOKE ALL ON FUNCTION ledger_fence_step() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger_fence_step() TO quittance_app;

-- Fold everything below the fence into the checkpoints. Runs in a later transaction than the step.
CREATE FUNCTION ledger_advance_checkpoints() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    safe bigint;
    low bigint;
    high bigint;
    advanced bigint;
BEGIN
    -- A portion at a time, because a long backlog in one statement would meet the time-out for ever: 0 says
    -- that nothing is left.
    SELECT safe_entry, folded_entry INTO safe, low FROM ledger_fence FOR UPDATE;
    SELECT max(id) INTO high FROM (
        SELECT id FROM ledger_journalentry WHERE id > low AND id <= safe ORDER BY id LIMIT 10000
    ) AS portion;
    IF high IS NULL THEN
        RETURN 0;
    END IF;
    INSERT INTO ledger_accountcheckpoint AS mark (account_id, entry_id, balance_minor)
        SELECT account_id, high, sum(amount_minor) FROM ledger_journalline
        WHERE id >= (low + 1) * 1024 AND id < (high + 1) * 1024 GROUP BY account_id
        ON CONFLICT (account_id) DO UPDATE
            SET balance_minor = mark.balance_minor + excluded.balance_minor, entry_id = excluded.entry_id;
    GET DIAGNOSTICS advanced = ROW_COUNT;
    UPDATE ledger_fence SET folded_entry = high;
    RETURN advanced;
END $$;
REVOKE ALL ON FUNCTION ledger_advance_checkpoints() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger_advance_checkpoints() TO quittance_app;
