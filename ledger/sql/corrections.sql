-- A correction takes back exactly what it corrects, once, and is itself never corrected. Compared line by
-- line: the same accounts, currencies and clearing keys, each amount turned round.
CREATE FUNCTION ledger_check_correction() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    original record;
BEGIN
    SELECT corrects, effective_date INTO original FROM ledger_journalentry
        WHERE merchant_id = NEW.merchant_id AND id = NEW.corrects;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'entry % corrects no entry of its merchant', NEW.id USING ERRCODE = 'QL007';
    END IF;
    IF original.corrects IS NOT NULL THEN
        RAISE EXCEPTION 'entry % is a correction and is not corrected', NEW.corrects USING ERRCODE = 'QL007';
    END IF;
    IF NEW.effective_date < original.effective_date THEN
        RAISE EXCEPTION 'entry % would be corrected before its own date', NEW.corrects USING ERRCODE = 'QL007';
    END IF;
    IF EXISTS (
        SELECT 1 FROM (SELECT * FROM ledger_journalline WHERE entry_id = NEW.id) AS mine
        FULL JOIN (SELECT * FROM ledger_journalline WHERE entry_id = NEW.corrects) AS theirs
            ON theirs.line_no = mine.line_no
        WHERE (mine.account_id, mine.currency, mine.clearing_key, mine.amount_minor)
            IS DISTINCT FROM (theirs.account_id, theirs.currency, theirs.clearing_key, -theirs.amount_minor)
    ) THEN
        RAISE EXCEPTION 'the lines of a correction are not the inverse of those of entry %', NEW.corrects
            USING ERRCODE = 'QL007';
    END IF;
    RETURN NULL;
END $$;
-- After the statement, so that the lines are there; only corrections pay for it.
CREATE TRIGGER ledger_journalentry_correction AFTER INSERT ON ledger_journalentry
    FOR EACH ROW WHEN (NEW.corrects IS NOT NULL) EXECUTE FUNCTION ledger_check_correction();

-- A group is posted whole, in one statement: it has as many entries as each of them announces. So none can
-- be left out, and none can join later. The lock lets two that begin the same group see each other.
CREATE FUNCTION ledger_check_group() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    members record;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('group:' || NEW.merchant_id || ':' || NEW.group_id, 0));
    SELECT count(*) AS entries, min(group_size) AS least, max(group_size) AS most INTO members
        FROM ledger_journalentry WHERE merchant_id = NEW.merchant_id AND group_id = NEW.group_id;
    IF members.entries <> members.least OR members.least <> members.most THEN
        RAISE EXCEPTION 'group % is posted whole or not at all', NEW.group_id USING ERRCODE = 'QL008';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER ledger_journalentry_group AFTER INSERT ON ledger_journalentry
    FOR EACH ROW WHEN (NEW.group_id IS NOT NULL) EXECUTE FUNCTION ledger_check_group();
