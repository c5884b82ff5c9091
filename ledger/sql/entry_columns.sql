-- What an entry may carry besides its lines: the group that it belongs to, the date that it would have had
-- were its day not closed, and facts that no line holds. The doors take them as four arrays more.
ALTER TABLE ledger_journalentry ADD CONSTRAINT ledger_entry_facts_object CHECK (jsonb_typeof(facts) = 'object');

DROP FUNCTION ledger_post(uuid[], text[], text[], text[], text[], date[], timestamptz[], int[], bigint[], bytea[],
    int[], int[], bigint[], text[], bigint[], text[]);
DROP FUNCTION ledger_insert(uuid[], text[], text[], text[], text[], date[], timestamptz[], int[], bigint[], bytea[],
    int[], int[], bigint[], text[], bigint[], text[]);

-- Write a batch of entries with their lines in one statement. Not for the application: ledger_post and
-- wallet_post are its doors. Returns one row per requested entry, in the order of the request.
CREATE FUNCTION ledger_insert(
    e_merchant uuid[], e_kind text[], e_source text[], e_ref text[], e_leg text[], e_date date[],
    e_recorded timestamptz[], e_lines int[], e_corrects bigint[], e_digest bytea[],
    e_group uuid[], e_group_size int[], e_original date[], e_facts text[],
    l_entry int[], l_no int[], l_account bigint[], l_currency text[], l_amount bigint[], l_key text[]
) RETURNS TABLE (ord int, id bigint, is_new boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    new_ords int[];
    new_ids bigint[];
    refused int;
BEGIN
    -- The lock below makes a posting wait for a day that is being closed; only with a new snapshot for each
    -- statement does it then see that the day is closed.
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'entries are posted in read committed transactions only' USING ERRCODE = 'QL006';
    END IF;
    -- The transaction id before the entry ids: whoever holds an id has a smaller transaction id than any
    -- that is handed out later. The fence rests on this.
    PERFORM pg_current_xact_id();
    -- Days that are being closed wait for these, and these for them: the first closing of a merchant for all
    -- its days at once, later ones day by day. The text of the day must not depend on the session's DateStyle.
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('books:' || day.merchant, 0)),
            pg_advisory_xact_lock_shared(
                hashtextextended('day:' || day.merchant || ':' || to_char(day.date, 'YYYY-MM-DD'), 0))
        FROM (SELECT DISTINCT merchant, date FROM unnest(e_merchant, e_date) AS input(merchant, date)
              ORDER BY 1, 2) AS day;
    -- Corrections of one entry queue here, so that the second finds the first by its key, or is refused as a
    -- second one; without the lock it might meet either unique index first.
    IF cardinality(array_remove(e_corrects, NULL)) > 0 THEN
        PERFORM pg_advisory_xact_lock(hashtextextended('corrects:' || original.id, 0))
            FROM (SELECT DISTINCT id FROM unnest(e_corrects) AS input(id) WHERE id IS NOT NULL ORDER BY 1) AS original;
    END IF;
    WITH input AS (
        SELECT * FROM unnest(e_merchant, e_kind, e_source, e_ref, e_leg, e_date, e_recorded, e_lines,
            e_corrects, e_digest, e_group, e_group_size, e_original, e_facts) WITH ORDINALITY
            AS input(merchant, kind, source, ref, leg, date, recorded, line_count, corrects, digest, group_id,
                group_size, original, facts, ord)
    ), entries AS (
        INSERT INTO ledger_journalentry (id, merchant_id, kind, source, source_ref, leg, effective_date,
            recorded_at, line_count, corrects, digest, group_id, group_size, original_date, facts)
        SELECT nextval('ledger_journalentry_seq'), merchant, kind, source, ref, leg, date, recorded,
            line_count, corrects, digest, group_id, group_size, original, facts::jsonb
        FROM input ORDER BY merchant, source, ref, leg, ord
        -- This key alone: a second correction of one entry is refused, not passed over.
        ON CONFLICT (merchant_id, source, source_ref, leg) DO NOTHING
        RETURNING id, merchant_id, source, source_ref, leg
    ), written AS (
        -- A key that stands in the batch twice is written once, as it stands first.
        SELECT DISTINCT ON (entries.id) input.ord, entries.id, input.merchant FROM input JOIN entries
            ON entries.merchant_id = input.merchant AND entries.source = input.source
            AND entries.source_ref = input.ref AND entries.leg = input.leg
        ORDER BY entries.id, input.ord
    ), lines AS (
        INSERT INTO ledger_journalline (id, merchant_id, entry_id, line_no, account_id, amount_minor, currency,
            clearing_key)
        SELECT written.id * 1024 + line.no, written.merchant, written.id, line.no, line.account, line.amount,
            line.currency, line.key
        FROM unnest(l_entry, l_no, l_account, l_currency, l_amount, l_key)
            AS line(entry, no, account, currency, amount, key)
        JOIN written ON written.ord = line.entry
    )
    SELECT array_agg(written.ord::int), array_agg(written.id) INTO new_ords, new_ids FROM written;

    IF coalesce(cardinality(new_ords), 0) = cardinality(e_merchant) THEN
        RETURN QUERY SELECT fresh.ord, fresh.id, true FROM unnest(new_ords, new_ids) AS fresh(ord, id)
            ORDER BY fresh.ord;
        RETURN;
    END IF;
    -- Rows that were there before are invisible to the statement that met them; a second one reads them.
    SELECT input.ord INTO refused
        FROM unnest(e_merchant, e_source, e_ref, e_leg, e_digest) WITH ORDINALITY
            AS input(merchant, source, ref, leg, digest, ord)
        LEFT JOIN ledger_journalentry AS entry ON entry.merchant_id = input.merchant
            AND entry.source = input.source AND entry.source_ref = input.ref AND entry.leg = input.leg
        WHERE entry.digest IS DISTINCT FROM input.digest LIMIT 1;
    IF refused IS NOT NULL THEN
        RAISE EXCEPTION 'entry % / % is in the books with other content', e_source[refused], e_ref[refused]
            USING ERRCODE = 'QL001';
    END IF;
    RETURN QUERY
        SELECT input.ord::int, entry.id, input.ord::int = ANY (coalesce(new_ords, '{}'))
        FROM unnest(e_merchant, e_source, e_ref, e_leg) WITH ORDINALITY AS input(merchant, source, ref, leg, ord)
        JOIN ledger_journalentry AS entry ON entry.merchant_id = input.merchant
            AND entry.source = input.source AND entry.source_ref = input.ref AND entry.leg = input.leg
        ORDER BY input.ord;
