"""The store takes authorised money: all of it, or a part, and then the rest is given back."""

from uuid import UUID

from core import clock
from core.errors import DomainError, InvalidState
from core.history import Changes
from core.money import parse_amount
from core.nudges import nudge
from core.transactions import requires_transaction
from payments.engine.operations import start_operation
from payments.errors import CaptureExceedsAuthorized, CurrencyMismatch
from payments.locks import ChargeScope, lock_checkout
from payments.models import PaymentOrder
from payments.references import order_keys

__all__ = ["capture_order"]


@requires_transaction
def capture_order(
    *, merchant_id: UUID, reference: str, amount: str | None, currency: str | None = None, actor: str
) -> UUID:
    """Order the capture of an authorised order; return the order's key. The provider is told after the commit.

    `amount` is a decimal string in the order's currency; everything that is authorised, if it is None. A
    `currency` that is given must be the order's. Raises NotFound, InvalidAmount, AmountTooLarge,
    CurrencyMismatch, CaptureExceedsAuthorized, and InvalidState unless the order's money is reserved, in
    time, and neither being taken nor being given back.
    """
    order_id, checkout_id = order_keys(merchant_id=merchant_id, reference=reference)
    scope = lock_checkout(checkout_id=checkout_id)
    assert scope is not None, "checkouts are never deleted"
    order = next(each for each in scope.orders if each.id == order_id)
    if currency is not None and currency != order.amount_currency:
        raise CurrencyMismatch(param="currency")
    wanted = None if amount is None else _parse(amount, order)
    charge = scope.charge_of(order)
    if charge is None or not _is_capturable(charge, order):
        raise InvalidState()
    if wanted is not None and wanted > order.authorized_minor:
        raise CaptureExceedsAuthorized(param="amount")
    changes = Changes()
    start_operation(
        charge.charge,
        "capture",
        changes,
        amount_minor=wanted or order.authorized_minor,
        why="captured by the store",
        by=actor,
    )
    changes.save()
    nudge("operations")
    return order_id


def _parse(amount: str, order: PaymentOrder) -> int:
    try:
        return parse_amount(amount, order.amount_currency)
    except DomainError as error:
        raise error.at("amount") from None


def _is_capturable(scope: ChargeScope, order: PaymentOrder) -> bool:
    """The charge has this one order: accept lets no other be captured later."""
    charge = scope.charge
    return (
        order.status == charge.status == "AUTHORIZED"
        and order.cancel_requested_at is None
        and scope.disposing is None
        and charge.capture_before is not None
        and charge.capture_before > clock.now()
    )
