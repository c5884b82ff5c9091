"""Row locks of disputes: after the checkout, the charge, its operations, the orders and their shares."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.transactions import requires_transaction
from payments.locks import ChargeScope, lock_charge, lock_shares
from payments.models import Dispute, DisputeLine, OrderShare, PaymentOrder
from payments.states import DISPUTE_OPEN, DISPUTE_RESERVING

__all__ = [
    "DisputeScope",
    "lock_dispute",
    "lock_dispute_of",
    "lock_reserving_disputes",
    "lock_silent_disputes",
]


@dataclass
class DisputeScope:
    """A dispute with everything that a change of it may touch, locked; orders and shares by order id."""

    charge: ChargeScope
    dispute: Dispute
    lines: list[DisputeLine]
    shares: dict[UUID, OrderShare]

    @property
    def orders(self) -> dict[UUID, PaymentOrder]:
        """The orders of the charge."""
        return {order.id: order for order in self.charge.orders}


@requires_transaction
def lock_dispute(*, dispute_id: UUID) -> DisputeScope | None:
    """Lock a dispute with its charge and all around it; None when there is no such dispute."""
    charge_id = Dispute.objects.filter(pk=dispute_id).values_list("charge_id", flat=True).first()
    scope = lock_charge(charge_id=charge_id) if charge_id else None
    return lock_dispute_of(scope, dispute_id=dispute_id) if scope else None


@requires_transaction
def lock_dispute_of(scope: ChargeScope, *, dispute_id: UUID) -> DisputeScope:
    """Lock a dispute of a locked charge. Disputes are never deleted."""
    shares = lock_shares(order_ids=[order.id for order in scope.orders])
    dispute = Dispute.objects.select_for_update(no_key=True).get(pk=dispute_id, charge=scope.charge)
    dispute.charge = scope.charge
    lines = list(DisputeLine.objects.filter(dispute=dispute).order_by("order__position"))
    return DisputeScope(scope, dispute, lines, shares)


@requires_transaction
def lock_reserving_disputes(*, charge_id: UUID) -> list[Dispute]:
    """Lock the open and lost disputes of a locked charge; return them, the newest first."""
    rows = Dispute.objects.filter(charge_id=charge_id, status__in=DISPUTE_RESERVING).order_by("id")
    return list(rows.select_for_update(no_key=True))[::-1]


@requires_transaction
def lock_silent_disputes(*, asked_before: datetime, limit: int) -> list[tuple[UUID, UUID, str]]:
    """Lock open disputes that were last asked about before a moment, skipping those in work.

    Returns id, channel and the provider's reference of each.
    """
    rows = Dispute.objects.filter(status__in=DISPUTE_OPEN, asked_at__lt=asked_before).order_by("asked_at")
    locked = rows.select_for_update(skip_locked=True, no_key=True)
    return list(locked.values_list("id", "channel_id", "psp_reference")[:limit])
