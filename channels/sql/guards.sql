-- Whose a channel is, where it leads and under which name it is known do not change. Its mode is its merchant's.
CREATE TRIGGER channels_channel_fixed BEFORE UPDATE ON channels_channel
    FOR EACH ROW EXECUTE FUNCTION core_refuse_rewrite(
        'credentials', 'credentials_version', 'base_url', 'capabilities', 'max_in_flight', 'is_enabled',
        'updated_at');
ALTER TABLE channels_channel ADD CONSTRAINT channels_channel_merchant_mode
    FOREIGN KEY (merchant_id, mode) REFERENCES merchants_merchant (id, mode);

-- Evidence belongs to the merchant whose channel it went over.
ALTER TABLE channels_channel ADD CONSTRAINT channels_channel_merchant_id UNIQUE (merchant_id, id);
ALTER TABLE channels_pspcall ADD CONSTRAINT channels_pspcall_merchant_channel
    FOREIGN KEY (merchant_id, channel_id) REFERENCES channels_channel (merchant_id, id);
