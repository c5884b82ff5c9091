"""What is normal for a seller: so that who says yes sees what is not."""

from statistics import median_low
from uuid import UUID

from payouts.models import Payout
from payouts.types import UsualData

__all__ = ["usual_of"]

_LOOKS_BACK = 50


def usual_of(*, merchant_id: UUID, seller_id: UUID, currency: str) -> UsualData:
    """Return what was usual in the seller's last fifty payouts in the currency that were sent."""
    sent = Payout.objects.filter(
        merchant_id=merchant_id, seller_id=seller_id, amount_currency=currency, sent_at__isnull=False
    )
    last = list(sent.order_by("-created_at", "-pk")[:_LOOKS_BACK])
    amounts = [each.amount_minor for each in last]
    newest = last[0] if last else None
    return UsualData(
        count=len(last),
        median_minor=median_low(amounts) if amounts else None,
        largest_minor=max(amounts, default=None),
        last_minor=newest.amount_minor if newest else None,
        last_on=newest.sent_at.date() if newest and newest.sent_at else None,
        last_destination_id=newest.destination_id if newest else None,
    )
