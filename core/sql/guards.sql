-- Guards shared by every app. They refuse; they never compute.

-- A column that holds a state: arguments are the column, the first state and the edges 'A>B,B>C'.
CREATE FUNCTION core_fsm_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
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

-- Tables that only grow.
CREATE FUNCTION core_refuse_change() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END $$;

-- Rows whose content is fixed once written, except for the columns named in the arguments.
CREATE FUNCTION core_refuse_rewrite() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF (to_jsonb(NEW) - TG_ARGV) IS DISTINCT FROM (to_jsonb(OLD) - TG_ARGV) THEN
        RAISE EXCEPTION '% is append-only but for %', TG_TABLE_NAME, array_to_string(TG_ARGV, ', ')
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
