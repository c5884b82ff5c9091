"""What the lists of webhooks and events give as files; contents are not in them."""

from core.export_columns import MERCHANT, amount_column, column, columns, id_column

__all__ = ["DELIVERIES", "ENDPOINTS", "INBOX", "POSITIONS", "REVENUE", "WORK"]

INBOX = (
    *columns("received_at", "occurred_at", "provider", "type", "provider_event_id", "about"),
    column("channel", "channel_name"),
    column("status"),
    column("work", lambda row: [f"{each.subscriber} {each.status}" for each in row.work.all()]),
)
WORK = (
    column("received_at", "inbox.received_at"),
    column("type", "inbox.type"),
    column("provider_event_id", "inbox.provider_event_id"),
    *columns("subscriber", "status", "attempts", "due_at", "reason"),
)
DELIVERIES = (
    column("created_at"),
    column("type", "event.type"),
    id_column("event", "evt", "event_id"),
    column("subject", "event.subject"),
    id_column("endpoint", "whe", "endpoint_id"),
    column("status"),
    column("tries", "tries_so_far"),
    *columns("finished_at", "redelivered_at"),
)
ENDPOINTS = (
    id_column("endpoint", "whe"),
    column("created_at"),
    MERCHANT,
    *columns("mode", "url", "status", "event_types", "last_success_at"),
)
REVENUE = (
    column("day"),
    MERCHANT,
    amount_column("paid", "paid_minor"),
    column("payments"),
    amount_column("refunded", "refunded_minor"),
    column("refunds"),
    amount_column("net", lambda row: row.paid_minor - row.refunded_minor),
    column("currency"),
)
POSITIONS = columns("name", "published_seq", "moved_at", "attempts", "due_at", "error")
