"""The public shape of payouts: the same in answers and in events."""

from datetime import datetime
from typing import Any

from core.ids import public_id
from core.money import format_minor
from payouts.models import Payout

__all__ = ["moment", "payout_object"]


def moment(value: datetime | None) -> str | None:
    """Return RFC 3339 in UTC with milliseconds."""
    return value.isoformat(timespec="milliseconds").replace("+00:00", "Z") if value else None


def payout_object(payout: Payout) -> dict[str, Any]:
    """Return the payout object; every field is always present."""
    return {
        "object": "payout",
        "id": payout.public_id,
        "seller_account": payout.seller.seller_account,
        "amount": format_minor(payout.amount_minor, payout.currency),
        "fee": format_minor(payout.fee_minor, payout.currency),
        "currency": payout.currency,
        "status": payout.status,
        "destination": public_id("dst", payout.destination_id),
        "failure": payout.failure,
        "provider_reference": payout.provider_reference,
        "metadata": payout.metadata,
        "created_at": moment(payout.created_at),
        "arrival_date": payout.arrival_date.isoformat() if payout.arrival_date else None,
    }
