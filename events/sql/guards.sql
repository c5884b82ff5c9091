-- What may never change once written, and the order of the feed.
CREATE TRIGGER events_webhookinbox_fixed BEFORE UPDATE ON events_webhookinbox
    FOR EACH ROW EXECUTE FUNCTION core_refuse_rewrite('status');
CREATE TRIGGER events_inboxwork_fixed BEFORE UPDATE ON events_inboxwork
    FOR EACH ROW EXECUTE FUNCTION core_refuse_rewrite(
        'status', 'due_at', 'leased_until', 'fence', 'attempts', 'parks', 'parked_at', 'reason');
CREATE TRIGGER events_webhookendpoint_fixed BEFORE UPDATE ON events_webhookendpoint
    FOR EACH ROW EXECUTE FUNCTION core_refuse_rewrite(
        'url', 'event_types', 'secrets', 'status', 'last_success_at');
CREATE TRIGGER events_webhookdelivery_fixed BEFORE UPDATE ON events_webhookdelivery
    FOR EACH ROW EXECUTE FUNCTION core_refuse_rewrite(
        'status', 'due_at', 'leased_until', 'fence', 'attempts', 'finished_at');

-- Only the relay takes numbers, and only under its lock; a gap (a batch that was rolled back) is allowed.
CREATE SEQUENCE events_published_seq AS bigint;
GRANT USAGE ON SEQUENCE events_published_seq TO quittance_app;
