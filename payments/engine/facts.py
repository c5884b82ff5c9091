"""The events that pay-in tells the world."""

from channels.selectors import get_channel
from core.history import Changes, Fact
from core.ids import public_id
from payments.locks import ChargeScope
from payments.models import PaymentEvent, PaymentOrder
from payments.snapshots import order_object

__all__ = ["move_orders", "order_fact", "uncharged_fact"]


def order_fact(scope: ChargeScope, order: PaymentOrder, what: str) -> Fact:
    """Return the event `payment.<what>` about an order, with the order as it is after the change."""
    channel = get_channel(channel_id=scope.charge.channel_id)
    return Fact(
        f"payment.{what}",
        public_id("pay", order.id),
        lambda: {"object": order_object(order, scope.checkout, scope.charge, channel.name)},
    )


def move_orders(scope: ChargeScope, changes: Changes, state: str, method: str, what: str, why: str) -> None:
    """Move those of the orders that the charge covers which are in one state, and tell the store of each."""
    for order in scope.covered:
        if order.status == state:
            changes.move(order, getattr(order, method), why=why, fact=order_fact(scope, order, what))


def uncharged_fact(checkout: PaymentEvent, order: PaymentOrder, what: str) -> Fact:
    """Return the event `payment.<what>` about an order that no charge covers."""
    return Fact(
        f"payment.{what}",
        public_id("pay", order.id),
        lambda: {"object": order_object(order, checkout, None, None)},
    )
