"""Payments whose money is reserved, as the desk shows them: those whose time ends first at the top."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef

from payments.models import Charge, PspOperation

__all__ = ["Reserved", "reserved"]


@dataclass(frozen=True)
class Reserved:
    """A charge with authorised money (minor units); `disposing` is what is under way, if anything is."""

    charge_id: UUID
    checkout_id: UUID
    merchant_id: UUID
    channel_id: UUID
    authorized_minor: int
    currency: str
    capture_before: datetime
    disposing: str


def reserved(*, limit: int = 100, only: Collection[UUID] | None = None) -> list[Reserved]:
    """Return charges whose money is reserved, at most `limit`, those that end first at the top."""
    rows = Charge.objects.filter(status="AUTHORIZED")
    if only is not None:
        rows = rows.filter(pk__in=only)
    alive = PspOperation.objects.filter(charge=OuterRef("pk")).exclude(status__in=["DECLINED", "CANCELED"])
    rows = rows.annotate(
        is_taken=Exists(alive.filter(kind="capture")), is_given_back=Exists(alive.filter(kind="void"))
    )
    found = []
    for row in rows.order_by("capture_before")[:limit]:
        assert row.capture_before is not None, "the database asks for it"
        assert row.checkout_id is not None, "nothing of a top-up is reserved"
        found.append(
            Reserved(
                charge_id=row.id,
                checkout_id=row.checkout_id,
                merchant_id=row.merchant_id,
                channel_id=row.channel_id,
                authorized_minor=row.authorized_minor,
                currency=str(row.amount_currency),
                capture_before=row.capture_before,
                disposing="capture" if row.is_taken else "void" if row.is_given_back else "",
            )
        )
    return found
