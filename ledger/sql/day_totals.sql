-- Day totals per account and effective date, kept behind the fence as the checkpoints are: an item with an
-- old date touches one row, not a tail of running balances. `first_entry` and `last_entry` bound where the
-- lines of the day stand, so that a statement finds them without an index on dates.
CREATE FUNCTION ledger_advance_day_totals() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    safe bigint;
    low bigint;
    high bigint;
    advanced bigint;
BEGIN
    -- A portion at a time, as the checkpoints: 0 says that nothing is left.
    SELECT safe_entry, day_entry INTO safe, low FROM ledger_fence FOR UPDATE;
    SELECT max(id) INTO high FROM (
        SELECT id FROM ledger_journalentry WHERE id > low AND id <= safe ORDER BY id LIMIT 10000
    ) AS portion;
    IF high IS NULL THEN
        RETURN 0;
    END IF;
    INSERT INTO ledger_daytotal AS day (account_id, effective_date, merchant_id, debit_minor, credit_minor,
            lines, first_entry, last_entry)
        SELECT line.account_id, entry.effective_date, line.merchant_id,
            coalesce(sum(line.amount_minor) FILTER (WHERE line.amount_minor > 0), 0),
            coalesce(-sum(line.amount_minor) FILTER (WHERE line.amount_minor < 0), 0),
            count(*), min(entry.id), max(entry.id)
        FROM ledger_journalline AS line JOIN ledger_journalentry AS entry ON entry.id = line.entry_id
        WHERE line.id >= (low + 1) * 1024 AND line.id < (high + 1) * 1024
            AND entry.id > low AND entry.id <= high
        GROUP BY line.account_id, entry.effective_date, line.merchant_id
        ON CONFLICT (account_id, effective_date) DO UPDATE SET
            debit_minor = day.debit_minor + excluded.debit_minor,
            credit_minor = day.credit_minor + excluded.credit_minor,
            lines = day.lines + excluded.lines,
            first_entry = least(day.first_entry, excluded.first_entry),
            last_entry = greatest(day.last_entry, excluded.last_entry);
    GET DIAGNOSTICS advanced = ROW_COUNT;
    UPDATE ledger_fence SET day_entry = high;
    RETURN advanced;
END $$;
REVOKE ALL ON FUNCTION ledger_advance_day_totals() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger_advance_day_totals() TO quittance_app;
