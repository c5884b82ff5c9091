"""What the refund desk shows: what waits for a person, one refund, and an order that can be refunded."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from payments.engine.balance import parts_of_order
from payments.engine.refunds.reviews import review_above
from payments.engine.refunds.shares import left_to_refund
from payments.models import PaymentOrder, Refund, RefundLine

__all__ = [
    "RefundData",
    "RefundPart",
    "RefundableOrder",
    "WalletBack",
    "find_refund",
    "find_refundable",
    "needs_two_people",
    "refunds_at_desk",
]


@dataclass(frozen=True)
class RefundPart:
    """One order's part of a refund, and who gives what of it, in minor units."""

    order_id: UUID
    payment_order_id: str
    seller_account: str
    amount_minor: int
    seller_minor: int
    commission_minor: int
    tax_minor: int


@dataclass(frozen=True)
class WalletBack:
    """What one of the wallets that paid gets back: its units, and what they are worth, in minor units."""

    wallet_id: UUID
    kind: str
    units_minor: int
    worth_minor: int


@dataclass(frozen=True)
class RefundData:
    """One refund; amounts in minor units of its currency."""

    id: UUID
    merchant_id: UUID
    checkout_id: UUID
    status: str
    amount_minor: int
    currency: str
    destination: str
    origin: str
    reason: str
    psp_reference: str
    failure: str
    created_at: datetime
    parts: tuple[RefundPart, ...]
    wallets: tuple[WalletBack, ...]


@dataclass(frozen=True)
class RefundableOrder:
    """An order, and what of it can still be refunded, in minor units; `has_charge`: to a card as well.

    Of one that a balance paid, `kinds` are those of the wallets that paid, which get it back.
    """

    id: UUID
    merchant_id: UUID
    checkout_id: UUID
    payment_order_id: str
    seller_account: str
    buyer_account: str
    currency: str
    captured_minor: int
    left_minor: int
    has_charge: bool
    kinds: tuple[str, ...]


def refunds_at_desk(*, waiting: bool, limit: int = 100) -> list[RefundData]:
    """Return refunds that wait for a second person, the oldest first, or the newest of the others."""
    rows = Refund.objects.prefetch_related("lines__order", "parts__balance_part")
    if waiting:
        return [_data(row) for row in rows.filter(status="IN_REVIEW").order_by("pk")[:limit]]
    return [_data(row) for row in rows.exclude(status="IN_REVIEW").order_by("-pk")[:limit]]


def find_refund(*, refund_id: UUID) -> RefundData | None:
    """Return one refund, or None."""
    rows = Refund.objects.prefetch_related("lines__order", "parts__balance_part")
    row = rows.filter(pk=refund_id).first()
    return _data(row) if row else None


def find_refundable(*, order_id: UUID) -> RefundableOrder | None:
    """Return an order as the desk needs it, or None."""
    order = PaymentOrder.objects.filter(pk=order_id).first()
    if order is None:
        return None
    return RefundableOrder(
        id=order.id,
        merchant_id=order.merchant_id,
        checkout_id=order.checkout_id,
        payment_order_id=order.payment_order_id,
        seller_account=order.seller_account,
        buyer_account=order.buyer_account,
        currency=str(order.amount_currency),
        captured_minor=order.captured_minor,
        left_minor=left_to_refund(order),
        has_charge=order.lines.filter(live=True).exists(),
        kinds=tuple(each.kind for each in parts_of_order(order_id=order.id)),
    )


def needs_two_people(*, merchant_id: UUID, currency: str) -> int:
    """Return above how many minor units a refund that is asked for here needs a second person."""
    return review_above(merchant_id=merchant_id, currency=currency)


def _data(row: Refund) -> RefundData:
    lines: list[RefundLine] = sorted(row.lines.all(), key=lambda line: line.order.position)
    failure = row.failure or {}
    return RefundData(
        id=row.id,
        merchant_id=row.merchant_id,
        checkout_id=lines[0].order.checkout_id,
        status=row.status,
        amount_minor=row.amount_minor,
        currency=str(row.amount_currency),
        destination=row.destination,
        origin=row.origin,
        reason=row.reason,
        psp_reference=row.psp_reference or "",
        failure=str(failure.get("decline_code") or failure.get("message") or ""),
        created_at=row.created_at,
        parts=tuple(_part(line) for line in lines),
        wallets=_wallets(row),
    )


def _part(line: RefundLine) -> RefundPart:
    return RefundPart(
        order_id=line.order_id,
        payment_order_id=line.order.payment_order_id,
        seller_account=line.order.seller_account,
        amount_minor=line.amount_minor,
        seller_minor=line.seller_minor,
        commission_minor=line.commission_minor,
        tax_minor=line.tax_minor,
    )


def _wallets(row: Refund) -> tuple[WalletBack, ...]:
    """What each wallet gets, in order of payment; points of several grants as one."""
    found: dict[UUID, WalletBack] = {}
    for part in sorted(row.parts.all(), key=lambda each: each.balance_part.position):
        paid = part.balance_part
        so_far = found.get(paid.wallet_id, WalletBack(paid.wallet_id, paid.kind, 0, 0))
        found[paid.wallet_id] = replace(
            so_far,
            units_minor=so_far.units_minor + part.units_minor,
            worth_minor=so_far.worth_minor + part.amount_minor,
        )
    return tuple(found.values())
