-- A buyer stays the same buyer of the same merchant.
CREATE TRIGGER merchants_buyer_fixed BEFORE UPDATE ON merchants_buyer
    FOR EACH ROW EXECUTE FUNCTION core_refuse_rewrite('personal', 'updated_at');
