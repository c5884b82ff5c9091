-- A run and its file, an adjustment and its break belong to one merchant.
ALTER TABLE reconciliation_reconciliationrun ADD CONSTRAINT reconciliation_run_file_fk
    FOREIGN KEY (merchant_id, file_id) REFERENCES reconciliation_settlementfile (merchant_id, id);
ALTER TABLE reconciliation_adjustment ADD CONSTRAINT reconciliation_adjustment_break_fk
    FOREIGN KEY (merchant_id, discrepancy_id) REFERENCES reconciliation_discrepancy (merchant_id, id);
-- What was matched stays on record; it may stop to hold, once.
CREATE TRIGGER reconciliation_match_fixed BEFORE UPDATE ON reconciliation_match
    FOR EACH ROW EXECUTE FUNCTION core_refuse_rewrite('live');
CREATE FUNCTION reconciliation_match_ends_once() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NEW.live AND NOT OLD.live THEN
        RAISE EXCEPTION 'a match that ended does not hold again: match anew' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER reconciliation_match_ends_once BEFORE UPDATE OF live ON reconciliation_match
    FOR EACH ROW EXECUTE FUNCTION reconciliation_match_ends_once();
-- What a break is about stays; who deals with it, and how it ends, changes.
CREATE TRIGGER reconciliation_discrepancy_fixed BEFORE UPDATE ON reconciliation_discrepancy
    FOR EACH ROW EXECUTE FUNCTION core_refuse_rewrite(
        'status', 'category', 'owner', 'due_at', 'resolution', 'resolved_at', 'updated_at', 'event_sequence');
CREATE TRIGGER reconciliation_adjustment_fixed BEFORE UPDATE ON reconciliation_adjustment
    FOR EACH ROW EXECUTE FUNCTION core_refuse_rewrite(
        'status', 'checker', 'approval_id', 'entry_id', 'posted_at', 'updated_at');
CREATE TRIGGER reconciliation_breakrule_fixed BEFORE UPDATE ON reconciliation_breakrule
    FOR EACH ROW EXECUTE FUNCTION core_refuse_rewrite('status', 'activated_at', 'updated_at');
CREATE TRIGGER reconciliation_dayclose_fixed BEFORE UPDATE ON reconciliation_dayclose
    FOR EACH ROW EXECUTE FUNCTION core_refuse_rewrite(
        'status', 'figures', 'digest', 'prepared_by', 'prepared_at', 'closed_by', 'closed_at', 'period_id',
        'updated_at');
-- A signed day does not change any more.
CREATE FUNCTION reconciliation_signed_day_stays() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF OLD.status = 'CLOSED' THEN
        RAISE EXCEPTION 'the day % is closed', OLD.day USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.status = 'CLOSED' AND (NEW.figures <> OLD.figures OR NEW.digest IS DISTINCT FROM OLD.digest) THEN
        RAISE EXCEPTION 'the figures of the day % are not those that were prepared', OLD.day
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER reconciliation_dayclose_signed BEFORE UPDATE ON reconciliation_dayclose
    FOR EACH ROW EXECUTE FUNCTION reconciliation_signed_day_stays();
