-- The same door with the four arrays more that an entry carries: group, its size, original date, facts.
DROP FUNCTION wallet_post(uuid[], text[], text[], text[], text[], date[], timestamptz[], int[], bigint[], bytea[],
    int[], int[], bigint[], text[], bigint[], text[], int[], int[], bigint[], bigint[]);

-- Lines and balances move together or not at all.
--
-- Every line on a wallet-backed account needs its operation with the same amount, and every operation its
-- line; the sign follows the account: what a seller or buyer is owed grows with a credit, what they owe
-- grows with a debit. Keys are inserted first, sorted; wallets are locked second, by id.
CREATE FUNCTION wallet_post(
    e_merchant uuid[], e_kind text[], e_source text[], e_ref text[], e_leg text[], e_date date[],
    e_recorded timestamptz[], e_lines int[], e_corrects bigint[], e_digest bytea[],
    e_group uuid[], e_group_size int[], e_original date[], e_facts text[],
    l_entry int[], l_no int[], l_account bigint[], l_currency text[], l_amount bigint[], l_key text[],
    o_entry int[], o_no int[], o_account bigint[], o_delta bigint[]
) RETURNS TABLE (ord int, id bigint, is_new boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    ords int[];
    ids bigint[];
    fresh int[];
    wrong bigint;
    written bigint;
BEGIN
    SELECT array_agg(done.ord ORDER BY done.ord), array_agg(done.id ORDER BY done.ord),
           array_agg(done.ord) FILTER (WHERE done.is_new)
        INTO ords, ids, fresh
        FROM ledger_insert(e_merchant, e_kind, e_source, e_ref, e_leg, e_date, e_recorded, e_lines, e_corrects,
            e_digest, e_group, e_group_size, e_original, e_facts, l_entry, l_no, l_account, l_currency, l_amount,
            l_key) AS done;

    -- The 0 stands for an operation that names no account: a NULL here would read as "nothing is wrong".
    SELECT coalesce(line.account, operation.account, 0) INTO wrong
        FROM (
            SELECT input.entry, input.no, input.account,
                CASE WHEN account.role = 'seller_receivable' THEN input.amount ELSE -input.amount END AS delta
            FROM unnest(l_entry, l_no, l_account, l_amount) AS input(entry, no, account, amount)
            JOIN ledger_account AS account ON account.id = input.account AND account.guarded
        ) AS line
        FULL JOIN unnest(o_entry, o_no, o_account, o_delta) AS operation(entry, no, account, delta)
            ON operation.entry = line.entry AND operation.no = line.no AND operation.account = line.account
        WHERE line.delta IS DISTINCT FROM operation.delta LIMIT 1;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'account %: the line and the wallet operation differ', wrong USING ERRCODE = 'QL004';
    END IF;

    IF fresh IS NOT NULL THEN
        PERFORM 1 FROM wallet_wallet WHERE wallet_wallet.id IN (
            SELECT behind.wallet_id FROM wallet_walletaccount AS behind WHERE behind.account_id = ANY (o_account)
        ) ORDER BY wallet_wallet.id FOR NO KEY UPDATE;

        WITH operation AS (
            SELECT input.entry, input.no, input.delta, behind.wallet_id, behind.bucket, behind.role,
                e_merchant[input.entry] AS merchant, e_recorded[input.entry] AS recorded
            FROM unnest(o_entry, o_no, o_account, o_delta) AS input(entry, no, account, delta)
            JOIN wallet_walletaccount AS behind ON behind.account_id = input.account
                AND behind.merchant_id = e_merchant[input.entry]
            WHERE input.entry = ANY (fresh)
        ), moved AS (
            UPDATE wallet_wallet AS wallet SET
                pending_minor = wallet.pending_minor + change.pending,
                available_minor = wallet.available_minor + change.available,
                held_minor = wallet.held_minor + change.held,
                receivable_minor = wallet.receivable_minor + change.receivable
            FROM (
                SELECT wallet_id,
                    coalesce(sum(delta) FILTER (WHERE bucket = 'pending'), 0) AS pending,
                    coalesce(sum(delta) FILTER (WHERE bucket = 'available'), 0) AS available,
                    coalesce(sum(delta) FILTER (WHERE bucket = 'held'), 0) AS held,
                    coalesce(sum(delta) FILTER (WHERE bucket = 'receivable'), 0) AS receivable
                FROM operation GROUP BY wallet_id
            ) AS change
            WHERE wallet.id = change.wallet_id
            RETURNING wallet.id, wallet.pending_minor, wallet.available_minor, wallet.held_minor,
                wallet.receivable_minor
        )
        INSERT INTO wallet_walletoperation (merchant_id, wallet_id, bucket, role, delta_minor,
            balance_after_minor, line_id, recorded_at)
        SELECT operation.merchant, operation.wallet_id, operation.bucket, operation.role, operation.delta,
            -- The balance at the end, less everything in this batch that comes after this operation.
            CASE operation.bucket WHEN 'pending' THEN moved.pending_minor WHEN 'available' THEN moved.available_minor
                WHEN 'held' THEN moved.held_minor ELSE moved.receivable_minor END
            - coalesce(sum(operation.delta) OVER (PARTITION BY operation.wallet_id, operation.bucket
                ORDER BY operation.entry, operation.no ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING), 0),
            ids[operation.entry] * 1024 + operation.no, operation.recorded
        FROM operation JOIN moved ON moved.id = operation.wallet_id
        ORDER BY operation.wallet_id, operation.bucket, operation.entry, operation.no;
        GET DIAGNOSTICS written = ROW_COUNT;
        IF written <> (SELECT count(*) FROM unnest(o_entry) AS input(entry) WHERE input.entry = ANY (fresh)) THEN
            RAISE EXCEPTION 'a wallet-backed account has no wallet' USING ERRCODE = 'QL004';
        END IF;
    END IF;
    RETURN QUERY SELECT done.ord, done.id, done.ord = ANY (coalesce(fresh, '{}'))
        FROM unnest(ords, ids) AS done(ord, id);
END $$;
REVOKE ALL ON FUNCTION wallet_post(uuid[], text[], text[], text[], text[], date[], timestamptz[], int[],
    bigint[], bytea[], uuid[], int[], date[], text[], int[], int[], bigint[], text[], bigint[], text[], int[], int[],
    bigint[], bigint[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION wallet_post(uuid[], text[], text[], text[], text[], date[], timestamptz[], int[],
    bigint[], bytea[], uuid[], int[], date[], text[], int[], int[], bigint[], text[], bigint[], text[], int[], int[],
    bigint[], bigint[])
    TO quittance_app;
