"""What a payment is made of, as far as other apps know more about it: keys and names, for the console."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from core.ids import public_id
from payments.models import (
    BalancePart,
    Charge,
    ChargeReversal,
    Dispute,
    DisputeMovement,
    OrderRelease,
    OrderShare,
    PaymentEvent,
    PaymentOrder,
    PspOperation,
    Refund,
)

__all__ = ["PaymentParts", "PaymentRows", "SellersPart", "parts_of_payment", "rows_of_payment"]


@dataclass(frozen=True)
class SellersPart:
    """One order's seller, and since when its money can be paid out: None while it can't."""

    order_id: UUID
    order_public_id: str
    seller_id: UUID
    seller_account: str
    currency: str
    released_at: datetime | None


@dataclass(frozen=True)
class PaymentParts:
    """`subjects` are the names of which events tell; `movements` are the keys that lines are matched with."""

    merchant_id: UUID
    checkout_id: UUID
    subjects: tuple[str, ...]
    movements: dict[UUID, str]
    sellers: tuple[SellersPart, ...]


@dataclass(frozen=True)
class PaymentRows:
    """The rows of a checkout, or those that have to do with one of its orders."""

    orders: list[PaymentOrder]
    charges: list[Charge]
    operations: list[PspOperation]
    holds: list[BalancePart]
    refunds: list[Refund]
    disputes: list[Dispute]


def rows_of_payment(*, checkout: PaymentEvent, order_id: UUID | None = None) -> PaymentRows:
    """Return everything of a checkout in the order in which it came; or all that touches one order."""
    orders = PaymentOrder.objects.filter(checkout=checkout)
    charges = Charge.objects.filter(checkout=checkout)
    if order_id is not None:
        orders, charges = orders.filter(pk=order_id), charges.filter(lines__order_id=order_id).distinct()
    charge_rows = list(charges.order_by("id"))
    order_rows = list(orders.order_by("position"))
    refunds = list(Refund.objects.filter(lines__order__in=order_rows).distinct().order_by("id"))
    operations = PspOperation.objects.filter(charge__in=charge_rows).order_by("id")
    # A refund of another order is of the same charge, and none of this order's business.
    of_refunds = Q(refund_id=None) | Q(refund__in=refunds)
    return PaymentRows(
        orders=order_rows,
        charges=charge_rows,
        operations=list(operations.filter(of_refunds) if order_id else operations),
        holds=list(BalancePart.objects.filter(order__in=order_rows).order_by("id")),
        refunds=refunds,
        disputes=list(Dispute.objects.filter(charge__in=charge_rows).order_by("id")),
    )


def parts_of_payment(
    *, merchant_id: UUID, checkout_id: UUID, order_id: UUID | None = None
) -> PaymentParts | None:
    """Return the parts of a merchant's checkout, or of one order of it; None if it is unknown."""
    checkout = PaymentEvent.objects.filter(merchant_id=merchant_id, pk=checkout_id).first()
    if checkout is None:
        return None
    rows = rows_of_payment(checkout=checkout, order_id=order_id)
    return PaymentParts(
        merchant_id=merchant_id,
        checkout_id=checkout_id,
        subjects=(
            public_id("chk", checkout.id),
            *(public_id("pay", each.id) for each in rows.orders),
            *(public_id("re", each.id) for each in rows.refunds),
            *(public_id("dp", each.id) for each in rows.disputes),
        ),
        movements=_movements(rows),
        sellers=tuple(_sellers(rows.orders)),
    )


def _movements(rows: PaymentRows) -> dict[UUID, str]:
    found = {each.id: public_id("chg", each.id) for each in rows.charges}
    found |= {each.id: public_id("re", each.id) for each in rows.refunds}
    late = (each for each in rows.operations if each.kind == "refund" and each.refund_id is None)
    found |= {each.id: public_id("op", each.id) for each in late}
    moved = DisputeMovement.objects.filter(dispute__in=rows.disputes)
    found |= {each.id: public_id("dp", each.dispute_id) for each in moved}
    taken_back = ChargeReversal.objects.filter(charge__in=rows.charges)
    return found | {each.charge_id: public_id("chg", each.charge_id) for each in taken_back}


def _sellers(orders: Iterable[PaymentOrder]) -> Iterable[SellersPart]:
    shares = OrderShare.objects.filter(order__in=list(orders)).select_related("order")
    for share in shares.order_by("order__position"):
        order = share.order
        first = OrderRelease.objects.filter(order=order).order_by("id").first()
        yield SellersPart(
            order_id=order.id,
            order_public_id=public_id("pay", order.id),
            seller_id=order.seller_id,
            seller_account=order.seller_account,
            currency=str(order.amount_currency),
            released_at=first.released_at if first else None,
        )
