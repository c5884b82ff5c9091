"""A charge that we had and lost: made again under its own id, for what is left of its checkout."""

from collections.abc import Sequence
from uuid import UUID

from channels.types import ChannelData
from core.history import Changes
from core.transactions import requires_transaction
from payments.engine.authorized import PSP
from payments.engine.charges import FoundCharge, open_found_charge
from payments.locks import ChargeScope, CheckoutScope, lock_checkout
from payments.models import PaymentEvent, PaymentOrder
from payments.psp.contract import PspObject

__all__ = ["recreate_charge"]

_WHY = "made again from what the provider has"


@requires_transaction
def recreate_charge(
    *, charge_id: UUID, channel: ChannelData, seen: PspObject, changes: Changes
) -> ChargeScope | None:
    """Make the charge again that a captured payment at the provider is of, not captured yet.

    It pays the failed orders of its checkout that make up its amount, because we were the ones who began a
    new attempt for them. Where no failed orders do, and the whole checkout does, those are paid otherwise or
    were given up: then it covers nothing, and its money is late. None where neither is so, or the checkout is
    gone.
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
    made = FoundCharge(
        charge_id, found.checkout, channel.id, seen.reference, seen.amount_minor, seen.currency
    )
    return open_found_charge(made, orders, changes, live=live, why=_WHY, by=PSP)
