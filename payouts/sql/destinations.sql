-- Whose destination it is, and whom a payout or a block is about, belong to one merchant.
ALTER TABLE payouts_destination ADD CONSTRAINT payouts_destination_seller_fk
    FOREIGN KEY (merchant_id, seller_id) REFERENCES merchants_seller (merchant_id, id);
ALTER TABLE payouts_payout ADD CONSTRAINT payouts_payout_seller_fk
    FOREIGN KEY (merchant_id, seller_id) REFERENCES merchants_seller (merchant_id, id);
ALTER TABLE payouts_payoutblock ADD CONSTRAINT payouts_block_seller_fk
    FOREIGN KEY (merchant_id, seller_id) REFERENCES merchants_seller (merchant_id, id);

-- Nothing is sent to an account that nobody verified, or that was removed. The row is locked as it is looked
-- at, so that who removes it waits for the sending, or the sending for him and then fails. Whether the
-- cool-down is over is the engine's to ask: the database's clock is not the one that it is counted by.
CREATE FUNCTION payouts_payout_needs_its_destination() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM FROM payouts_destination WHERE id = NEW.destination_id AND status = 'VERIFIED' FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the destination of payout % is not verified', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'payouts_payout_needs_its_destination';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER payouts_payout_needs_its_destination BEFORE UPDATE OF status ON payouts_payout
    FOR EACH ROW WHEN (NEW.status = 'EXECUTING') EXECUTE FUNCTION payouts_payout_needs_its_destination();

-- Nothing is sent while a block stands, whatever the engine saw before. Who sets one holds the merchant's lock
-- until it is committed (payouts/locks.py), so that what is about to be sent goes before it or meets it.
CREATE FUNCTION payouts_payout_meets_no_block() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('payout_blocks:' || NEW.merchant_id, 0));
    IF EXISTS (
        SELECT FROM payouts_payoutblock
         WHERE merchant_id = NEW.merchant_id AND lifted_at IS NULL
           AND (seller_id IS NULL OR seller_id = NEW.seller_id) AND currency IN ('', NEW.amount_currency)
    ) THEN
        RAISE EXCEPTION 'payout % is blocked', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'payouts_payout_meets_no_block';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER payouts_payout_meets_no_block BEFORE UPDATE OF status ON payouts_payout
    FOR EACH ROW WHEN (NEW.status = 'EXECUTING') EXECUTE FUNCTION payouts_payout_meets_no_block();

-- A block says for ever what it was set for; letting it go is all that can happen to it, and once.
CREATE TRIGGER payouts_block_fixed BEFORE UPDATE ON payouts_payoutblock
    FOR EACH ROW EXECUTE FUNCTION core_refuse_rewrite('lifted_by', 'lifted_at', 'lifted_because');
CREATE FUNCTION payouts_block_is_lifted_once() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'block % was lifted already', OLD.id
        USING ERRCODE = 'check_violation', CONSTRAINT = 'payouts_block_is_lifted_once';
END
$$;
CREATE TRIGGER payouts_block_is_lifted_once BEFORE UPDATE ON payouts_payoutblock
    FOR EACH ROW WHEN (OLD.lifted_at IS NOT NULL) EXECUTE FUNCTION payouts_block_is_lifted_once();
