"""What entries of the books did to wallets: the same movements, seen from the entry."""

from collections.abc import Collection
from uuid import UUID

from django.db.models import Q

from wallet.hold_facts import wallet_data
from wallet.models import WalletOperation
from wallet.types import EntryMove

__all__ = ["moves_of_entries"]

_LINES_PER_ENTRY = 1024
_MOST = 500


def moves_of_entries(*, merchant_id: UUID, entry_ids: Collection[int]) -> list[EntryMove]:
    """Return what these entries of the merchant moved in wallets, in order: at most 500 movements."""
    lines = Q()
    for entry_id in entry_ids:
        first = entry_id * _LINES_PER_ENTRY
        lines |= Q(line_id__gt=first, line_id__lt=first + _LINES_PER_ENTRY)
    if not lines:
        return []
    rows = WalletOperation.objects.filter(lines, merchant_id=merchant_id).select_related("wallet")
    return [
        EntryMove(
            entry_id=row.line_id // _LINES_PER_ENTRY,
            wallet=wallet_data(row.wallet),
            bucket=row.bucket,
            delta_minor=row.delta_minor,
            balance_after_minor=row.balance_after_minor,
            at=row.recorded_at,
        )
        for row in rows.order_by("line_id")[:_MOST]
    ]
