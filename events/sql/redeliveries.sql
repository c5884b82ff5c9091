-- A delivery that was made, or failed, may be made once more; an endpoint counts the events about itself.
DROP TRIGGER events_webhookdelivery_status_guard ON events_webhookdelivery;
CREATE TRIGGER events_webhookdelivery_status_guard BEFORE INSERT OR UPDATE OF status ON events_webhookdelivery
    FOR EACH ROW EXECUTE FUNCTION core_fsm_guard('status', 'PENDING',
        'PENDING>DELIVERED,PENDING>FAILED,PENDING>CANCELED,DELIVERED>PENDING,FAILED>PENDING');
DROP TRIGGER events_webhookdelivery_fixed ON events_webhookdelivery;
CREATE TRIGGER events_webhookdelivery_fixed BEFORE UPDATE ON events_webhookdelivery
    FOR EACH ROW EXECUTE FUNCTION core_refuse_rewrite(
        'status', 'due_at', 'leased_until', 'fence', 'attempts', 'finished_at', 'earlier_attempts',
        'redelivered_at');
DROP TRIGGER events_webhookendpoint_fixed ON events_webhookendpoint;
CREATE TRIGGER events_webhookendpoint_fixed BEFORE UPDATE ON events_webhookendpoint
    FOR EACH ROW EXECUTE FUNCTION core_refuse_rewrite(
        'url', 'event_types', 'secrets', 'status', 'last_success_at', 'event_sequence');
