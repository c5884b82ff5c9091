"""A refund begins: its rows, what it reserves of the orders, and its first entry, in one transaction."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from core import clock
from core.history import Changes
from core.rows import new_row
from core.transactions import requires_transaction
from payments.engine.charges import charge_money
from payments.engine.operations import new_operation
from payments.engine.refunds.balance import parts_back
from payments.engine.refunds.books import post_accepted
from payments.engine.refunds.facts import refund_fact
from payments.engine.refunds.locks import LockedRefund
from payments.engine.refunds.shares import divide, returned_so_far, returns_commission
from payments.locks import lock_shares
from payments.models import (
    Charge,
    ChargeLine,
    OrderShare,
    PaymentOrder,
    PspOperation,
    Refund,
    RefundLine,
)

__all__ = ["Asked", "Source", "open_refund", "start_refund_operation"]


@dataclass(frozen=True)
class Source:
    """What a refund is of: locked orders, and the charge that took their money, with its lines, if any."""

    orders: Mapping[UUID, PaymentOrder]
    charge: Charge | None = None
    lines: Mapping[UUID, ChargeLine] = field(default_factory=dict)


@dataclass(frozen=True)
class Asked:
    """What is given back of which order, in minor units, to where, and who wants it."""

    amounts: Mapping[UUID, int]
    by: str
    why: str
    origin: str
    destination: str = "instrument"
    wallet_id: UUID | None = None
    reason: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)


@requires_transaction
def open_refund(source: Source, asked: Asked, changes: Changes) -> LockedRefund:
    """Make a refund of locked orders that have as much left, and reserve it. It tells `refund.created`.

    What goes back to a card is taken from who gives it when the changes are saved (R1), so that no seller
    withdraws it meanwhile; what goes to a wallet when it goes there (`books.post_accepted`). Which of the
    wallets that paid get how much is decided here. Raises RefundNotInWholePoints.
    """
    first = next(iter(source.orders.values()))
    merchant_id, currency = first.merchant_id, str(first.amount_currency)
    shares = lock_shares(order_ids=list(asked.amounts))
    now = clock.now()
    total = sum(asked.amounts.values())
    order = source.orders[next(iter(asked.amounts))] if len(asked.amounts) == 1 else None
    refund = Refund(
        merchant_id=merchant_id,
        order=order,
        charge=source.charge,
        destination=asked.destination,
        wallet_id=asked.wallet_id,
        amount=charge_money(total, currency),
        amount_minor=total,
        returns_commission=returns_commission(merchant_id=merchant_id),
        reason=asked.reason,
        metadata=dict(asked.metadata),
        origin=asked.origin,
        created_at=now,
        updated_at=now,
    )
    lines = [_line(refund, source, order_id, shares[order_id], minor) for order_id, minor in _by_id(asked)]
    for order_id, minor in _by_id(asked):
        _reserve(source.orders[order_id], minor, is_done=asked.origin == "psp")
    parts = []
    if refund.destination == "balance":
        assert order is not None, "a balance refund is of one order"
        parts = parts_back(refund=refund, order_id=order.id)
    changes.begin(refund, why=asked.why, by=asked.by, fact=refund_fact(refund, order, "created", parts))
    changes.insert([refund])
    changes.insert(lines)
    changes.insert(parts)
    if refund.destination == "instrument":
        changes.last(lambda: post_accepted(refund, lines, source.orders, shares, source.charge, by=asked.by))
    return LockedRefund(refund, lines, parts)


@requires_transaction
def start_refund_operation(
    refund: Refund, charge: Charge, changes: Changes, *, why: str, by: str, psp_reference: str | None = None
) -> PspOperation:
    """Make the request to the provider for a locked refund, due now.

    With a `psp_reference` it is there already: it is asked about and never sent.
    """
    operation = new_operation(charge, "refund")
    operation.refund, operation.psp_reference = refund, psp_reference
    operation.amount_minor = refund.amount_minor
    changes.begin(operation, why=why, by=by)
    changes.insert([operation])
    return operation


def _by_id(asked: Asked) -> list[tuple[UUID, int]]:
    return sorted(asked.amounts.items())


def _line(refund: Refund, source: Source, order_id: UUID, share: OrderShare, amount_minor: int) -> RefundLine:
    """Return who gives what of one order's part, given what they gave or are giving already."""
    part = divide(
        share=share,
        returned=returned_so_far(order_id=order_id),
        amount_minor=amount_minor,
        with_commission=refund.returns_commission,
    )
    paid = source.lines.get(order_id)
    return new_row(
        RefundLine,
        merchant_id=refund.merchant_id,
        refund_id=refund.id,
        order_id=order_id,
        charge_line_id=paid.id if paid else None,
        amount_minor=amount_minor,
        seller_minor=part.seller_net_minor,
        commission_minor=part.commission_minor,
        tax_minor=part.tax_minor,
    )


def _reserve(order: PaymentOrder, amount_minor: int, *, is_done: bool) -> None:
    """Count it on a locked order. Only what a provider did (`is_done`) may be more than is left.

    Of a request that is more, and that nobody refused before, the database refuses the row.
    """
    order.refund_reserved_minor += amount_minor
    if is_done:
        gone = order.refund_reserved_minor + order.dispute_reserved_minor + order.reversed_minor
        order.excess_returned_minor = max(order.excess_returned_minor, gone - order.captured_minor)
    order.updated_at = clock.now()
    order.save(update_fields=["refund_reserved_minor", "excess_returned_minor", "updated_at"])
