-- Closed periods. They follow one another without a gap, the first from the earliest day of the books; so a
-- day is closed when the last closed day is not before it.
CREATE FUNCTION ledger_check_period() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    closed date;
BEGIN
    SELECT max(last_day) INTO closed FROM ledger_closedperiod WHERE merchant_id = NEW.merchant_id;
    IF NEW.first_day <> closed + 1 THEN
        RAISE EXCEPTION 'a period begins on the day after the last closed one' USING ERRCODE = 'QL009';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER ledger_closedperiod_follows BEFORE INSERT ON ledger_closedperiod
    FOR EACH ROW EXECUTE FUNCTION ledger_check_period();

CREATE OR REPLACE FUNCTION ledger_check_entries() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    wrong bigint;
    closed record;
BEGIN
    SELECT entry.id INTO wrong FROM new_entries AS entry
        WHERE NOT EXISTS (SELECT 1 FROM ledger_journalline WHERE id = entry.id * 1024 + entry.line_count) LIMIT 1;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'entry % has no lines', wrong USING ERRCODE = 'check_violation';
    END IF;
    -- New rows only: what is in the books already may be posted again, and is not new.
    SELECT batch.merchant_id, batch.first INTO closed
        FROM (SELECT merchant_id, min(effective_date) AS first FROM new_entries GROUP BY merchant_id) AS batch
        WHERE EXISTS (SELECT 1 FROM ledger_closedperiod AS period
            WHERE period.merchant_id = batch.merchant_id AND period.last_day >= batch.first) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'the day % of merchant % is closed', closed.first, closed.merchant_id
            USING ERRCODE = 'QL005';
    END IF;
    RETURN NULL;
END $$;

-- Close all days of a merchant up to one, and freeze their totals. Whoever posts into one of the days holds
-- its lock until the commit: so a posting is in the totals, or comes after this and is refused. Only with a
-- second person's yes to exactly this. Returns the first day of the period.
CREATE FUNCTION ledger_close_period(
    p_id uuid, p_merchant uuid, p_through date, p_maker text, p_checker text, p_approval uuid, p_at timestamptz
) RETURNS date LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    closed date;
    first date;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'periods are closed in read committed transactions only' USING ERRCODE = 'QL006';
    END IF;
    IF NOT EXISTS (SELECT 1 FROM core_approval WHERE id = p_approval AND merchant_id = p_merchant
            AND action = 'period.close' AND status = 'APPROVED' AND maker = p_maker AND checker = p_checker
            AND instruction ->> 'through' = to_char(p_through, 'YYYY-MM-DD')) THEN
        RAISE EXCEPTION 'nobody approved that merchant % is closed up to %', p_merchant, p_through
            USING ERRCODE = 'QL010';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('closing:' || p_merchant, 0));
    SELECT max(last_day) INTO closed FROM ledger_closedperiod WHERE merchant_id = p_merchant;
    IF p_through <= closed THEN
        RAISE EXCEPTION 'the day % of merchant % is closed already', p_through, p_merchant USING ERRCODE = 'QL009';
    END IF;
    -- A few days by their own locks, so that postings into other days go on meanwhile; many days, and the
    -- first time all days that ever were, by the one lock of the merchant.
    IF closed IS NULL OR p_through - closed > 31 THEN
        PERFORM pg_advisory_xact_lock(hashtextextended('books:' || p_merchant, 0));
    ELSE
        PERFORM pg_advisory_xact_lock(
                hashtextextended('day:' || p_merchant || ':' || to_char(day, 'YYYY-MM-DD'), 0))
            FROM generate_series((closed + 1)::timestamp, p_through::timestamp, interval '1 day') AS day;
    END IF;
    -- From here on everything that was posted into these days is visible.
    INSERT INTO ledger_closedtotal (account_id, effective_date, merchant_id, debit_minor, credit_minor)
        SELECT account_id, effective_date, p_merchant, sum(debit), sum(credit) FROM (
            SELECT account_id, effective_date, debit_minor AS debit, credit_minor AS credit
            FROM ledger_daytotal WHERE merchant_id = p_merchant AND effective_date <= p_through
                AND (closed IS NULL OR effective_date > closed)
            UNION ALL
            SELECT line.account_id, entry.effective_date, greatest(line.amount_minor, 0), greatest(-line.amount_minor, 0)
            FROM ledger_journalentry AS entry JOIN ledger_journalline AS line ON line.entry_id = entry.id
                AND line.id > entry.id * 1024 AND line.id < (entry.id + 1) * 1024
            WHERE entry.id > (SELECT day_entry FROM ledger_fence) AND entry.merchant_id = p_merchant
                AND entry.effective_date <= p_through AND (closed IS NULL OR entry.effective_date > closed)
        ) AS item GROUP BY account_id, effective_date;
    first := coalesce(closed + 1, (SELECT least(min(effective_date), p_through) FROM ledger_closedtotal
        WHERE merchant_id = p_merchant));
    INSERT INTO ledger_closedperiod (id, merchant_id, first_day, last_day, maker, checker, approval_id, closed_at)
        VALUES (p_id, p_merchant, first, p_through, p_maker, p_checker, p_approval, p_at);
    RETURN first;
END $$;
REVOKE ALL ON FUNCTION ledger_close_period(uuid, uuid, date, text, text, uuid, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger_close_period(uuid, uuid, date, text, text, uuid, timestamptz) TO quittance_app;

-- The day on which an item of a date is to be posted: that day, or the first open one after it. The lock is
-- the one of postings, so the day stays open until the caller's transaction ends.
CREATE FUNCTION ledger_open_day(p_merchant uuid, p_date date) RETURNS date LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    day date := p_date;
    open date;
BEGIN
    LOOP
        PERFORM pg_advisory_xact_lock_shared(hashtextextended('books:' || p_merchant, 0)),
                pg_advisory_xact_lock_shared(
                    hashtextextended('day:' || p_merchant || ':' || to_char(day, 'YYYY-MM-DD'), 0));
        SELECT max(last_day) + 1 INTO open FROM ledger_closedperiod WHERE merchant_id = p_merchant;
        IF open IS NULL OR day >= open THEN
            RETURN day;
        END IF;
        day := open;
    END LOOP;
END $$;
REVOKE ALL ON FUNCTION ledger_open_day(uuid, date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger_open_day(uuid, date) TO quittance_app;
