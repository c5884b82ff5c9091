"""When one of two that gave back the same money gives way, who bears the other is divided anew.

What was given back beyond the capture is the seller's alone, and stands in the parts of what came last. Once
an earlier refund failed or another dispute was won, nothing, or less, is beyond: the marketplace returns its
commission with it after all, and the seller gets the difference, or the order's parts would never close.
"""

from collections.abc import Mapping
from uuid import UUID

from core import clock
from core.history import SYSTEM, Changes
from core.transactions import requires_transaction
from ledger.templates.capture import Share
from payments.engine.disputes.books import Books, Part
from payments.engine.disputes.locks import lock_reserving_disputes
from payments.engine.refunds.shares import divide, returned_so_far
from payments.locks import lock_shares
from payments.models import Dispute, DisputeLine, OrderShare, PaymentOrder

__all__ = ["settle_excess"]


@requires_transaction
def settle_excess(
    *,
    charge_id: UUID,
    orders: Mapping[UUID, PaymentOrder],
    changes: Changes,
    shares: Mapping[UUID, OrderShare] | None = None,
    but: UUID | None = None,
    by: str = SYSTEM,
) -> None:
    """Divide anew what disputes of a locked charge bear beyond its orders' excess, when changes are saved.

    Call it after something was freed on the orders, which are locked; `shares` are theirs if they are locked
    already. `but` is a dispute that the caller is changing itself.
    """
    disputes = [each for each in lock_reserving_disputes(charge_id=charge_id) if each.id != but]
    if not disputes:
        return
    locked = lock_shares(order_ids=list(orders)) if shares is None else shares

    def settle() -> None:
        for dispute in disputes:
            _divide_again(dispute, orders, locked, by)

    changes.last(settle)


def _divide_again(
    dispute: Dispute, orders: Mapping[UUID, PaymentOrder], shares: Mapping[UUID, OrderShare], by: str
) -> None:
    """A round of its own: the books take back what the changed lines were, and post what they are."""
    changed: list[tuple[DisputeLine, Share]] = []
    for line in DisputeLine.objects.filter(dispute=dispute, is_reserved=True).order_by("order_id"):
        part = _part_anew(line, orders[line.order_id], shares[line.order_id])
        if part is not None:
            changed.append((line, part))
    if not changed:
        return
    dispute.round += 1
    dispute.updated_at = clock.now()
    dispute.save(update_fields=["round", "updated_at"])
    before = [Part.of(line, orders[line.order_id], shares[line.order_id]) for line, _ in changed]
    for line, part in changed:
        line.seller_minor, line.commission_minor = part.seller_net_minor, part.commission_minor
        line.tax_minor = part.tax_minor
        if dispute.is_held:
            line.hold_subject = f"{dispute.id}:{line.order_id}:{dispute.round}"
        line.save()
    after = [Part.of(line, orders[line.order_id], shares[line.order_id]) for line, _ in changed]
    books = Books(dispute, dispute.round, by)
    if dispute.is_held:
        books.released(before, why="divided anew: less is beyond what was captured")
        books.held(after)
    elif dispute.verdict == "lost" and dispute.borne_by == "seller":
        books.lost_undone(before, borne_by="seller")
        books.held(after)
        books.lost(after, borne_by="seller")


def _part_anew(line: DisputeLine, order: PaymentOrder, share: OrderShare) -> Share | None:
    """Return how a line is divided now, if together with all others it bears too much beyond; else None."""
    returned = returned_so_far(order_id=order.id)
    if returned.seller_net_minor - share.seller_net_minor <= order.excess_returned_minor:
        return None
    others = Share(
        seller_net_minor=returned.seller_net_minor - line.seller_minor,
        commission_minor=returned.commission_minor - line.commission_minor,
        tax_minor=returned.tax_minor - line.tax_minor,
    )
    part = divide(share=share, returned=others, amount_minor=line.amount_minor, with_commission=True)
    was = Share(line.seller_minor, line.commission_minor, line.tax_minor)
    return None if part == was else part
