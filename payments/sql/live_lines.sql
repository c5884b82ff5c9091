-- A line is live exactly while its charge can still cover its order. Checked at commit, on both tables,
-- because the charge's state and its lines change in the same transaction but in two statements.
CREATE FUNCTION payments_check_live_lines() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    wrong uuid;
BEGIN
    SELECT line.id INTO wrong
    FROM payments_chargeline AS line
    JOIN payments_charge AS charge ON charge.id = line.charge_id
    WHERE charge.id = CASE TG_TABLE_NAME WHEN 'payments_charge' THEN NEW.id
        ELSE (to_jsonb(NEW) ->> 'charge_id')::uuid END
      AND line.live IS DISTINCT FROM
          (charge.status NOT IN ('DECLINED', 'CANCELED', 'EXPIRED') AND NOT line.superseded)
    LIMIT 1;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'charge line %: live must follow the state of its charge', wrong
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER payments_charge_live_lines AFTER INSERT OR UPDATE OF status ON payments_charge
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION payments_check_live_lines();
CREATE CONSTRAINT TRIGGER payments_chargeline_live AFTER INSERT OR UPDATE ON payments_chargeline
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION payments_check_live_lines();
