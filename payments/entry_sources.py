"""Which payment, top-up, refund or dispute an entry of the books was posted for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

from core.ids import parse_public_id
from payments.models import (
    BalancePart,
    Charge,
    Dispute,
    DisputeMovement,
    PaymentOrder,
    PspOperation,
    Refund,
    TopUpReturn,
)

__all__ = ["SOURCES", "PaymentBehind", "payment_behind"]

_NOBODY = UUID(int=0)


@dataclass(frozen=True)
class PaymentBehind:
    """What stands behind an entry: a checkout or a top-up, and its part that the entry is about.

    `subjects` are the keys under which settlement lines are matched to it.
    """

    checkout_id: UUID | None = None
    top_up_id: UUID | None = None
    refund_id: UUID | None = None
    dispute_id: UUID | None = None
    subjects: tuple[UUID, ...] = ()


def payment_behind(*, merchant_id: UUID, source: str, source_ref: str) -> PaymentBehind | None:
    """Return what the merchant's entry of this source is about; None for what is not pay-in, or unknown."""
    find = _FINDERS.get(source)
    return find(merchant_id, source_ref) if find else None


def _charge(merchant_id: UUID, ref: str) -> PaymentBehind | None:
    row = Charge.objects.filter(merchant_id=merchant_id, pk=_key(ref)).first()
    return _of_charge(row) if row else None


def _refund(merchant_id: UUID, ref: str) -> PaymentBehind | None:
    row = Refund.objects.filter(merchant_id=merchant_id, pk=_key(ref)).first()
    if row is None:
        # What came too late for any order is given back by an operation alone.
        operation = PspOperation.objects.filter(merchant_id=merchant_id, pk=_key(ref)).first()
        return _of_charge(operation.charge) if operation else None
    checkout = row.order.checkout_id if row.order else row.charge.checkout_id if row.charge else None
    return PaymentBehind(
        checkout_id=checkout,
        top_up_id=row.charge.top_up_id if row.charge else None,
        refund_id=row.id,
        subjects=(row.id,),
    )


def _order(merchant_id: UUID, ref: str) -> PaymentBehind | None:
    row = PaymentOrder.objects.filter(merchant_id=merchant_id, pk=_key(ref, "pay")).first()
    return PaymentBehind(checkout_id=row.checkout_id) if row else None


def _dispute(merchant_id: UUID, ref: str) -> PaymentBehind | None:
    row = Dispute.objects.filter(merchant_id=merchant_id, pk=_key(ref.partition(":")[0], "dp")).first()
    return _of_dispute(row) if row else None


def _movement(merchant_id: UUID, ref: str) -> PaymentBehind | None:
    row = DisputeMovement.objects.filter(merchant_id=merchant_id, pk=_key(ref)).first()
    return _of_dispute(row.dispute, row.id) if row else None


def _top_up_return(merchant_id: UUID, ref: str) -> PaymentBehind | None:
    row = TopUpReturn.objects.filter(merchant_id=merchant_id, pk=_key(ref)).first()
    return PaymentBehind(top_up_id=row.top_up_id, subjects=(row.charge_id, row.id)) if row else None


def _hold(merchant_id: UUID, ref: str) -> PaymentBehind | None:
    part = BalancePart.objects.filter(hold_id=_key(ref, "hold")).select_related("order").first()
    if part is None or part.order.merchant_id != merchant_id:
        return None
    return PaymentBehind(checkout_id=part.order.checkout_id)


def _of_charge(charge: Charge) -> PaymentBehind:
    return PaymentBehind(checkout_id=charge.checkout_id, top_up_id=charge.top_up_id, subjects=(charge.id,))


def _of_dispute(dispute: Dispute, *subjects: UUID) -> PaymentBehind:
    charge = dispute.charge
    return PaymentBehind(
        checkout_id=charge.checkout_id,
        top_up_id=charge.top_up_id,
        dispute_id=dispute.id,
        subjects=(dispute.id, *subjects),
    )


def _key(text: str, prefix: str = "") -> UUID:
    """Return the key in a reference, as it is or as it is shown outside; else one that nothing has."""
    if prefix and (key := parse_public_id(text, prefix)):
        return key
    try:
        return UUID(text)
    except ValueError:
        return _NOBODY


_FINDERS: Mapping[str, Callable[[UUID, str], PaymentBehind | None]] = {
    "charge": _charge,
    "refund": _refund,
    "release": _order,
    "reserve_tranche": _order,
    "dispute": _dispute,
    "dispute_hold": _dispute,
    "dispute_movement": _movement,
    "top_up_return": _top_up_return,
    "hold": _hold,
}
SOURCES = tuple(_FINDERS)
