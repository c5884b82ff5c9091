-- Open a wallet of any kind with the accounts behind its buckets; again is the same wallet.
DROP FUNCTION wallet_open(uuid, uuid, text, uuid, text, timestamptz);
CREATE FUNCTION wallet_open(
    p_id uuid, p_merchant uuid, p_owner_type text, p_owner uuid, p_currency text, p_at timestamptz, p_kind text
) RETURNS uuid LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    found uuid;
BEGIN
    INSERT INTO wallet_wallet (id, merchant_id, owner_type, owner_id, currency, kind, pending_minor,
            available_minor, held_minor, receivable_minor, created_at)
        VALUES (p_id, p_merchant, p_owner_type, p_owner, p_currency, p_kind, 0, 0, 0, 0, p_at)
        ON CONFLICT (merchant_id, owner_type, owner_id, currency, kind) DO NOTHING RETURNING id INTO found;
    IF found IS NULL THEN
        -- A row of a transaction that committed meanwhile is visible to this second statement only.
        SELECT id INTO STRICT found FROM wallet_wallet WHERE merchant_id = p_merchant
            AND owner_type = p_owner_type AND owner_id = p_owner AND currency = p_currency AND kind = p_kind;
        RETURN found;
    END IF;
    WITH wanted (role, bucket) AS (
        SELECT role, bucket FROM (VALUES
            ('seller', 'cash', 'seller_pending', 'pending'), ('seller', 'cash', 'seller_available', 'available'),
            ('seller', 'cash', 'seller_payout_hold', 'held'), ('seller', 'cash', 'seller_dispute_hold', 'held'),
            ('seller', 'cash', 'seller_reserve', 'held'), ('seller', 'cash', 'seller_receivable', 'receivable'),
            ('buyer', 'cash', 'wallet_pending', 'pending'), ('buyer', 'cash', 'wallet_available', 'available'),
            ('buyer', 'cash', 'wallet_held', 'held'),
            ('buyer', 'bonus', 'bonus_available', 'available'), ('buyer', 'bonus', 'bonus_held', 'held'),
            ('buyer', 'points', 'points_available', 'available'), ('buyer', 'points', 'points_held', 'held')
        ) AS plan (owner_type, kind, role, bucket) WHERE plan.owner_type = p_owner_type AND plan.kind = p_kind
    )
    INSERT INTO wallet_walletaccount (account_id, merchant_id, wallet_id, role, bucket)
        SELECT opened.id, p_merchant, p_id, opened.role, wanted.bucket
        FROM ledger_open_guarded(p_merchant, p_owner, p_currency, ARRAY(SELECT role FROM wanted)) AS opened
        JOIN wanted ON wanted.role = opened.role;
    RETURN found;
END $$;
REVOKE ALL ON FUNCTION wallet_open(uuid, uuid, text, uuid, text, timestamptz, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION wallet_open(uuid, uuid, text, uuid, text, timestamptz, text) TO quittance_app;

-- Sellers have cash alone; points are kept in their own unit.
ALTER TABLE wallet_wallet ADD CONSTRAINT wallet_kind_of_its_owner CHECK (
    (kind = 'cash' OR owner_type = 'buyer') AND (kind <> 'points' OR currency = 'PTS'));
