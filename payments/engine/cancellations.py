"""The store takes back what is not paid yet: a whole checkout, or one order that has a charge of its own."""

from collections.abc import Sequence
from uuid import UUID

from core import clock
from core.cases import close_open_case
from core.errors import InvalidState
from core.history import Changes
from core.ids import public_id
from core.transactions import requires_transaction
from payments.engine.assessment import REVIEW_CASE
from payments.engine.balance import release_orders
from payments.engine.endings import end_charge, stop_preparing
from payments.engine.facts import uncharged_fact
from payments.errors import OrderSharesCharge
from payments.locks import CheckoutScope, lock_checkout
from payments.models import PaymentOrder
from payments.references import checkout_key, order_keys

__all__ = ["cancel_checkout", "cancel_order", "end_orders", "take_back"]

_WHY = "canceled by the store"


@requires_transaction
def cancel_checkout(*, merchant_id: UUID, reference: str, actor: str) -> UUID:
    """Take back every order of a checkout that has not come to its end; return the checkout's key.

    What was never sent is CANCELED at once, the rest when the provider has closed it, or has given back what
    was authorised; what is captured meanwhile is SUCCESS. Once more changes nothing. Raises NotFound, and
    InvalidState when nothing can be taken back any more.
    """
    scope = lock_checkout(checkout_id=checkout_key(merchant_id=merchant_id, reference=reference))
    assert scope is not None, "checkouts are never deleted"
    if not scope.cancelable_orders and not any(order.status == "CANCELED" for order in scope.orders):
        raise InvalidState()
    take_back(scope, scope.cancelable_orders, actor)
    return scope.checkout.id


@requires_transaction
def cancel_order(*, merchant_id: UUID, reference: str, actor: str) -> UUID:
    """Take back one order that has a charge of its own; return the order's key. See `cancel_checkout`.

    Raises NotFound, InvalidState, OrderSharesCharge.
    """
    order_id, checkout_id = order_keys(merchant_id=merchant_id, reference=reference)
    scope = lock_checkout(checkout_id=checkout_id)
    assert scope is not None, "checkouts are never deleted"
    order = next(each for each in scope.orders if each.id == order_id)
    if order.status == "CANCELED":
        return order_id
    if order not in scope.cancelable_orders:
        raise InvalidState()
    if scope.checkout.multi_order_policy == "all_or_nothing" and len(scope.orders) > 1:
        raise OrderSharesCharge()
    take_back(scope, [order], actor)
    return order_id


@requires_transaction
def take_back(scope: CheckoutScope, orders: Sequence[PaymentOrder], actor: str, *, why: str = _WHY) -> None:
    """Note on cancelable orders of a locked checkout that they are taken back, and begin to end them."""
    at = clock.now()
    for order in orders:
        if order.cancel_requested_at is None:
            order.failure = None  # Of a capture, say, that the bank refused.
            order.cancel_requested_at = order.updated_at = at
            order.save(update_fields=["cancel_requested_at", "failure", "updated_at"])
    end_orders(scope, orders, what="canceled", why=why, by=actor)


@requires_transaction
def end_orders(scope: CheckoutScope, orders: Sequence[PaymentOrder], *, what: str, why: str, by: str) -> None:
    """End open orders on which the wish is noted already, at once or through the provider."""
    changes = Changes()
    ending = [scope.charge_of(order) for order in orders]
    for charge in scope.charges:
        if charge in ending:
            end_charge(charge, changes, why=why, by=by)
    for order, covering in zip(orders, ending, strict=True):
        if covering is None:
            # It waits for a review: no charge was opened for it.
            ended = order.to_canceled if what == "canceled" else order.to_expired
            changes.move(order, ended, why=why, by=by, fact=uncharged_fact(scope.checkout, order, what))
    release_orders(
        [order for order, each in zip(orders, ending, strict=True) if each is None], changes, by=by, why=why
    )
    stop_preparing(scope, changes, why=why, by=by)
    changes.save()
    if None in ending and not any(order.status == "IN_REVIEW" for order in scope.orders):
        subject = public_id("chk", scope.checkout.id)
        close_open_case(kind=REVIEW_CASE, subject=subject, resolution=f"not needed any more: {why}", by=by)
