"""Payouts by every name that anybody knows them by, and those that followed on a sale; for the console."""

from datetime import datetime
from uuid import UUID

from django.db.models import Q

from core.ids import parse_public_id
from merchants.selectors import merchant_ids
from payouts.desk.reading import payout_at_desk
from payouts.desk.types import PayoutAtDesk
from payouts.models import Payout, PayoutAttempt, PayoutBatch

__all__ = ["find_payouts", "payouts_since"]

_MOST = 20
_AT_BANK = "po"


def find_payouts(*, term: str) -> list[PayoutAtDesk]:
    """Return payouts of this name: ours, that of a sending, of a batch, or the provider's; at most 20."""
    keys = {key for key in (parse_public_id(term, "po"), _at_bank(term)) if key}
    if not keys:
        merchants = merchant_ids()
        named = Q(reference=term.lower()) | Q(provider_reference=term)
        sendings = PayoutAttempt.objects.filter(named, merchant_id__in=merchants)
        keys = set(sendings.order_by().values_list("payout_id", flat=True)[:_MOST])
        keys |= _of_batch(term, merchants)
    rows = Payout.objects.select_related("seller").filter(pk__in=keys).order_by("pk")
    return [payout_at_desk(row) for row in rows[:_MOST]]


def payouts_since(
    *, merchant_id: UUID, seller_id: UUID, currency: str, since: datetime, limit: int
) -> list[PayoutAtDesk]:
    """Return the first payouts of a seller in one currency that were asked for since then, oldest first."""
    rows = Payout.objects.select_related("seller").filter(
        merchant_id=merchant_id, seller_id=seller_id, created_at__gte=since, amount_currency=currency
    )
    return [payout_at_desk(row) for row in rows.order_by("created_at", "pk")[:limit]]


def _at_bank(term: str) -> UUID | None:
    """A payout as it is called on statements: its id without the underscore."""
    name = term.lower()
    return parse_public_id(f"{_AT_BANK}_{name[2:]}", _AT_BANK) if name.startswith(_AT_BANK) else None


def _of_batch(term: str, merchants: list[UUID]) -> set[UUID]:
    batches = PayoutBatch.objects.filter(merchant_id__in=merchants)
    key = parse_public_id(term, "pob")
    batch = batches.filter(pk=key) if key else batches.filter(reference=term.lower())
    rows = PayoutAttempt.objects.filter(batch__in=batch).order_by("position")
    return set(rows.values_list("payout_id", flat=True)[:_MOST])
