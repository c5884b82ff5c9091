"""Row locks of refunds: after the checkout, the charge, its operations, the orders and their shares."""

from dataclasses import dataclass, field
from uuid import UUID

from core.transactions import requires_transaction
from payments.models import Refund, RefundLine, RefundPart

__all__ = ["LockedRefund", "lock_refund", "lock_refunds_of_charge"]


@dataclass
class LockedRefund:
    """A refund, locked, with its lines, which never change, by the ids of their orders.

    Where it goes back to the wallets that paid, with what each of them gets.
    """

    refund: Refund
    lines: list[RefundLine]
    parts: list[RefundPart] = field(default_factory=list)


@requires_transaction
def lock_refund(*, refund_id: UUID) -> LockedRefund:
    """Lock one refund, whose charge and orders are locked. Refunds are never deleted."""
    refund = Refund.objects.select_for_update(no_key=True).get(pk=refund_id)
    lines = list(RefundLine.objects.filter(refund_id=refund_id).order_by("order_id"))
    parts = RefundPart.objects.filter(refund_id=refund_id).select_related("balance_part")
    in_order = parts.order_by("balance_part__position", "id")
    return LockedRefund(refund, lines, list(in_order) if refund.destination == "balance" else [])


@requires_transaction
def lock_refunds_of_charge(*, charge_id: UUID) -> list[Refund]:
    """Lock the refunds of a locked charge, by id."""
    return list(Refund.objects.filter(charge_id=charge_id).order_by("id").select_for_update(no_key=True))
