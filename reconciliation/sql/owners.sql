-- A file, its source and its statements belong to one merchant.
ALTER TABLE reconciliation_settlementfile ADD CONSTRAINT reconciliation_file_source_fk
    FOREIGN KEY (merchant_id, source_id) REFERENCES reconciliation_settlementsource (merchant_id, id);
ALTER TABLE reconciliation_bankstatement ADD CONSTRAINT reconciliation_statement_file_fk
    FOREIGN KEY (merchant_id, file_id) REFERENCES reconciliation_settlementfile (merchant_id, id);
ALTER TABLE reconciliation_bankstatement ADD CONSTRAINT reconciliation_statement_source_fk
    FOREIGN KEY (merchant_id, source_id) REFERENCES reconciliation_settlementsource (merchant_id, id);
-- What was received is what was received: only its course changes.
CREATE TRIGGER reconciliation_file_fixed BEFORE UPDATE ON reconciliation_settlementfile
    FOR EACH ROW EXECUTE FUNCTION core_refuse_rewrite(
        'status', 'document', 'version', 'supersedes_id', 'sequence', 'period_from', 'period_to', 'staged_lines',
        'lines_count', 'quarantined_count', 'totals', 'refusal', 'published_at', 'updated_at', 'due_at',
        'leased_until', 'fence', 'attempts');
CREATE TRIGGER reconciliation_statement_fixed BEFORE UPDATE ON reconciliation_bankstatement
    FOR EACH ROW EXECUTE FUNCTION core_refuse_rewrite(
        'status', 'version', 'supersedes_id', 'held_because', 'updated_at');
