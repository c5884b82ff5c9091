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
from payments.models import PaymentOrder, PspOperation
from payments.references import order_keys

__all__ = ["capture_order", "is_capturable", "read_amount", "read_part", "start_capture"]


@requires_transaction
def capture_order(
    *, merchant_id: UUID, reference: str, amount: str | None, currency: str | None = None, actor: str
) -> UUID:
    """Order the capture of an authorised order; return its key. The provider is told after the commit.

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
    charge = scope.charge_of(order)
    if amount is not None:
        read_amount(amount, order)  # What is no amount is refused whatever the state.
    if charge is None or not is_capturable(charge, order):
        raise InvalidState()
    wanted = order.authorized_minor if amount is None else read_part(amount, order)
    changes = Changes()
    start_capture(charge, wanted, changes, why="captured by the store", by=actor)
    changes.save()
    nudge("operations")
    return order_id


@requires_transaction
def start_capture(
    scope: ChargeScope, amount_minor: int, changes: Changes, *, why: str, by: str
) -> PspOperation:
    """Begin to take so much of a locked charge whose money is reserved."""
    operation = start_operation(scope.charge, "capture", changes, amount_minor=amount_minor, why=why, by=by)
    scope.operations.append(operation)
    return operation


def read_amount(amount: str, order: PaymentOrder) -> int:
    """Return minor units of an amount in the order's currency. Raises InvalidAmount, AmountTooLarge."""
    try:
        return parse_amount(amount, order.amount_currency)
    except DomainError as error:
        raise error.at("amount") from None


def read_part(amount: str, order: PaymentOrder) -> int:
    """Return minor units of a part of what is authorised. Raises CaptureExceedsAuthorized, and as above."""
    minor = read_amount(amount, order)
    if minor > order.authorized_minor:
        raise CaptureExceedsAuthorized(param="amount")
    return minor


def is_capturable(scope: ChargeScope, order: PaymentOrder) -> bool:
    """Say whether a locked order's money is reserved, in time, and neither being taken nor given back.

    Its charge has this one order: accept lets no other be captured later.
    """
    charge = scope.charge
    return (
        order.status == charge.status == "AUTHORIZED"
        and order.cancel_requested_at is None
        and scope.disposing is None
        and charge.capture_before is not None
        and charge.capture_before > clock.now()
    )
