-- A payout is said yes to before it is sent: by the policy, or by a second person, to exactly this instruction.
-- Whatever writes the row: services, the admin or a person at a prompt.
CREATE FUNCTION payouts_payout_needs_a_yes() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NEW.status NOT IN ('APPROVED', 'EXECUTING') OR NEW.auto_approved_by_policy THEN
        RETURN NEW;
    END IF;
    IF NOT EXISTS (
        SELECT FROM core_approval
         WHERE subject = 'payout:' || NEW.id AND action = 'payout.approve' AND status = 'APPROVED'
           AND digest = NEW.instruction_digest AND checker = NEW.approved_by AND checker <> maker
    ) THEN
        RAISE EXCEPTION 'payout % was not approved by a second person as it is', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'payouts_payout_needs_a_yes';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER payouts_payout_needs_a_yes BEFORE INSERT OR UPDATE ON payouts_payout
    FOR EACH ROW EXECUTE FUNCTION payouts_payout_needs_a_yes();
