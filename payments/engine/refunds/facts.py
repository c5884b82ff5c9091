"""The events that refunds tell the world."""

from collections.abc import Sequence

from core.history import Fact
from core.ids import public_id
from payments.models import PaymentOrder, Refund, RefundPart
from payments.snapshots import refund_object

__all__ = ["refund_fact"]


def refund_fact(
    refund: Refund, order: PaymentOrder | None, what: str, parts: Sequence[RefundPart] = ()
) -> Fact:
    """Return the event `refund.<what>` about a refund, with the refund as it is after the change.

    `parts` of one that goes back to the wallets that paid.
    """
    return Fact(
        f"refund.{what}",
        public_id("re", refund.id),
        lambda: {"object": refund_object(refund, order, parts)},
    )
