"""Row locks of holds. They come before the keys of a posting; the wallets are locked by the posting.

What is planned from balances locks the wallets first, all that the posting will lock and by id as it does;
the grants of a wallet are locked under it.
"""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import F

from core.transactions import requires_transaction
from wallet.models import Grant, Hold
from wallet.states import OPEN

__all__ = ["lock_due_holds", "lock_grants", "lock_hold", "lock_holds", "lock_wallets"]


@requires_transaction
def lock_hold(*, merchant_id: UUID, purpose: str, subject: str) -> Hold | None:
    """Lock and return the hold of a purpose and subject, or None if there is none."""
    rows = Hold.objects.filter(merchant_id=merchant_id, purpose=purpose, subject=subject)
    return rows.select_related(None).select_for_update(no_key=True).first()


@requires_transaction
def lock_due_holds(*, at: datetime, limit: int) -> list[Hold]:
    """Lock and return open holds whose time is over, first the one that ran out first.

    Those that somebody is resolving at this moment are left out.
    """
    rows = Hold.objects.filter(state=OPEN, expires_at__lte=at).order_by("expires_at", "id")
    return list(rows.select_for_update(skip_locked=True, no_key=True)[:limit])


@requires_transaction
def lock_holds(*, merchant_id: UUID, hold_ids: Collection[UUID]) -> list[Hold]:
    """Lock and return these holds of a merchant, by id."""
    rows = Hold.objects.filter(merchant_id=merchant_id, id__in=hold_ids).order_by("id")
    return list(rows.select_for_update(no_key=True))


@requires_transaction
def lock_wallets(*, merchant_id: UUID, wallet_ids: Collection[UUID]) -> dict[UUID, int]:
    """Lock these wallets of a merchant, by id; return what is available in each, in minor units."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, available_minor FROM wallet_lock(%s, %s)", [merchant_id, list(wallet_ids)])
        return dict(cursor.fetchall())


@requires_transaction
def lock_grants(*, wallet_id: UUID, currencies: Collection[str]) -> list[Grant]:
    """Lock and return what is left of points in a locked wallet, the oldest grant first."""
    rows = Grant.objects.filter(wallet_id=wallet_id, kind="points", currency__in=currencies)
    left = rows.filter(used_minor__lt=F("amount_minor")).order_by("id")
    return list(left.select_for_update(no_key=True))
