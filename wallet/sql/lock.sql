-- Lock wallets by id before it is planned what each of them pays, so that the plan is what the posting meets.
-- A function, because the application may not update wallets, and locking a row takes that right.
CREATE FUNCTION wallet_lock(p_merchant uuid, p_wallets uuid[])
RETURNS TABLE (id uuid, available_minor bigint)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT wallet.id, wallet.available_minor FROM wallet_wallet AS wallet
    WHERE wallet.merchant_id = p_merchant AND wallet.id = ANY (p_wallets)
    ORDER BY wallet.id FOR NO KEY UPDATE
$$;
REVOKE ALL ON FUNCTION wallet_lock(uuid, uuid[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION wallet_lock(uuid, uuid[]) TO quittance_app;
