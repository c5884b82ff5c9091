-- The roles behind wallets and the roles that clear per key, for the whole chart. No account of a role that
-- is new here can exist yet: accounts are opened by a role of the chart only.
ALTER TABLE ledger_account
    DROP CONSTRAINT ledger_account_guarded_by_role,
    DROP CONSTRAINT ledger_account_clearing_by_role,
    ADD CONSTRAINT ledger_account_guarded_by_role CHECK (guarded = (role IN (
        'seller_receivable', 'seller_pending', 'seller_available', 'seller_reserve', 'seller_dispute_hold',
        'seller_payout_hold', 'wallet_pending', 'wallet_available', 'wallet_held', 'bonus_available',
        'bonus_held', 'points_available', 'points_held'))),
    ADD CONSTRAINT ledger_account_clearing_by_role CHECK (clearing = (role IN (
        'psp_clearing', 'psp_settlement_in_transit', 'psp_reserve_held', 'cod_in_transit', 'courier_claim',
        'dispute_receivable', 'suspense_payments', 'payouts_in_transit', 'payout_returns',
        'refunds_in_transit', 'psp_fee_accrued', 'customer_overpayment', 'suspense_receipts',
        'fx_position')));
