"""The events that pay-in tells the world."""

from channels.selectors import get_channel
from core.history import Changes, Fact
from core.ids import public_id
from payments.locks import ChargeScope
from payments.models import PaymentEvent, PaymentOrder, TopUp
from payments.snapshots import order_object, top_up_object

__all__ = ["move_orders", "order_fact", "top_up_fact", "uncharged_fact"]


def order_fact(scope: ChargeScope, order: PaymentOrder | TopUp, what: str) -> Fact:
    """Return the event `payment.<what>` about an order, with the order as it is after the change.

    Of a top-up, `top_up.<what>`.
    """
    channel = get_channel(channel_id=scope.charge.channel_id)
    if isinstance(order, TopUp):
        charge = scope.charge
        return Fact(
            f"top_up.{what}",
            public_id("top", order.id),
            lambda: {"object": top_up_object(order, charge, channel.name)},
        )
    return Fact(
        f"payment.{what}",
        public_id("pay", order.id),
        lambda: {"object": order_object(order, scope.checkout, scope.charge, channel.name)},
    )


def move_orders(scope: ChargeScope, changes: Changes, state: str, method: str, what: str, why: str) -> None:
    """Move what the charge pays and is in one state, and tell the store of each."""
    for order in scope.targets:
        if order.status == state:
            changes.move(order, getattr(order, method), why=why, fact=order_fact(scope, order, what))


def uncharged_fact(checkout: PaymentEvent, order: PaymentOrder, what: str) -> Fact:
    """Return the event `payment.<what>` about an order that no charge covers."""
    return Fact(
        f"payment.{what}",
        public_id("pay", order.id),
        lambda: {"object": order_object(order, checkout, None, None)},
    )


def top_up_fact(top_up: TopUp, what: str) -> Fact:
    """Return the event `top_up.<what>` about a top-up without a charge, or one that is not open yet."""
    return Fact(
        f"top_up.{what}",
        public_id("top", top_up.id),
        lambda: {"object": top_up_object(top_up, None, None)},
    )
