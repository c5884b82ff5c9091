-- As it was until 0006: any column, through the whole row as JSON.
CREATE OR REPLACE FUNCTION core_fsm_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    new_state text := to_jsonb(NEW) ->> TG_ARGV[0];
    old_state text;
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF new_state IS DISTINCT FROM TG_ARGV[1] THEN
            RAISE EXCEPTION '%.% must start as %, not %', TG_TABLE_NAME, TG_ARGV[0], TG_ARGV[1], new_state
                USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END IF;
    old_state := to_jsonb(OLD) ->> TG_ARGV[0];
    IF new_state IS DISTINCT FROM old_state
        AND NOT (old_state || '>' || new_state) = ANY (string_to_array(TG_ARGV[2], ',')) THEN
        RAISE EXCEPTION '%.% may not change from % to %', TG_TABLE_NAME, TG_ARGV[0], old_state, new_state
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
