-- A fact does not change; the relay stamps its place in the feed.
CREATE TRIGGER core_outboxevent_fixed BEFORE UPDATE ON core_outboxevent
    FOR EACH ROW EXECUTE FUNCTION core_refuse_rewrite('published_seq');
CREATE TRIGGER core_outboxevent_no_delete BEFORE DELETE OR TRUNCATE ON core_outboxevent
    FOR EACH STATEMENT EXECUTE FUNCTION core_refuse_change();
