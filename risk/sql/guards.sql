-- A rule's content is fixed once written: a change is another version. A list and its entries stay what they are.
CREATE TRIGGER risk_riskrule_fixed BEFORE UPDATE ON risk_riskrule
    FOR EACH ROW EXECUTE FUNCTION core_refuse_rewrite('status', 'updated_at');
CREATE TRIGGER risk_risklistentry_fixed BEFORE UPDATE ON risk_risklistentry
    FOR EACH ROW EXECUTE FUNCTION core_refuse_rewrite('value', 'removed_by', 'removed_at', 'removed_reason');
CREATE TRIGGER risk_riskvendor_fixed BEFORE UPDATE ON risk_riskvendor
    FOR EACH ROW EXECUTE FUNCTION core_refuse_rewrite('base_url', 'credentials', 'updated_at');

-- Everything about a rule, a list or a vendor belongs to the merchant whose it is.
ALTER TABLE risk_riskrule ADD CONSTRAINT risk_riskrule_merchant_id UNIQUE (merchant_id, id);
ALTER TABLE risk_riskdryrun ADD CONSTRAINT risk_riskdryrun_merchant_rule
    FOREIGN KEY (merchant_id, rule_id) REFERENCES risk_riskrule (merchant_id, id);
ALTER TABLE risk_risklist ADD CONSTRAINT risk_risklist_merchant_id UNIQUE (merchant_id, id);
ALTER TABLE risk_risklistentry ADD CONSTRAINT risk_risklistentry_merchant_list
    FOREIGN KEY (merchant_id, list_id) REFERENCES risk_risklist (merchant_id, id);
ALTER TABLE risk_riskvendor ADD CONSTRAINT risk_riskvendor_merchant_id UNIQUE (merchant_id, id);
ALTER TABLE risk_riskcheck ADD CONSTRAINT risk_riskcheck_merchant_vendor
    FOREIGN KEY (merchant_id, vendor_id) REFERENCES risk_riskvendor (merchant_id, id);
