-- Lines are written while their file is being staged, and taken away only when the file was refused or is
-- staged again: what has been published stays for ever. Checked once for a statement, not for every line.
CREATE FUNCTION reconciliation_lines_of_files_being_staged() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF EXISTS (
        SELECT FROM (SELECT DISTINCT file_id, merchant_id FROM new_lines) AS line
        LEFT JOIN public.reconciliation_settlementfile file ON file.id = line.file_id
        WHERE file.status IS DISTINCT FROM 'STAGING' OR file.merchant_id <> line.merchant_id) THEN
        RAISE EXCEPTION '%: lines are added to files that are being staged', TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION reconciliation_published_lines_stay() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF EXISTS (
        SELECT FROM (SELECT DISTINCT file_id FROM old_lines) AS line
        LEFT JOIN public.reconciliation_settlementfile file ON file.id = line.file_id
        WHERE file.status NOT IN ('STAGING', 'REFUSED', 'DUPLICATE')) THEN
        RAISE EXCEPTION '%: lines of a published file stay', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER reconciliation_settlementline_staged AFTER INSERT ON reconciliation_settlementline
    REFERENCING NEW TABLE AS new_lines
    FOR EACH STATEMENT EXECUTE FUNCTION reconciliation_lines_of_files_being_staged();
CREATE TRIGGER reconciliation_settlementline_stay AFTER DELETE ON reconciliation_settlementline
    REFERENCING OLD TABLE AS old_lines
    FOR EACH STATEMENT EXECUTE FUNCTION reconciliation_published_lines_stay();
CREATE TRIGGER reconciliation_settlementline_fixed BEFORE UPDATE OR TRUNCATE ON reconciliation_settlementline
    FOR EACH STATEMENT EXECUTE FUNCTION core_refuse_change();
CREATE TRIGGER reconciliation_bankline_staged AFTER INSERT ON reconciliation_bankline
    REFERENCING NEW TABLE AS new_lines
    FOR EACH STATEMENT EXECUTE FUNCTION reconciliation_lines_of_files_being_staged();
CREATE TRIGGER reconciliation_bankline_stay AFTER DELETE ON reconciliation_bankline
    REFERENCING OLD TABLE AS old_lines
    FOR EACH STATEMENT EXECUTE FUNCTION reconciliation_published_lines_stay();
CREATE TRIGGER reconciliation_bankline_fixed BEFORE UPDATE OR TRUNCATE ON reconciliation_bankline
    FOR EACH STATEMENT EXECUTE FUNCTION core_refuse_change();
