-- Who has to decide by what is in wallets locks them first: the same locks, in the same order, as the posting
-- that follows takes. The columns still move in wallet_post alone.
CREATE FUNCTION wallet_lock(p_merchant uuid, p_wallets uuid[])
RETURNS TABLE (
    id uuid, pending_minor bigint, available_minor bigint, held_minor bigint, receivable_minor bigint
)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT wallet.id, wallet.pending_minor, wallet.available_minor, wallet.held_minor, wallet.receivable_minor
    FROM wallet_wallet AS wallet
    WHERE wallet.merchant_id = p_merchant AND wallet.id = ANY (p_wallets)
    ORDER BY wallet.id FOR NO KEY UPDATE
$$;
REVOKE ALL ON FUNCTION wallet_lock(uuid, uuid[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION wallet_lock(uuid, uuid[]) TO quittance_app;
