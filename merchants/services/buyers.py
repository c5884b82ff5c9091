"""Buyers, as far as the store tells about them."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from core import clock
from core.transactions import requires_transaction
from merchants import locks
from merchants.facts import buyer_data
from merchants.models import Buyer
from merchants.types import BuyerData

__all__ = ["ensure_buyer"]


@requires_transaction
def ensure_buyer(
    *, merchant_id: UUID, buyer_account: str, personal: Mapping[str, Any] | None = None
) -> BuyerData:
    """Return the merchant's buyer of that account, opened if it is new.

    `personal` (name, e-mail, addresses, …) replaces what is known; without it everything stays. Two calls
    at once meet at the unique index: the later one waits for the earlier one's commit.
    """
    row = Buyer.objects.filter(merchant_id=merchant_id, buyer_account=buyer_account).first()
    if row is None:
        now = clock.now()
        new = Buyer(
            merchant_id=merchant_id,
            buyer_account=buyer_account,
            personal=dict(personal) if personal else None,
            created_at=now,
            updated_at=now,
        )
        Buyer.objects.bulk_create([new], ignore_conflicts=True)
        row = Buyer.objects.get(merchant_id=merchant_id, buyer_account=buyer_account)
    if personal and row.personal != personal:
        # Locked only when there is something to write: most checkouts repeat what is known.
        row = locks.lock_buyer(merchant_id=merchant_id, buyer_account=buyer_account)
        row.personal, row.updated_at = dict(personal), clock.now()
        row.save(update_fields=["personal", "updated_at"])
    return buyer_data(row)
