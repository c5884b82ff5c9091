-- A hold stands in a wallet of its merchant, on an account of that wallet.
ALTER TABLE wallet_hold ADD CONSTRAINT wallet_hold_wallet_fk
    FOREIGN KEY (merchant_id, wallet_id) REFERENCES wallet_wallet (merchant_id, id);
ALTER TABLE wallet_hold ADD CONSTRAINT wallet_hold_account_fk
    FOREIGN KEY (wallet_id, role) REFERENCES wallet_walletaccount (wallet_id, role);
