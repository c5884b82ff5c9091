"""A provider denies a payment that the books have (A4): what was credited for it is taken back.

As when a rail takes a payment back (R8), but nothing was there to be taken: no line of a file tells of it.
The entry is reconciliation's, with its adjustment; who gives how much is decided here. When the provider has
the payment after all, the sellers get back what they gave.
"""

from collections.abc import Sequence
from uuid import UUID

from core import clock
from core.history import SYSTEM, Changes
from core.transactions import requires_transaction
from ledger.templates.refunds import FailedOrder, ReturnedOrder
from payments.engine.cover import Restoring, Taking, give_back_to_sellers, take_from_sellers
from payments.engine.disputes.lines import fit_excess
from payments.engine.facts import order_fact
from payments.engine.refunds.compensation import note_checkout_totals
from payments.engine.refunds.shares import divide, left_to_refund, returned_so_far
from payments.locks import ChargeScope, lock_charge, lock_shares
from payments.models import ChargeDenial, ChargeLine, DenialLine, OrderShare, PaymentOrder
from payments.types import OrderPart

__all__ = ["deny_capture", "hold_charge", "undo_denial", "what_denial_takes"]


@requires_transaction
def hold_charge(*, charge_id: UUID) -> None:
    """Lock a charge with all that is paid by it, before rows of higher apps are locked."""
    scope = lock_charge(charge_id=charge_id)
    if scope is not None:
        lock_shares(order_ids=[order.id for order in scope.orders])


def what_denial_takes(*, charge_id: UUID, amount_minor: int) -> tuple[OrderPart, ...]:
    """Return what each order gives back if so much of its charge is denied, in the order of the checkout.

    Never more than is left of it: what was refunded or is disputed went back once. Empty where the charge
    pays no order, or is denied already: then nobody can be asked but the marketplace.
    """
    if ChargeDenial.objects.filter(charge_id=charge_id, ended_at__isnull=True).exists():
        return ()
    lines = ChargeLine.objects.filter(charge_id=charge_id, live=True, charge__status="CAPTURED")
    orders = list(PaymentOrder.objects.filter(pk__in=lines.values("order_id")).order_by("position"))
    shares = {each.order_id: each for each in OrderShare.objects.filter(order__in=orders)}
    parts, left = [], amount_minor
    for order in orders:
        takes = min(left_to_refund(order), left)
        if takes and order.id in shares:
            parts.append(_part(order, shares[order.id], takes))
            left -= takes
    return tuple(parts)


@requires_transaction
def deny_capture(
    *, charge_id: UUID, amount_minor: int, adjustment_id: UUID, by: str = SYSTEM
) -> list[ReturnedOrder]:
    """Let the orders of a charge give back what its provider denies; return who gives it, for the entry.

    The wallets are locked by this, so call it last, and post the entry in the same transaction with exactly
    these parts (`wallet.services.post_netted`). They are those of `what_denial_takes`.
    """
    scope = lock_charge(charge_id=charge_id)
    assert scope is not None, "charges are never deleted"
    shares = lock_shares(order_ids=[order.id for order in scope.orders])
    parts = what_denial_takes(charge_id=charge_id, amount_minor=amount_minor)
    if not parts:
        return []
    orders = {order.id: order for order in scope.orders}
    _write(scope, parts, adjustment_id)
    changes = Changes()
    for part in parts:
        _count(scope, orders[part.order_id], part.amount_minor, "reversed", changes)
    note_checkout_totals(scope.checkout.id, changes)
    changes.save()
    takings = [Taking(orders[each.order_id], shares[each.order_id], each.seller_minor) for each in parts]
    taken = take_from_sellers(takings=takings, by=by)
    return [ReturnedOrder(taken[each.order_id], each.commission_minor, each.tax_minor) for each in parts]


@requires_transaction
def undo_denial(*, adjustment_id: UUID) -> list[FailedOrder]:
    """Give sellers back what they gave by an adjustment; return who gets it, for the entry; empty for none.

    The same rules as for `deny_capture`. It does not become pending again.
    """
    denial = ChargeDenial.objects.filter(adjustment_id=adjustment_id, ended_at__isnull=True).first()
    if denial is None:
        return []
    scope = lock_charge(charge_id=denial.charge_id)
    assert scope is not None, "charges are never deleted"
    orders = {order.id: order for order in scope.orders}
    lines = list(DenialLine.objects.filter(denial=denial).order_by("order__position"))
    denial.ended_at = clock.now()
    denial.save(update_fields=["ended_at"])
    changes = Changes()
    for line in lines:
        _count(scope, orders[line.order_id], -line.amount_minor, "reinstated", changes)
    note_checkout_totals(scope.checkout.id, changes)
    changes.save()
    restored = give_back_to_sellers(
        restorings=[Restoring(orders[each.order_id], each.seller_minor) for each in lines]
    )
    return [FailedOrder(*restored[each.order_id], each.commission_minor, each.tax_minor) for each in lines]


def _part(order: PaymentOrder, share: OrderShare, minor: int) -> OrderPart:
    given = returned_so_far(order_id=order.id)
    part = divide(share=share, returned=given, amount_minor=minor, with_commission=True)
    return OrderPart(
        order.id,
        order.payment_order_id,
        order.seller_account,
        part.seller_net_minor,
        part.commission_minor,
        part.tax_minor,
    )


def _write(scope: ChargeScope, parts: Sequence[OrderPart], adjustment_id: UUID) -> None:
    charge = scope.charge
    denial = ChargeDenial(
        merchant_id=charge.merchant_id,
        charge=charge,
        adjustment_id=adjustment_id,
        amount_minor=sum(each.amount_minor for each in parts),
        recorded_at=clock.now(),
    )
    denial.save(force_insert=True)
    DenialLine.objects.bulk_create(
        DenialLine(
            merchant_id=charge.merchant_id,
            denial=denial,
            order_id=each.order_id,
            amount_minor=each.amount_minor,
            seller_minor=each.seller_minor,
            commission_minor=each.commission_minor,
            tax_minor=each.tax_minor,
        )
        for each in parts
    )


def _count(scope: ChargeScope, order: PaymentOrder, minor: int, what: str, changes: Changes) -> None:
    order.reversed_minor += minor
    fit_excess(order)
    changes.emit(order, order_fact(scope, order, what))
