"""The charges that pay a checkout, each with its lines and the first thing that is asked of the provider."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from channels.types import ChannelData
from core import clock
from core.history import Changes
from core.money import from_minor
from core.rows import new_row
from core.transactions import requires_transaction
from payments.engine.operations import new_operation
from payments.engine.saved import customer_of
from payments.locks import ChargeScope
from payments.models import Charge, ChargeLine, PaymentEvent, PaymentOrder, PspOperation, TopUp

__all__ = [
    "FoundCharge",
    "charge_amounts",
    "charge_money",
    "open_charges",
    "open_found_charge",
    "open_top_up_charge",
]


@dataclass(frozen=True)
class FoundCharge:
    """What a provider has of a checkout: its reference, and all that it took, in minor units."""

    id: UUID
    checkout: PaymentEvent
    channel_id: UUID
    reference: str
    amount_minor: int
    currency: str


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
    first = _first(checkout, channel, is_ready)
    for index, group in enumerate(groups):
        total = sum(order.amount_minor for order in group)
        charge = _new_charge(checkout, channel, total, str(group[0].amount_currency))
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
        if is_ready or index == 0:
            operations.append(new_operation(charge, first))
    for operation in operations:
        changes.begin(operation, why=why, by=by)
    changes.insert(charges)
    changes.insert(lines)
    changes.insert(operations)
    return operations


@requires_transaction
def open_top_up_charge(
    top_up: TopUp, channel: ChannelData, changes: Changes, *, by: str, why: str = "accepted"
) -> list[PspOperation]:
    """The one charge of a top-up, which has no lines; as `open_charges`."""
    is_ready = top_up.has_reusable_token or not top_up.save_method
    charge = _new_charge(top_up, channel, top_up.amount_minor, str(top_up.amount_currency))
    operation = new_operation(charge, _first(top_up, channel, is_ready))
    for row in (charge, operation):
        changes.begin(row, why=why, by=by)
    changes.insert([charge])
    changes.insert([operation])
    return [operation]


@requires_transaction
def open_found_charge(
    found: FoundCharge, orders: Sequence[PaymentOrder], changes: Changes, *, live: bool, why: str, by: str
) -> ChargeScope:
    """Make the charge of money that a provider has and we did not ask for; not captured yet, but saved.

    The orders are locked with their checkout. A charge that is not `live` covers none of them.
    """
    checkout, now = found.checkout, clock.now()
    charge = new_row(
        Charge,
        id=found.id,
        merchant_id=checkout.merchant_id,
        checkout_id=checkout.id,
        channel_id=found.channel_id,
        payment_method="card",
        psp_reference=found.reference,
        amount=charge_money(found.amount_minor, found.currency).amount,
        amount_currency=found.currency,
        amount_minor=found.amount_minor,
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
    changes.begin(charge, why=why, by=by)
    changes.insert([charge])
    changes.insert(lines)
    if not live:
        changes.move(charge, charge.to_canceled, why="its orders are paid otherwise, or ended", by=by)
    # What follows reads and writes these rows.
    changes.save()
    return ChargeScope(checkout, charge, [], lines, list(orders))


def _first(payable: PaymentEvent | TopUp, channel: ChannelData, is_ready: bool) -> str:
    """What is asked of the provider first: a token that is not ready is made reusable before it pays."""
    if is_ready:
        return "register"
    return "attach" if customer_of(payable, channel.id) else "customer"


def _new_charge(
    payable: PaymentEvent | TopUp, channel: ChannelData, amount_minor: int, currency: str
) -> Charge:
    created_at = clock.now()
    charge = new_row(
        Charge,
        merchant_id=payable.merchant_id,
        checkout_id=payable.id if isinstance(payable, PaymentEvent) else None,
        top_up_id=payable.id if isinstance(payable, TopUp) else None,
        channel_id=channel.id,
        payment_method=payable.payment_method,
        amount=charge_money(amount_minor, currency).amount,
        amount_currency=currency,
        amount_minor=amount_minor,
        created_at=created_at,
        updated_at=created_at,
    )
    if isinstance(payable, TopUp):
        charge.top_up = payable
    else:
        charge.checkout = payable
    return charge


def charge_money(amount_minor: int, currency: str) -> Any:
    """The value of a money column; the type of the column is unknown to the type checker."""
    return from_minor(amount_minor, currency)
