"""Finding a merchant's checkout or order by the store's own name for it or by ours."""

from typing import Any
from uuid import UUID

from core.errors import NotFound
from core.ids import parse_public_id
from payments.models import Dispute, PaymentEvent, PaymentOrder

__all__ = ["by_reference", "checkout_key", "dispute_key", "order_keys"]

_LONGEST = 64


def by_reference(reference: str, prefix: str, column: str) -> dict[str, Any]:
    """Return the filter that a reference means. Raises NotFound for what can be no reference."""
    if len(reference) > _LONGEST or "\x00" in reference:
        raise NotFound()
    key = parse_public_id(reference, prefix)
    return {"id": key} if key else {column: reference}


def checkout_key(*, merchant_id: UUID, reference: str) -> UUID:
    """Return the key of a merchant's checkout. Raises NotFound, also for another merchant's."""
    which = by_reference(reference, "chk", "checkout_id")
    key: UUID | None = (
        PaymentEvent.objects.filter(merchant_id=merchant_id, **which).values_list("id", flat=True).first()
    )
    if key is None:
        raise NotFound()
    return key


def order_keys(*, merchant_id: UUID, reference: str) -> tuple[UUID, UUID]:
    """Return the keys of a merchant's order and of its checkout. Raises NotFound, also for another's."""
    which = by_reference(reference, "pay", "payment_order_id")
    keys: tuple[UUID, UUID] | None = (
        PaymentOrder.objects.filter(merchant_id=merchant_id, **which).values_list("id", "checkout_id").first()
    )
    if keys is None:
        raise NotFound()
    return keys


def dispute_key(*, merchant_id: UUID, reference: str) -> UUID:
    """Return the key of a merchant's dispute by its dp_… id. Raises NotFound, also for another merchant's."""
    key = parse_public_id(reference, "dp") if len(reference) <= _LONGEST else None
    if key is None or not Dispute.objects.filter(merchant_id=merchant_id, pk=key).exists():
        raise NotFound()
    return key
