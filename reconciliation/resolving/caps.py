"""How much a rule may still post by itself: for one break, and for a business day and currency of a merchant.

Whoever adds to a day's sum holds the lock of that sum until the commit, so that of many at once each sees
what the others have posted. The locks come after those of the breaks, in the order of their names.
"""

from collections.abc import Collection
from datetime import date
from typing import NamedTuple
from uuid import UUID

from django.db.models import Sum

from core.transactions import requires_transaction
from reconciliation.locks import lock_sums
from reconciliation.models import Adjustment

__all__ = ["Purse", "lock_purses", "posted_by_rule"]


class Purse(NamedTuple):
    """What a rule may post in a currency on a business day of a merchant."""

    merchant_id: UUID
    rule_name: str
    currency: str
    day: date


@requires_transaction
def lock_purses(purses: Collection[Purse]) -> None:
    """Hold these sums until the commit."""
    lock_sums(
        names={f"adjusting:{each.merchant_id}:{each.rule_name}:{each.currency}:{each.day}" for each in purses}
    )


@requires_transaction
def posted_by_rule(purse: Purse) -> int:
    """Return what a rule has posted there, in minor units, less what was taken back. Hold its lock."""
    rows = Adjustment.objects.filter(
        merchant_id=purse.merchant_id,
        business_date=purse.day,
        rule_name=purse.rule_name,
        currency=purse.currency,
        automatic=True,
        status="POSTED",
        reverses__isnull=True,
    )
    return int(rows.aggregate(total=Sum("amount_minor"))["total"] or 0)
