"""The events that pay-in tells the world."""

from channels.selectors import get_channel
from core.history import Fact
from core.ids import public_id
from payments.locks import ChargeScope
from payments.models import PaymentEvent, PaymentOrder
from payments.snapshots import order_object

__all__ = ["order_fact", "uncharged_fact"]


def order_fact(scope: ChargeScope, order: PaymentOrder, what: str) -> Fact:
    """Return the event `payment.<what>` about an order, with the order as it is after the change."""
    channel = get_channel(channel_id=scope.charge.channel_id)
    return Fact(
        f"payment.{what}",
        public_id("pay", order.id),
        lambda: {"object": order_object(order, scope.checkout, scope.charge, channel.name)},
    )


def uncharged_fact(order: PaymentOrder, checkout: PaymentEvent, what: str) -> Fact:
    """Return the event `payment.<what>` about an order for which there is no charge (yet)."""
    return Fact(
        f"payment.{what}",
        public_id("pay", order.id),
        lambda: {"object": order_object(order, checkout, None, None)},
    )
