-- A grant is to a wallet of its merchant.
ALTER TABLE wallet_grant ADD CONSTRAINT wallet_grant_wallet_fk
    FOREIGN KEY (merchant_id, wallet_id) REFERENCES wallet_wallet (merchant_id, id);
