"""A charge that we had and lost: made again under its own id, for what is left of its checkout."""

from collections.abc import Sequence
from uuid import UUID

from channels.types import ChannelData
from core import clock
from core.history import Changes
from core.rows import new_row
from core.transactions import requires_transaction
from payments.engine.authorized import PSP
from payments.engine.charges import charge_money
from payments.locks import ChargeScope, CheckoutScope, lock_checkout
from payments.models import Charge, ChargeLine, PaymentEvent, PaymentOrder
from payments.psp.contract import PspObject

__all__ = ["recreate_charge"]

_WHY = "made again from what the provider has"


@requires_transaction
def recreate_charge(
    *, charge_id: UUID, channel: ChannelData, seen: PspObject, changes: Changes
) -> ChargeScope | None:
    """Make the charge again that a captured payment at the provider is of, not captured yet.

    It pays the failed orders of its checkout that make up its amount, because we were the ones who began a new
    attempt for them. Where no failed orders do, and the whole checkout does, those are paid otherwise or were
    given up: then it covers nothing, and its money is late. None where neither is so, or the checkout is gone.
    """
    key = (
        PaymentEvent.objects.filter(merchant_id=channel.merchant_id, checkout_id=seen.our_checkout)
        .values_list("id", flat=True)
        .first()
    )
    found = lock_checkout(checkout_id=key) if seen.our_checkout and key else None
    if found is None:
        return None
    alike = [each for each in found.orders if str(each.amount_currency) == seen.currency]
    failed = [each for each in alike if each.status == "FAILED" and found.charge_of(each) is None]
    if _sum(failed) == seen.amount_minor:
        return _charge(charge_id, channel, seen, found, failed, changes, live=True)
    if _sum(alike) == seen.amount_minor:
        return _charge(charge_id, channel, seen, found, alike, changes, live=False)
    return None


def _sum(orders: Sequence[PaymentOrder]) -> int:
    return sum(order.amount_minor for order in orders)


def _charge(
    charge_id: UUID,
    channel: ChannelData,
    seen: PspObject,
    found: CheckoutScope,
    orders: Sequence[PaymentOrder],
    changes: Changes,
    *,
    live: bool,
) -> ChargeScope:
    checkout, now = found.checkout, clock.now()
    charge = new_row(
        Charge,
        id=charge_id,
        merchant_id=checkout.merchant_id,
        checkout_id=checkout.id,
        channel_id=channel.id,
        payment_method="card",
        psp_reference=seen.reference,
        amount=charge_money(seen.amount_minor, seen.currency).amount,
        amount_currency=seen.currency,
        amount_minor=seen.amount_minor,
        created_at=now,
        updated_at=now,
    )
    charge.checkout = checkout
    lines = [
        new_row(
            ChargeLine,
            merchant_id=checkout.merchant_id,
            charge_id=charge.id,
            order_id=order.id,
            amount_minor=order.amount_minor,
            live=live,
        )
        for order in orders
    ]
    for line, order in zip(lines, orders, strict=True):
        line.order = order
    changes.begin(charge, why=_WHY, by=PSP)
    changes.insert([charge])
    changes.insert(lines)
    if not live:
        changes.move(charge, charge.to_canceled, why="its orders are paid otherwise, or ended", by=PSP)
    # What follows reads and writes these rows.
    changes.save()
    return ChargeScope(checkout, charge, [], lines, list(orders))
