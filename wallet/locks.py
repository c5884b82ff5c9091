"""Row locks of holds. They come before the keys of a posting; the wallets are locked by the posting."""

from datetime import datetime
from uuid import UUID

from core.transactions import requires_transaction
from wallet.models import Hold
from wallet.states import OPEN

__all__ = ["lock_due_holds", "lock_hold"]


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
