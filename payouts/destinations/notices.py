"""What people hear of a destination that replaces another one, and of an account that two sellers have."""

from datetime import timedelta

from core.alerts import Alert, end_alert, raise_alert
from core.transactions import requires_transaction
from merchants.types import SellerData
from payouts.destinations.types import Twin
from payouts.models import Destination, Payout

__all__ = ["ALERTS", "notice_added", "notice_settled"]

_CHANGED = Alert(
    name="payout_destination_changed",
    title="A seller wants its money somewhere else",
    says="A seller that was paid out before added a destination. Ask it over a way you had before.",
    due_in=timedelta(hours=24),
)
_SHARED = Alert(
    name="payout_destination_shared",
    title="Two sellers have one account",
    says="A seller added an account that another seller of the merchant has as well.",
    due_in=timedelta(hours=24),
)
ALERTS = (_CHANGED, _SHARED)


@requires_transaction
def notice_added(row: Destination, seller: SellerData, twins: list[Twin]) -> None:
    """Tell people of a new destination where it could be a fraud (A-H3)."""
    detail = {"seller": seller.public_id, "kind": row.kind, "country": row.country, "last4": row.last4}
    others = sorted({each.seller_account for each in twins if each.seller_id != row.seller_id})
    if Payout.objects.filter(merchant_id=row.merchant_id, seller_id=row.seller_id).exists():
        raise_alert(
            _CHANGED.name,
            subject=row.public_id,
            summary=f"{seller.seller_account} added an account that ends with {row.last4}",
            detail=detail | {"name_match": row.name_match},
            merchant_id=row.merchant_id,
            by=row.added_by,
        )
    if others:
        raise_alert(
            _SHARED.name,
            subject=row.public_id,
            summary=f"{seller.seller_account} added an account that {', '.join(others[:3])} has too",
            detail=detail | {"sellers": others},
            merchant_id=row.merchant_id,
            by=row.added_by,
        )


@requires_transaction
def notice_settled(row: Destination, resolution: str) -> None:
    """Close what people were told: somebody decided about the destination, or it is gone."""
    for alert in ALERTS:
        end_alert(alert.name, subject=row.public_id, resolution=resolution)
