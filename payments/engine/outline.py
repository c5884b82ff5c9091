"""One charge as the desk shows it, and what its capture would become."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from payments.engine.capture import shares_of
from payments.models import Charge, PaymentEvent, PaymentOrder

__all__ = ["ChargeData", "ExpectedShare", "expected_shares", "find_charge"]


@dataclass(frozen=True)
class ChargeData:
    """One movement of money at one provider, for a checkout or for a top-up."""

    id: UUID
    checkout_id: UUID | None
    top_up_id: UUID | None
    merchant_id: UUID
    channel_id: UUID
    status: str
    amount_minor: int
    currency: str
    psp_reference: str
    session_reference: str
    created_at: datetime


@dataclass(frozen=True)
class ExpectedShare:
    """What an order's captured money would become; `parts` are the seller's, commission and tax."""

    payment_order_id: str
    seller_account: str
    parts: tuple[int, int, int]


def find_charge(*, charge_id: UUID) -> ChargeData | None:
    """Return one charge, whoever's it is: for the console."""
    row = Charge.objects.filter(pk=charge_id).first()
    if row is None:
        return None
    return ChargeData(
        id=row.id,
        checkout_id=row.checkout_id,
        top_up_id=row.top_up_id,
        merchant_id=row.merchant_id,
        channel_id=row.channel_id,
        status=row.status,
        amount_minor=row.amount_minor,
        currency=str(row.amount_currency),
        psp_reference=row.psp_reference or "",
        session_reference=row.session_reference or "",
        created_at=row.created_at,
    )


def expected_shares(*, charge_id: UUID, captured_minor: int | None = None) -> list[ExpectedShare]:
    """Return what would be posted for each order if the charge was captured, on the terms of its checkout.

    `captured_minor` is how much of a charge with one order.
    """
    orders = list(PaymentOrder.objects.filter(lines__charge_id=charge_id).order_by("position"))
    if not orders:
        return []
    checkout = PaymentEvent.objects.get(pk=orders[0].checkout_id)
    captured = None if captured_minor is None or len(orders) > 1 else {orders[0].position: captured_minor}
    shares = shares_of(
        merchant_id=checkout.merchant_id, orders=orders, at=checkout.created_at, captured=captured
    )
    return [
        ExpectedShare(
            order.payment_order_id,
            order.seller_account,
            (
                shares[order.position].seller_net_minor,
                shares[order.position].commission_minor,
                shares[order.position].tax_minor,
            ),
        )
        for order in orders
    ]
