-- What is paid from a wallet, or brought into one, is of a wallet of the same merchant.
ALTER TABLE payments_balancepart ADD CONSTRAINT payments_balance_part_wallet_fk
    FOREIGN KEY (merchant_id, wallet_id) REFERENCES wallet_wallet (merchant_id, id);
ALTER TABLE payments_topup ADD CONSTRAINT payments_top_up_wallet_fk
    FOREIGN KEY (merchant_id, wallet_id) REFERENCES wallet_wallet (merchant_id, id);
