"""What changes when an order may be released: its capture, its fulfilment, and the proof of its money."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from django.db import connection

from core import clock
from core.errors import InvalidState
from core.ids import public_id
from core.nudges import nudge
from core.transactions import requires_transaction
from merchants.selectors import sellers_by_account
from payments.errors import FulfillmentInFuture
from payments.models import OrderShare, PaymentOrder
from payments.references import order_keys
from payments.releases.locks import lock_captured_shares, lock_orders_with_shares
from payments.releases.plan import due_time, policy_of, some_days_later

__all__ = ["fulfill_order", "mark_proven", "release_plans"]

# As far as a store's clock may be ahead of ours, and what it says still is no future.
_CLOCKS_DIFFER = timedelta(minutes=5)
_LEVELS: dict[str, tuple[str, ...]] = {"reported": ("reported_at",), "banked": ("reported_at", "banked_at")}


@requires_transaction
def release_plans(
    *, orders: Sequence[PaymentOrder], accepted_at: datetime, at: datetime, has_charge: bool = True
) -> dict[int, Mapping[str, Any]]:
    """Return, by position, the columns of new shares that say when the money of each order may be released.

    The orders are of one checkout. The delay is that of the seller's terms when the checkout was accepted,
    the policy the merchant's at the moment of the capture, `at`. Without a charge (paid from a balance) there
    is no other proof than the capture.
    """
    merchant_id = orders[0].merchant_id
    policy = policy_of(scope=public_id("mer", merchant_id), at=at)
    accounts = {order.seller_account for order in orders}
    sellers = sellers_by_account(merchant_id=merchant_id, accounts=accounts, at=accepted_at)
    proof = policy.proof_needed if has_charge else "captured"
    waits = proof != "captured" or policy.release_on == "fulfillment"
    plans: dict[int, Mapping[str, Any]] = {}
    for order in orders:
        days = sellers[order.seller_account].terms.settlement_delay_days
        matures_at = some_days_later(at, days, policy.zone)
        plans[order.position] = {
            "release_on": policy.release_on,
            "proof_needed": proof,
            "captured_at": at,
            "matures_at": matures_at,
            "due_at": None if waits else matures_at,
        }
    return plans


@requires_transaction
def fulfill_order(*, merchant_id: UUID, reference: str, fulfilled_at: datetime | None, actor: str) -> UUID:
    """Note that the store has delivered a captured order; return the order's key.

    Once more changes nothing: the first word stands. A moment that is ahead by no more than clocks may differ
    is now. Where the policy releases on fulfilment, the order is due
    now. Raises NotFound, InvalidState before the capture, FulfillmentInFuture.
    """
    order_id, _checkout_id = order_keys(merchant_id=merchant_id, reference=reference)
    now = clock.now()
    if fulfilled_at is not None and fulfilled_at > now + _CLOCKS_DIFFER:
        raise FulfillmentInFuture(param="fulfilled_at")
    share = next(iter(lock_orders_with_shares(order_ids=[order_id])), None)
    if share is None:
        raise InvalidState("Only an order that is paid can be fulfilled.")
    if share.fulfilled_at is None:
        share.fulfilled_at = min(fulfilled_at or now, now)
        share.fulfilled_by, share.fulfillment_recorded_at = actor, now
        _reschedule(share)
        share.save(update_fields=["fulfilled_at", "fulfilled_by", "fulfillment_recorded_at", "due_at"])
    return order_id


def _reschedule(share: OrderShare) -> None:
    share.due_at = due_time(share)
    if share.due_at is not None and share.due_at <= clock.now():
        nudge("releases")


_PROVE = """
    UPDATE payments_ordershare SET {columns},
        due_at = CASE WHEN proof_needed = ANY (%(proven)s) AND due_at IS NULL
            AND seller_net_minor > released_minor + pending_used_minor
            THEN CASE release_on WHEN 'delay' THEN greatest(matures_at, %(now)s) ELSE %(now)s END
            ELSE due_at END
    WHERE order_id = ANY (%(orders)s::uuid[]) AND {last} IS NULL
"""


@requires_transaction
def mark_proven(
    *, merchant_id: UUID, charge_ids: Collection[UUID], level: Literal["reported", "banked"]
) -> int:
    """Note that a settlement report, or a bank statement, has the money of these charges; return for how many
    orders that is new.

    What is banked is reported too. Orders whose policy waited for it are looked at now; the moment is that of
    this call. Once more changes nothing; charges that are not captured, or another merchant's, are left out.
    """
    orders = lock_captured_shares(merchant_id=merchant_id, charge_ids=charge_ids)
    if not orders:
        return 0
    names = _LEVELS[level]
    columns = ", ".join(f"{name} = coalesce({name}, %(now)s)" for name in names)
    sql = _PROVE.format(columns=columns, last=names[-1])
    proven = [name.removesuffix("_at") for name in names]
    params: dict[str, Any] = {"now": clock.now(), "orders": orders, "proven": proven}
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        changed = int(cursor.rowcount)
    if changed:
        nudge("releases")
    return changed
