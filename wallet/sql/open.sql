-- Open a cash wallet with the accounts behind its buckets; again is the same wallet.
CREATE FUNCTION wallet_open(
    p_id uuid, p_merchant uuid, p_owner_type text, p_owner uuid, p_currency text, p_at timestamptz
) RETURNS uuid LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    found uuid;
BEGIN
    INSERT INTO wallet_wallet (id, merchant_id, owner_type, owner_id, currency, kind, pending_minor,
            available_minor, held_minor, receivable_minor, created_at)
        VALUES (p_id, p_merchant, p_owner_type, p_owner, p_currency, 'cash', 0, 0, 0, 0, p_at)
        ON CONFLICT (merchant_id, owner_type, owner_id, currency, kind) DO NOTHING RETURNING id INTO found;
    IF found IS NULL THEN
        -- A row of a transaction that committed meanwhile is visible to this second statement only.
        SELECT id INTO STRICT found FROM wallet_wallet WHERE merchant_id = p_merchant
            AND owner_type = p_owner_type AND owner_id = p_owner AND currency = p_currency AND kind = 'cash';
        RETURN found;
    END IF;
    WITH wanted (role, bucket) AS (
        SELECT role, bucket FROM (VALUES
            ('seller', 'seller_pending', 'pending'), ('seller', 'seller_available', 'available'),
            ('seller', 'seller_payout_hold', 'held'), ('seller', 'seller_dispute_hold', 'held'),
            ('seller', 'seller_reserve', 'held'), ('seller', 'seller_receivable', 'receivable'),
            ('buyer', 'wallet_pending', 'pending'), ('buyer', 'wallet_available', 'available'),
            ('buyer', 'wallet_held', 'held')
        ) AS plan (owner_type, role, bucket) WHERE plan.owner_type = p_owner_type
    )
    INSERT INTO wallet_walletaccount (account_id, merchant_id, wallet_id, role, bucket)
        SELECT opened.id, p_merchant, p_id, opened.role, wanted.bucket
        FROM ledger_open_guarded(p_merchant, p_owner, p_currency, ARRAY(SELECT role FROM wanted)) AS opened
        JOIN wanted ON wanted.role = opened.role;
    RETURN found;
END $$;
REVOKE ALL ON FUNCTION wallet_open(uuid, uuid, text, uuid, text, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION wallet_open(uuid, uuid, text, uuid, text, timestamptz) TO quittance_app;
