-- A piece of evidence stays what it is; it is sent, or replaced by another one, once. Re-encryption under a
-- newer key writes the same content again.
CREATE TRIGGER payments_evidence_fixed BEFORE UPDATE ON payments_disputeevidence
    FOR EACH ROW EXECUTE FUNCTION core_refuse_rewrite('text', 'content', 'operation_id', 'replaced_at');
-- Of which order a dispute is stays; how much of it, and what became of that, may change.
CREATE TRIGGER payments_dispute_line_fixed BEFORE UPDATE ON payments_disputeline
    FOR EACH ROW EXECUTE FUNCTION core_refuse_rewrite('amount_minor', 'seller_minor', 'commission_minor',
        'tax_minor', 'is_reserved', 'hold_subject', 'fee_minor');
