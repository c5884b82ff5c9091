"""The events that disputes tell the world."""

from core.history import Fact
from core.ids import public_id
from payments.engine.disputes.locks import DisputeScope
from payments.snapshots import dispute_object

__all__ = ["dispute_fact"]


def dispute_fact(scope: DisputeScope, what: str) -> Fact:
    """Return the event `dispute.<what>`, with the dispute as it is after the change."""
    dispute = scope.dispute
    return Fact(
        f"dispute.{what}",
        public_id("dp", dispute.id),
        lambda: {"object": dispute_object(dispute, scope.lines, scope.orders)},
    )
