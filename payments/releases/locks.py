"""Row locks of releases: orders by id, then their shares; the wallets are locked by the posting, last."""

from collections.abc import Collection
from uuid import UUID

from django.db import connection

from core import clock
from core.transactions import requires_transaction
from payments.locks import lock_shares
from payments.models import ChargeLine, OrderShare, PaymentOrder

__all__ = ["claim_due_releases", "lock_captured_shares", "lock_orders_with_shares"]

_CLAIM = """
WITH claimed AS (
    UPDATE payments_ordershare
    SET leased_until = clock_timestamp() + %(lease)s * interval '1 second', fence = fence + 1
    WHERE order_id IN (
        SELECT order_id FROM payments_ordershare
        WHERE due_at <= %(now)s AND (leased_until IS NULL OR leased_until < clock_timestamp())
        ORDER BY due_at LIMIT %(limit)s FOR NO KEY UPDATE SKIP LOCKED
    )
    RETURNING order_id, fence, attempts, due_at
)
SELECT order_id, fence, attempts FROM claimed ORDER BY due_at, order_id
"""


@requires_transaction
def claim_due_releases(*, limit: int, lease_seconds: int) -> list[tuple[UUID, int, int]]:
    """Lease due shares, oldest first; return (order id, fence, attempts) of each."""
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, {"now": clock.now(), "lease": lease_seconds, "limit": limit})
        return cursor.fetchall()


@requires_transaction
def lock_orders_with_shares(*, order_ids: Collection[UUID]) -> list[OrderShare]:
    """Lock orders and then their shares, both by id; return the shares, each with its locked order.

    Orders that were never captured have no share and are left out.
    """
    rows = PaymentOrder.objects.filter(id__in=order_ids).order_by("id").select_for_update(no_key=True)
    orders = {order.id: order for order in rows}
    shares = lock_shares(order_ids=list(orders))
    for order_id, share in shares.items():
        share.order = orders[order_id]
    return list(shares.values())


@requires_transaction
def lock_captured_shares(*, merchant_id: UUID, charge_ids: Collection[UUID]) -> list[UUID]:
    """Lock the shares that captured charges of a merchant paid, by id; return their orders.

    Shares alone: who notes a proof changes no order and no wallet.
    """
    lines = ChargeLine.objects.filter(
        merchant_id=merchant_id, charge_id__in=charge_ids, charge__status="CAPTURED", superseded=False
    )
    shares = OrderShare.objects.filter(order_id__in=lines.values("order_id")).order_by("order_id")
    return list(shares.select_for_update(no_key=True, of=("self",)).values_list("order_id", flat=True))
