"""The charges that pay a checkout, each with its lines and the first thing that is asked of the provider."""

from collections.abc import Sequence
from typing import Any

from channels.types import ChannelData
from core import clock
from core.history import Changes
from core.money import from_minor
from core.rows import new_row
from core.transactions import requires_transaction
from payments.engine.operations import new_operation
from payments.engine.saved import customer_of
from payments.models import Charge, ChargeLine, PaymentEvent, PaymentOrder, PspOperation

__all__ = ["charge_amounts", "charge_money", "open_charges"]


def charge_amounts(groups: Sequence[Sequence[PaymentOrder]]) -> list[tuple[str, int]]:
    """Return currency and minor units of what one charge for each group of orders takes."""
    return [(group[0].amount_currency, sum(order.amount_minor for order in group)) for group in groups]


@requires_transaction
def open_charges(
    checkout: PaymentEvent,
    groups: Sequence[Sequence[PaymentOrder]],
    channel: ChannelData,
    changes: Changes,
    *,
    by: str,
    why: str = "accepted",
) -> list[PspOperation]:
    """One charge per group of orders; the token is made reusable first where there are several.

    Or where it is to be kept. A method that was kept before is reusable as it is.

    Returns the operations with which they begin, not saved yet.
    """
    charges, lines, operations = [], [], []
    is_ready = checkout.has_reusable_token or (len(groups) == 1 and not checkout.save_method)
    first = "attach" if not is_ready and customer_of(checkout, channel.id) else "customer"
    for index, group in enumerate(groups):
        charge = _new_charge(checkout, group, channel)
        changes.begin(charge, why=why, by=by)
        charges.append(charge)
        lines += [
            new_row(
                ChargeLine,
                merchant_id=checkout.merchant_id,
                charge_id=charge.id,
                order_id=order.id,
                amount_minor=order.amount_minor,
            )
            for order in group
        ]
        if is_ready:
            operations.append(new_operation(charge, "register"))
        elif index == 0:
            operations.append(new_operation(charge, first))
    for operation in operations:
        changes.begin(operation, why=why, by=by)
    changes.insert(charges)
    changes.insert(lines)
    changes.insert(operations)
    return operations


def _new_charge(checkout: PaymentEvent, group: Sequence[PaymentOrder], channel: ChannelData) -> Charge:
    total, created_at = sum(order.amount_minor for order in group), clock.now()
    currency = group[0].amount_currency
    charge = new_row(
        Charge,
        merchant_id=checkout.merchant_id,
        checkout_id=checkout.id,
        channel_id=channel.id,
        payment_method=checkout.payment_method,
        amount=charge_money(total, currency).amount,
        amount_currency=currency,
        amount_minor=total,
        created_at=created_at,
        updated_at=created_at,
    )
    charge.checkout = checkout
    return charge


def charge_money(amount_minor: int, currency: str) -> Any:
    """The value of a money column; the type of the column is unknown to the type checker."""
    return from_minor(amount_minor, currency)
