"""The chain of seals: what to keep elsewhere, and how far it is behind."""

from datetime import UTC, date, datetime, time, timedelta

from django.db.models import Max

from core import clock
from ledger.models import Fence, JournalEntry, Seal
from ledger.types import ChainRoot, SealingLag

__all__ = ["chain_root", "sealing_lag"]


def chain_root(*, day: date | None = None) -> ChainRoot | None:
    """Return the newest block of the chain, or the last one sealed by the end of a day (UTC).

    Whoever keeps its hash somewhere else can show later that the books only grew since. None without a block.
    """
    blocks = Seal.objects.all()
    if day is not None:
        blocks = blocks.filter(sealed_at__lt=datetime.combine(day + timedelta(days=1), time.min, UTC))
    row = blocks.order_by("-number").first()
    if row is None:
        return None
    return ChainRoot(
        block=row.number, last_entry=row.last_entry, hash=bytes(row.hash).hex(), sealed_at=row.sealed_at
    )


def sealing_lag() -> SealingLag:
    """Return how far the seals are behind the books: what an alert looks at."""
    sealed = Seal.objects.aggregate(last=Max("last_entry"))["last"] or 0
    safe = Fence.objects.get().safe_entry
    oldest = JournalEntry.objects.filter(id__gt=sealed).order_by("id").only("id", "recorded_at").first()
    if oldest is None:
        return SealingLag(sealed_entry=sealed, safe_entry=safe, seconds=0.0, waits_for="nothing")
    return SealingLag(
        sealed_entry=sealed,
        safe_entry=safe,
        seconds=max(0.0, (clock.now() - oldest.recorded_at).total_seconds()),
        waits_for="sealer" if oldest.id <= safe else "fence",
    )
