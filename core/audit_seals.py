"""The chain over the audit trail: what was recorded can be proved later, record by record."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.db import connection
from django.db.models import Max

from core import clock
from core.models import AuditFence, AuditRecord, AuditSeal
from core.transactions import forbids_transaction

__all__ = ["TrailLag", "TrailRoot", "advance_audit_fence", "seal_audit_trail", "trail_lag", "trail_root"]


@dataclass(frozen=True)
class TrailRoot:
    """The hash that stands for every audit record up to `last_seq`: that of one block of the chain."""

    block: int
    last_seq: int
    hash: str
    sealed_at: datetime


@dataclass(frozen=True)
class TrailLag:
    """How far the seals are behind the trail; `waits_for` is "nothing", "fence" or "sealer"."""

    sealed_seq: int
    safe_seq: int
    seconds: float
    waits_for: str


@forbids_transaction
def advance_audit_fence() -> int:
    """Move the fence one step; return the highest number below which no record can appear any more."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT core_audit_fence_step()")
        return int(cursor.fetchone()[0])


@forbids_transaction
def seal_audit_trail() -> int:
    """Seal the records below the fence, each block in a commit of its own; return how many were sealed."""
    total = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute("SELECT core_audit_seal_step()")
            sealed = int(cursor.fetchone()[0])
        if not sealed:
            return total
        total += sealed


def trail_root(*, day: date | None = None) -> TrailRoot | None:
    """Return the newest block of the chain, or the last one sealed by the end of a day (UTC)."""
    blocks = AuditSeal.objects.all()
    if day is not None:
        blocks = blocks.filter(sealed_at__lt=datetime.combine(day + timedelta(days=1), time.min, UTC))
    row = blocks.order_by("-number").first()
    if row is None:
        return None
    return TrailRoot(
        block=row.number, last_seq=row.last_seq, hash=bytes(row.hash).hex(), sealed_at=row.sealed_at
    )


def trail_lag() -> TrailLag:
    """Return how far the seals are behind the audit trail: what an alert looks at."""
    sealed = AuditSeal.objects.aggregate(last=Max("last_seq"))["last"] or 0
    safe = AuditFence.objects.get().safe_seq
    oldest = AuditRecord.objects.filter(seq__gt=sealed).order_by("seq").only("seq", "recorded_at").first()
    if oldest is None:
        return TrailLag(sealed_seq=sealed, safe_seq=safe, seconds=0.0, waits_for="nothing")
    return TrailLag(
        sealed_seq=sealed,
        safe_seq=safe,
        seconds=max(0.0, (clock.now() - oldest.recorded_at).total_seconds()),
        waits_for="sealer" if oldest.seq <= safe else "fence",
    )
