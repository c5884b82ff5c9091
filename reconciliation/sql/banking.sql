-- A statement also says how far its lines have come.
DROP TRIGGER reconciliation_statement_fixed ON reconciliation_bankstatement;
CREATE TRIGGER reconciliation_statement_fixed BEFORE UPDATE ON reconciliation_bankstatement
    FOR EACH ROW EXECUTE FUNCTION core_refuse_rewrite(
        'status', 'version', 'supersedes_id', 'held_because', 'matched_at', 'posted_at', 'updated_at');
-- A run of a bank's file that is done begins anew when a statement that was held counts.
DROP TRIGGER reconciliation_reconciliationrun_status_guard ON reconciliation_reconciliationrun;
CREATE TRIGGER reconciliation_reconciliationrun_status_guard BEFORE INSERT OR UPDATE OF status
    ON reconciliation_reconciliationrun FOR EACH ROW EXECUTE FUNCTION core_fsm_guard('status', 'QUEUED',
        'QUEUED>MATCHED,QUEUED>FAILED,MATCHED>POSTED,MATCHED>FAILED,POSTED>DONE,POSTED>FAILED,DONE>QUEUED,FAILED>QUEUED,FAILED>MATCHED,FAILED>POSTED');
