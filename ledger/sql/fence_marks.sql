-- What the books knew at a time is a place of the fence: everything up to an entry below which nothing can
-- appear any more. The time that stands on an entry cannot say it, because it is taken before the commit.
-- Each move of the fence leaves a mark with its time and the number of entries since the last mark.
CREATE OR REPLACE FUNCTION ledger_fence_step() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    highest bigint;
    safe bigint;
    seen timestamptz;
    marked bigint;
BEGIN
    IF pg_current_xact_id_if_assigned() IS NOT NULL THEN
        RAISE EXCEPTION 'the fence moves only in a transaction of its own' USING ERRCODE = 'QL003';
    END IF;
    -- Read before our own transaction id exists: every holder of an id up to this one has a smaller xid.
    SELECT CASE WHEN is_called THEN last_value ELSE 0 END INTO highest FROM ledger_journalentry_seq;
    PERFORM pg_current_xact_id();
    -- Times only grow, whatever the clock does; and the row is locked, so that steps follow one another.
    UPDATE ledger_fence SET seen_at = greatest(clock_timestamp(), seen_at + interval '1 microsecond')
        RETURNING seen_at INTO seen;
    -- Only a restored database can hold a transaction id from the future: begin the round again.
    UPDATE ledger_fence SET next_entry = NULL, next_xid = NULL WHERE next_xid > pg_current_xact_id();
    -- A step that waited above may bring an old place; the fence never goes back.
    UPDATE ledger_fence SET safe_entry = greatest(safe_entry, next_entry), next_entry = NULL, next_xid = NULL
        WHERE next_xid < pg_snapshot_xmin(pg_current_snapshot());
    UPDATE ledger_fence SET next_entry = highest, next_xid = pg_current_xact_id() WHERE next_xid IS NULL;
    SELECT safe_entry INTO safe FROM ledger_fence;
    SELECT coalesce(max(entry_id), 0) INTO marked FROM ledger_fencemark;
    IF safe > marked THEN
        INSERT INTO ledger_fencemark (entry_id, marked_at, entries)
            SELECT safe, seen, count(*) FROM ledger_journalentry WHERE id > marked AND id <= safe;
    END IF;
    RETURN safe;
END $$;
-- What was known before is known from now on. The place 0 is there so that an empty book has a mark too.
INSERT INTO ledger_fencemark (entry_id, marked_at, entries)
    SELECT safe_entry, clock_timestamp(), (SELECT count(*) FROM ledger_journalentry WHERE id <= safe_entry)
    FROM ledger_fence;
