"""Pay again what failed: new charges for the failed orders of a checkout, and for no others."""

from uuid import UUID

from core import clock
from core.errors import InvalidState
from core.history import Changes
from core.nudges import nudge
from core.transactions import requires_transaction
from payments.engine.charges import open_charges
from payments.engine.facts import uncharged_fact
from payments.engine.methods import choose_channel
from payments.errors import (
    AttemptInProgress,
    CheckoutExpired,
    MultiOrderPolicyUnsupported,
    OrderAlreadyPaid,
)
from payments.locks import CheckoutScope, lock_checkout
from payments.models import PaymentOrder
from payments.references import checkout_key
from payments.states import CHARGE_DEAD
from payments.types import AttemptRequest

__all__ = ["start_attempt"]

_WHY = "a new attempt"


@requires_transaction
def start_attempt(*, merchant_id: UUID, reference: str, request: AttemptRequest, actor: str) -> UUID:
    """Begin to pay the failed orders of a checkout with another method or card; return the checkout's key.

    One charge for all of them, or one each under best_effort. Raises NotFound, AttemptInProgress,
    OrderAlreadyPaid, CheckoutExpired, InvalidState when nothing failed, MultiOrderPolicyUnsupported,
    PaymentMethodUnavailable; the caller rolls back on any of them.
    """
    scope = lock_checkout(checkout_id=checkout_key(merchant_id=merchant_id, reference=reference))
    assert scope is not None, "checkouts are never deleted"
    failed = _payable(scope)
    groups = _groups(scope, failed, request)
    channel = choose_channel(
        merchant_id=merchant_id, payment_method=request.payment_method, amounts=_charge_amounts(groups)
    )
    _replace_method(scope, request)
    changes = Changes()
    for order in failed:
        fact = uncharged_fact(scope.checkout, order, "retried")
        changes.move(order, order.to_not_started, why=_WHY, by=actor, fact=fact)
    open_charges(scope.checkout, groups, channel, changes, by=actor, why=_WHY)
    changes.save()
    nudge("operations")
    return scope.checkout.id


def _payable(scope: CheckoutScope) -> list[PaymentOrder]:
    """The orders that an attempt is for; the checkout is locked, so that no other one begins meanwhile."""
    if any(each.charge.status not in (*CHARGE_DEAD, "CAPTURED") for each in scope.charges):
        raise AttemptInProgress()
    if all(order.status == "SUCCESS" for order in scope.orders):
        raise OrderAlreadyPaid()
    if scope.checkout.expires_at <= clock.now() or scope.checkout.expiry_started_at is not None:
        raise CheckoutExpired()
    failed = [order for order in scope.orders if order.status == "FAILED"]
    if not failed:
        raise InvalidState()
    return failed


def _groups(
    scope: CheckoutScope, failed: list[PaymentOrder], request: AttemptRequest
) -> list[list[PaymentOrder]]:
    if scope.checkout.multi_order_policy == "all_or_nothing":
        return [failed]
    if len(failed) > 1 and request.payment_method == "hosted_page":
        raise MultiOrderPolicyUnsupported(param="payment_method")
    return [[order] for order in failed]


def _charge_amounts(groups: list[list[PaymentOrder]]) -> list[tuple[str, int]]:
    return [(group[0].amount_currency, sum(order.amount_minor for order in group)) for group in groups]


def _replace_method(scope: CheckoutScope, request: AttemptRequest) -> None:
    checkout = scope.checkout
    checkout.payment_method, checkout.token = request.payment_method, request.token
    checkout.return_url = request.return_url or checkout.return_url
    checkout.customer_reference = ""  # Who was made for the old card does not own the new one.
    checkout.updated_at = clock.now()
    checkout.save(update_fields=["payment_method", "token", "return_url", "customer_reference", "updated_at"])
