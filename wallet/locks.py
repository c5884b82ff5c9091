"""Row locks of holds and wallets, holds first. A posting locks its wallets itself, after its keys.

Whoever must know what is in a wallet before the entry is made locks it here. No other transaction waits for
the keys of that entry then: they belong to rows that the caller has locked.
"""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import F, Q

from core.transactions import requires_transaction
from wallet.models import Grant, Hold
from wallet.states import OPEN
from wallet.types import Balances

__all__ = [
    "lock_due_holds",
    "lock_grants",
    "lock_hold",
    "lock_holds",
    "lock_tranche",
    "lock_wallets",
]


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
def lock_grants(*, wallet_id: UUID, currencies: Collection[str]) -> list[Grant]:
    """Lock and return what is left of points in a locked wallet, the oldest grant first."""
    rows = Grant.objects.filter(wallet_id=wallet_id, kind="points", currency__in=currencies)
    left = rows.filter(used_minor__lt=F("amount_minor")).order_by("id")
    return list(left.select_for_update(no_key=True))


@requires_transaction
def lock_tranche(*, merchant_id: UUID, subject: str) -> Hold | None:
    """Lock and return the open tranche of the reserve that was kept of a subject, or None.

    What is left of a tranche that was drawn on is a new one, numbered behind the subject.
    """
    rows = Hold.objects.filter(Q(subject=subject) | Q(subject__startswith=f"{subject}:"), state=OPEN)
    rows = rows.filter(merchant_id=merchant_id, purpose="reserve").order_by("id")
    return rows.select_related(None).select_for_update(no_key=True).first()


@requires_transaction
def lock_wallets(*, merchant_id: UUID, wallet_ids: Collection[UUID]) -> dict[UUID, Balances]:
    """Lock wallets of a merchant, in the order of their ids, and return what is in each of them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM wallet_lock(%s, %s::uuid[])", [merchant_id, sorted(set(wallet_ids))])
        return {key: Balances(*amounts) for key, *amounts in cursor.fetchall()}
