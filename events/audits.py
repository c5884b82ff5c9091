"""What must be true of everything that goes in and out, as queries that return the rows that break it."""

from core.audits import Invariant

__all__ = ["INVARIANTS"]

INVARIANTS = (
    Invariant(
        name="inbox_stored_once",
        says="a provider's event is stored once per channel, with one piece of work per subscriber",
        sql="""
            SELECT channel_id::text, provider_event_id, count(*) FROM events_webhookinbox
            GROUP BY channel_id, provider_event_id HAVING count(*) > 1
            UNION ALL
            SELECT inbox_id::text, subscriber, count(*) FROM events_inboxwork
            GROUP BY inbox_id, subscriber HAVING count(*) > 1
        """,
        exercised_sql="SELECT EXISTS (SELECT 1 FROM events_webhookinbox)",
        covers=("I20",),
    ),
    Invariant(
        name="inbox_none_stuck",
        says="no inbox work is overdue by more than 15 minutes, and none of a quarantined event",
        sql="""
            SELECT w.id, w.subscriber, w.status, w.due_at FROM events_inboxwork w
            JOIN events_webhookinbox i ON i.id = w.inbox_id
            WHERE w.status IN ('RECEIVED', 'PARKED')
              AND (w.due_at IS NULL OR w.due_at < now() - interval '15 minutes' OR i.status = 'QUARANTINED')
        """,
        exercised_sql="SELECT EXISTS (SELECT 1 FROM events_inboxwork)",
        covers=("I20",),
    ),
    Invariant(
        name="outbox_published",
        says="no event waits for the relay for more than 5 minutes",
        sql="""
            SELECT id, subject, sequence, recorded_at FROM core_outboxevent
            WHERE published_seq IS NULL AND recorded_at < now() - interval '5 minutes'
        """,
        exercised_sql="SELECT EXISTS (SELECT 1 FROM core_outboxevent)",
        covers=("I21",),
    ),
    Invariant(
        name="event_sequences_gapless",
        says="the events of a subject count from 1 without a gap and are published in that order",
        sql="""
            SELECT subject, sequence, before, published_seq FROM (
                SELECT subject, sequence, published_seq,
                    lag(sequence, 1, 0::bigint) OVER numbered AS before,
                    lag(published_seq, 1, 0::bigint) OVER numbered AS published_before
                FROM core_outboxevent WINDOW numbered AS (PARTITION BY subject ORDER BY sequence)
            ) counted
            WHERE sequence <> before + 1
               OR (published_seq IS NOT NULL
                   AND (published_before IS NULL OR published_before >= published_seq))
        """,
        exercised_sql="SELECT EXISTS (SELECT 1 FROM core_outboxevent)",
        covers=("I21",),
    ),
    Invariant(
        name="deliveries_unique",
        says="an event has one delivery per endpoint, of the same merchant, and none before it is published",
        sql="""
            SELECT event_id::text, endpoint_id::text, 'twice' FROM events_webhookdelivery
            GROUP BY event_id, endpoint_id HAVING count(*) > 1
            UNION ALL
            SELECT d.event_id::text, d.endpoint_id::text, 'foreign or unpublished'
            FROM events_webhookdelivery d
            JOIN core_outboxevent o ON o.id = d.event_id
            JOIN events_webhookendpoint e ON e.id = d.endpoint_id
            WHERE o.published_seq IS NULL OR o.merchant_id IS DISTINCT FROM e.merchant_id
               OR d.merchant_id <> e.merchant_id
        """,
        exercised_sql="SELECT EXISTS (SELECT 1 FROM events_webhookdelivery)",
    ),
    Invariant(
        name="deliveries_none_stuck",
        says="no delivery is overdue by more than 15 minutes, unless its endpoint is paused",
        sql="""
            SELECT d.id, d.endpoint_id, d.due_at FROM events_webhookdelivery d
            JOIN events_webhookendpoint e ON e.id = d.endpoint_id
            WHERE d.status = 'PENDING' AND e.status <> 'PAUSED'
              AND (d.due_at IS NULL OR d.due_at < now() - interval '15 minutes')
        """,
        exercised_sql="SELECT EXISTS (SELECT 1 FROM events_webhookdelivery)",
    ),
)
