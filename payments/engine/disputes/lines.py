"""How much of a dispute is of which order, what is reserved for it there, and who bears which part."""

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from core import clock
from core.cases import open_case
from core.ids import public_id
from core.money import format_minor
from core.transactions import requires_transaction
from ledger.templates.splits import split_by_weights
from payments.engine.disputes.locks import DisputeScope
from payments.engine.refunds.shares import divide, returned_so_far
from payments.locks import ChargeScope
from payments.models import Dispute, DisputeLine, PaymentOrder

__all__ = ["OVERLAP", "amounts_of", "fit_excess", "free_lines", "new_lines", "reserve_lines"]

OVERLAP = "refund_dispute_overlap"
_CASE_DUE = timedelta(hours=24)


def new_lines(scope: ChargeScope, dispute: Dispute) -> list[DisputeLine]:
    """Return a new dispute's unsaved lines: pro rata over the orders that the charge pays.

    None where it pays nothing: its money came too late and went back, or tops up a wallet.
    """
    paid = scope.live_lines
    if not paid:
        return []
    parts = split_by_weights(amount_minor=dispute.amount_minor, weights=[line.amount_minor for line in paid])
    return [
        DisputeLine(
            merchant_id=dispute.merchant_id,
            dispute=dispute,
            charge_line=line,
            order_id=line.order_id,
            amount_minor=part,
        )
        for line, part in zip(paid, parts, strict=True)
    ]


@requires_transaction
def reserve_lines(scope: DisputeScope) -> None:
    """Count the dispute against its orders, and decide who bears which part of it.

    What does not fit, because refunds have it already, is counted as returned in excess, by the provider's
    word, and is a case (F-G4).
    """
    for line in scope.lines:
        if line.is_reserved or not line.amount_minor:
            continue
        order = scope.orders[line.order_id]
        part = divide(
            share=scope.shares[line.order_id],
            returned=returned_so_far(order_id=line.order_id),
            amount_minor=line.amount_minor,
            with_commission=True,
        )
        line.seller_minor, line.commission_minor = part.seller_net_minor, part.commission_minor
        line.tax_minor, line.is_reserved = part.tax_minor, True
        line.save()
        order.dispute_reserved_minor += line.amount_minor
        excess = fit_excess(order)
        if excess:
            _tell_overlap(scope, order, excess)


@requires_transaction
def free_lines(scope: DisputeScope) -> None:
    """The dispute takes nothing of its orders any more."""
    for line in scope.lines:
        if not line.is_reserved:
            continue
        line.is_reserved = False
        line.save(update_fields=["is_reserved"])
        order = scope.orders[line.order_id]
        order.dispute_reserved_minor -= line.amount_minor
        fit_excess(order)


def fit_excess(order: PaymentOrder) -> int:
    """Save a locked order whose totals changed, with exactly as much in excess as they need; return that.

    Only facts with the provider's evidence get here; requests are refused where there is nothing left.
    """
    gone = order.refund_reserved_minor + order.dispute_reserved_minor + order.reversed_minor
    order.excess_returned_minor = max(gone - order.captured_minor, 0)
    order.updated_at = clock.now()
    order.save(
        update_fields=["dispute_reserved_minor", "reversed_minor", "excess_returned_minor", "updated_at"]
    )
    return order.excess_returned_minor


def _tell_overlap(scope: DisputeScope, order: PaymentOrder, excess: int) -> None:
    currency = str(order.amount_currency)
    dispute = scope.dispute
    open_case(
        kind=OVERLAP,
        due_in=_CASE_DUE,
        subject=public_id("pay", order.id),
        detail={"dispute_id": str(dispute.id), "order_id": str(order.id)},
        summary=f"{format_minor(excess, currency)} {currency} more than was captured of"
        f" {order.payment_order_id} is refunded and disputed ({dispute.psp_reference}); answer the dispute"
        " with the refund",
        merchant_id=order.merchant_id,
        value_minor=excess,
        currency=currency,
    )


def amounts_of(scope: DisputeScope) -> Mapping[UUID, int]:
    """Return how the dispute is divided now, by order."""
    return {line.order_id: line.amount_minor for line in scope.lines}
