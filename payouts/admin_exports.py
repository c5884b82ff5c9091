"""What the lists of pay-out give as files. Accounts are named as the lists name them: never in full."""

from core.export_columns import MERCHANT, actor_column, amount_column, column, columns, id_column

__all__ = ["BATCHES", "BLOCKS", "DESTINATIONS", "PAYOUTS", "SCHEDULES"]

PAYOUTS = (
    id_column("payout", "po"),
    *columns("created_at", "status"),
    column("seller_account", "seller.seller_account"),
    MERCHANT,
    amount_column("amount", "amount_minor", "amount_currency"),
    amount_column("fee", "fee_minor", "amount_currency"),
    column("currency", "amount_currency"),
    id_column("destination", "dst", "destination_id"),
    column("to", lambda row: f"{row.destination.country} …{row.destination.last4}"),
    *columns(
        "origin", "execute_on", "provider_reference", "sent_at", "paid_at", "returned_at", "arrival_date"
    ),
    column("failure", lambda row: (row.failure or {}).get("code", "")),
)
BATCHES = (
    id_column("batch", "pob"),
    *columns("created_at", "status"),
    MERCHANT,
    column("channel", "channel.name"),
    column("payouts_count"),
    amount_column("total", "total_minor"),
    *columns("currency", "execute_on", "reference", "file_name", "provider_reference", "last_sent_at"),
)
DESTINATIONS = (
    id_column("destination", "dst"),
    *columns("created_at", "status"),
    column("seller_account", "seller.seller_account"),
    MERCHANT,
    *columns("kind", "country", "last4", "bank", "currency", "name_match", "is_default"),
    *columns("usable_from", "verified_at", "removed_at"),
)
BLOCKS = (
    column("placed_at"),
    column("seller_account", lambda row: row.seller.seller_account if row.seller else ""),
    MERCHANT,
    *columns("currency", "source", "source_ref", "reason"),
    actor_column("placed_by"),
    column("lifted_at"),
    actor_column("lifted_by"),
    column("lifted_because"),
)
SCHEDULES = (MERCHANT, *columns("is_enabled", "timezone", "cut_off", "calendar", "updated_at"))
