-- A column that holds a state: arguments are the column, the first state and the edges 'A>B,B>C'.
--
-- Nearly always the column is called `status` and is looked at itself: a row as JSON, for the sake of one of
-- its columns, took longer than the rest of the guard.
CREATE OR REPLACE FUNCTION core_fsm_guard() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    is_status boolean := TG_ARGV[0] = 'status';
    new_state text;
    old_state text;
BEGIN
    IF is_status THEN
        new_state := NEW.status;
    ELSE
        new_state := to_jsonb(NEW) ->> TG_ARGV[0];
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF new_state IS DISTINCT FROM TG_ARGV[1] THEN
            RAISE EXCEPTION '%.% must start as %, not %', TG_TABLE_NAME, TG_ARGV[0], TG_ARGV[1], new_state
                USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF is_status THEN
        old_state := OLD.status;
    ELSE
        old_state := to_jsonb(OLD) ->> TG_ARGV[0];
    END IF;
    IF new_state IS DISTINCT FROM old_state
        AND NOT (old_state || '>' || new_state) = ANY (string_to_array(TG_ARGV[2], ',')) THEN
        RAISE EXCEPTION '%.% may not change from % to %', TG_TABLE_NAME, TG_ARGV[0], old_state, new_state
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