END $$;
REVOKE ALL ON FUNCTION ledger_insert(uuid[], text[], text[], text[], text[], date[], timestamptz[], int[],
    bigint[], bytea[], uuid[], int[], date[], text[], int[], int[], bigint[], text[], bigint[], text[]) FROM PUBLIC;

-- The door for entries that touch no wallet.
CREATE FUNCTION ledger_post(
    e_merchant uuid[], e_kind text[], e_source text[], e_ref text[], e_leg text[], e_date date[],
    e_recorded timestamptz[], e_lines int[], e_corrects bigint[], e_digest bytea[],
    e_group uuid[], e_group_size int[], e_original date[], e_facts text[],
    l_entry int[], l_no int[], l_account bigint[], l_currency text[], l_amount bigint[], l_key text[]
) RETURNS TABLE (ord int, id bigint, is_new boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM ledger_account AS account WHERE account.id = ANY (l_account) AND account.guarded) THEN
        RAISE EXCEPTION 'a wallet-backed account moves only together with its wallet' USING ERRCODE = 'QL002';
    END IF;
    RETURN QUERY SELECT * FROM ledger_insert(e_merchant, e_kind, e_source, e_ref, e_leg, e_date, e_recorded,
        e_lines, e_corrects, e_digest, e_group, e_group_size, e_original, e_facts, l_entry, l_no, l_account,
        l_currency, l_amount, l_key);
END $$;
REVOKE ALL ON FUNCTION ledger_post(uuid[], text[], text[], text[], text[], date[], timestamptz[], int[],
    bigint[], bytea[], uuid[], int[], date[], text[], int[], int[], bigint[], text[], bigint[], text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger_post(uuid[], text[], text[], text[], text[], date[], timestamptz[], int[],
    bigint[], bytea[], uuid[], int[], date[], text[], int[], int[], bigint[], text[], bigint[], text[])
    TO quittance_app;
