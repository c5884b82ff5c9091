"""How the desk reads payouts and batches, whosever they are: the console's people are of all merchants."""

from uuid import UUID

from django.db.models import Count, Q, QuerySet, Sum

from core import clock
from payouts.desk.types import BatchAtDesk, Habits, PayoutAtDesk, SendingAtDesk
from payouts.models import Payout, PayoutAttempt, PayoutBatch

__all__ = [
    "batches_in_doubt",
    "find_batch",
    "find_payout",
    "habits_of",
    "payout_at_desk",
    "payouts_at_desk",
    "sendings_in",
    "sendings_of",
]

_WAITING = ("IN_REVIEW", "BLOCKED")
_OF_MONTH = ("REJECTED", "CANCELED", "FAILED")
_MOST_SENDINGS = 500


def payouts_at_desk(*, waiting: bool, limit: int = 100) -> list[PayoutAtDesk]:
    """Return payouts that wait for a person, the oldest day first and its dearest, or the newest others."""
    rows = Payout.objects.select_related("seller")
    if not waiting:
        return [payout_at_desk(row) for row in rows.exclude(status__in=_WAITING).order_by("-pk")[:limit]]
    found = [payout_at_desk(row) for row in rows.filter(status__in=_WAITING).order_by("pk")[:limit]]
    return sorted(found, key=lambda each: (each.created_at.date(), -each.amount_minor, each.id))


def find_payout(*, payout_id: UUID) -> PayoutAtDesk | None:
    """Return one payout, or None."""
    row = Payout.objects.select_related("seller").filter(pk=payout_id).first()
    return payout_at_desk(row) if row else None


def sendings_of(*, payout_id: UUID) -> list[SendingAtDesk]:
    """Return every sending of a payout, in order."""
    return _sendings(PayoutAttempt.objects.filter(payout_id=payout_id).order_by("pk"))


def sendings_in(*, batch_id: UUID) -> list[SendingAtDesk]:
    """Return what is in a batch, in its order."""
    return _sendings(PayoutAttempt.objects.filter(batch_id=batch_id).order_by("position"))


def find_batch(*, batch_id: UUID) -> BatchAtDesk | None:
    """Return one batch, or None."""
    row = PayoutBatch.objects.filter(pk=batch_id).first()
    return _batch(row) if row else None


def batches_in_doubt(*, limit: int = 100) -> list[BatchAtDesk]:
    """Return batches of which nobody knows whether they arrived, the oldest first."""
    return [_batch(row) for row in PayoutBatch.objects.filter(status="UNKNOWN").order_by("pk")[:limit]]


def habits_of(*, payout_id: UUID) -> Habits:
    """Return what was sent to a payout's destination before, and what the seller has of this month."""
    payout = Payout.objects.get(pk=payout_id)
    mine = Payout.objects.filter(
        merchant_id=payout.merchant_id, seller_id=payout.seller_id, amount_currency=payout.currency
    )
    begins = clock.now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    of_month = Q(created_at__gte=begins) & ~Q(status__in=_OF_MONTH)
    month = mine.filter(of_month).aggregate(count=Count("pk"), total=Sum("amount_minor"))
    before = mine.filter(destination_id=payout.destination_id, sent_at__isnull=False)
    return Habits(
        to_destination=before.exclude(pk=payout.pk).count(),
        month_count=month["count"],
        month_minor=int(month["total"] or 0),
    )


def payout_at_desk(row: Payout) -> PayoutAtDesk:
    """Return a row with its seller as the desk shows it."""
    return PayoutAtDesk(
        id=row.id,
        merchant_id=row.merchant_id,
        seller_id=row.seller_id,
        seller_account=row.seller.seller_account,
        wallet_id=row.wallet_id,
        destination_id=row.destination_id,
        channel_id=row.channel_id,
        status=row.status,
        amount_minor=row.amount_minor,
        fee_minor=row.fee_minor,
        return_fee_minor=row.return_fee_minor,
        currency=row.currency,
        origin=row.origin,
        execute_on=row.execute_on,
        requested_by=row.requested_by,
        approved_by=row.approved_by,
        is_automatic=row.auto_approved_by_policy,
        why_held=row.why_held,
        failure=row.failure,
        provider_reference=row.provider_reference,
        arrival_date=row.arrival_date,
        sent_at=row.sent_at,
        created_at=row.created_at,
    )


def _sendings(rows: QuerySet[PayoutAttempt]) -> list[SendingAtDesk]:
    return [_sending(row) for row in rows.select_related("payout__seller", "batch")[:_MOST_SENDINGS]]


def _sending(row: PayoutAttempt) -> SendingAtDesk:
    return SendingAtDesk(
        id=row.id,
        payout_id=row.payout_id,
        batch_id=row.batch_id,
        position=row.position,
        reference=row.reference,
        provider_reference=row.provider_reference,
        status=row.status,
        amount_minor=row.payout.amount_minor,
        currency=row.payout.currency,
        seller_account=row.payout.seller.seller_account,
        failure=row.failure,
        sent_at=row.sent_at,
        file_name=row.batch.file_name,
    )


def _batch(row: PayoutBatch) -> BatchAtDesk:
    return BatchAtDesk(
        id=row.id,
        merchant_id=row.merchant_id,
        channel_id=row.channel_id,
        status=row.status,
        currency=row.currency,
        execute_on=row.execute_on,
        reference=row.reference,
        payouts_count=row.payouts_count,
        total_minor=row.total_minor,
        file_name=row.file_name,
        sha256=bytes(row.sha256).hex() if row.sha256 is not None else "",
        provider_reference=row.provider_reference,
        error=row.error,
        asked=row.asked,
        due_at=row.due_at,
        first_sent_at=row.first_sent_at,
        created_at=row.created_at,
    )
