-- What makes the books books. Every guard refuses; none computes.

ALTER TABLE ledger_account ADD CONSTRAINT ledger_account_guarded_by_role CHECK (guarded = (role IN (
    'seller_receivable', 'seller_pending', 'seller_available', 'seller_reserve', 'seller_dispute_hold',
    'seller_payout_hold', 'wallet_pending', 'wallet_available', 'wallet_held')));
ALTER TABLE ledger_account ADD CONSTRAINT ledger_account_clearing_by_role CHECK (clearing = (role IN (
    'psp_clearing')));

-- The currency of a line is that of its account; both line and account belong to the entry's merchant.
ALTER TABLE ledger_journalline ADD CONSTRAINT ledger_line_account_fk
    FOREIGN KEY (merchant_id, account_id, currency) REFERENCES ledger_account (merchant_id, id, currency);
ALTER TABLE ledger_journalline ADD CONSTRAINT ledger_line_entry_fk
    FOREIGN KEY (merchant_id, entry_id) REFERENCES ledger_journalentry (merchant_id, id);

ALTER TABLE ledger_journalentry ADD CONSTRAINT ledger_entry_corrects_fk
    FOREIGN KEY (merchant_id, corrects) REFERENCES ledger_journalentry (merchant_id, id);

-- Up to the highest entry whose line ids (entry * 1024 + line number) still fit, so that the audit of the
-- headroom of sequences sees the limit that counts. Nobody takes a number but through the doors.
CREATE SEQUENCE ledger_journalentry_seq AS bigint MAXVALUE 9007199254740991;
REVOKE ALL ON SEQUENCE ledger_journalentry_seq FROM quittance_app;
GRANT SELECT ON SEQUENCE ledger_journalentry_seq TO quittance_app;

-- All lines of an entry arrive in one statement: their sum is zero per currency, and they are exactly the
-- lines that the header announces, so that a second balanced pair can never join later.
CREATE FUNCTION ledger_check_lines() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    wrong bigint;
BEGIN
    SELECT entry_id INTO wrong FROM new_lines GROUP BY entry_id, currency
        HAVING sum(amount_minor) <> 0 OR count(*) < 2 LIMIT 1;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'entry % does not balance', wrong USING ERRCODE = 'check_violation';
    END IF;
    SELECT lines.entry_id INTO wrong
        FROM (SELECT entry_id, count(*) AS lines, max(line_no) AS highest FROM new_lines GROUP BY entry_id) AS lines
        JOIN ledger_journalentry AS entry ON entry.id = lines.entry_id
        WHERE lines.lines <> entry.line_count OR lines.highest <> entry.line_count LIMIT 1;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'entry % takes all its lines at once, and no others', wrong USING ERRCODE = 'check_violation';
    END IF;
    SELECT line.entry_id INTO wrong FROM new_lines AS line
        JOIN ledger_account AS account ON account.id = line.account_id
        WHERE account.clearing <> (line.clearing_key IS NOT NULL) LIMIT 1;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'entry %: a clearing key goes with a clearing account, and only there', wrong
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER ledger_journalline_balanced AFTER INSERT ON ledger_journalline
    REFERENCING NEW TABLE AS new_lines FOR EACH STATEMENT EXECUTE FUNCTION ledger_check_lines();

CREATE FUNCTION ledger_check_entries() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    wrong bigint;
BEGIN
    SELECT entry.id INTO wrong FROM new_entries AS entry
        WHERE NOT EXISTS (SELECT 1 FROM ledger_journalline WHERE id = entry.id * 1024 + entry.line_count) LIMIT 1;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'entry % has no lines', wrong USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER ledger_journalentry_whole AFTER INSERT ON ledger_journalentry
    REFERENCING NEW TABLE AS new_entries FOR EACH STATEMENT EXECUTE FUNCTION ledger_check_entries();
