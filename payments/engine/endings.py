"""Ending a charge that nobody wants any more: the store took its orders back, or their time is over.

What was never sent ends at once. What was sent is asked about first, then closed at the provider, and ends
when the provider said so; money that came meanwhile wins.
"""

from core import clock
from core.history import Changes
from core.nudges import nudge
from core.transactions import requires_transaction
from payments.engine.closing import close_charge, failure_of
from payments.engine.operations import start_operation
from payments.locks import ChargeScope, CheckoutScope
from payments.models import PspOperation
from payments.psp.contract import Outcome, PspStatus
from payments.states import OPERATION_OPEN

__all__ = ["close_if_unwanted", "end_charge", "is_unwanted", "start_closing", "stop_preparing"]

_UNSENT = ("CREATED", "NOT_SENT")
_WAITING = ("SENT", "UNKNOWN", "PENDING")
_MONEY = ("register", "confirm")
_PREPARING = ("customer", "attach")
# The provider closes a payment in these states; one that is being processed must come to its end.
_CLOSABLE = (PspStatus.REGISTERED, PspStatus.REQUIRES_ACTION, PspStatus.AUTHORIZED)


def is_unwanted(scope: ChargeScope) -> bool:
    """Whether the charge is to be closed as soon as the provider can close it."""
    if scope.payable.expiry_started_at is not None:
        return True
    return any(each.cancel_requested_at is not None for each in scope.targets)


@requires_transaction
def end_charge(scope: ChargeScope, changes: Changes, *, why: str, by: str) -> None:
    """End an unwanted charge, or begin to: what may have arrived is asked about now and closed after that."""
    if scope.is_closed or scope.charge.status == "CONFLICTED":
        return  # In a conflict two people decide; what they decide ends the orders as they were asked to end.
    for operation in scope.operations:
        if operation.kind in _MONEY and operation.status in _UNSENT:
            changes.move(operation, operation.to_canceled, why=why, by=by, error="never sent")
    waiting = [each for each in scope.operations if each.kind in _MONEY and each.status in _WAITING]
    if waiting:
        _ask_now(waiting)
    elif scope.charge.psp_reference or scope.charge.session_reference:
        start_closing(scope, changes)
    else:
        failure = failure_of(None, code="payment_canceled")
        close_charge(scope, changes, failure=failure, why=why, by=by)
    nudge("operations")


@requires_transaction
def stop_preparing(scope: CheckoutScope, changes: Changes, *, why: str, by: str) -> None:
    """When no charge is left that could use it, do not make the token reusable any more."""
    if not all(each.is_closed for each in scope.charges):
        return
    for charge in scope.charges:
        for operation in charge.operations:
            if operation.kind in _PREPARING and operation.status in _UNSENT:
                changes.move(operation, operation.to_canceled, why=why, by=by, error="never sent")


@requires_transaction
def start_closing(scope: ChargeScope, changes: Changes) -> PspOperation | None:
    """Begin to close the charge at the provider; None when that is under way.

    Or when authorised money is being taken: then that comes to its end.
    """
    if scope.charge.authorized_minor:
        return _give_back(scope, changes)
    newest = scope.latest("expire")
    if newest is not None and newest.status not in ("DECLINED", "CANCELED"):
        return None
    operation = start_operation(scope.charge, "expire", changes)
    scope.operations.append(operation)
    return operation


def _give_back(scope: ChargeScope, changes: Changes) -> PspOperation | None:
    if scope.disposing is not None:
        return None
    amount = scope.charge.authorized_minor
    operation = start_operation(scope.charge, "void", changes, amount_minor=amount)
    scope.operations.append(operation)
    return operation


@requires_transaction
def close_if_unwanted(
    scope: ChargeScope, operation: PspOperation, outcome: Outcome, changes: Changes
) -> PspOperation | None:
    """After an answer about an unwanted payment that can still be closed, close it."""
    if operation.kind not in _MONEY or outcome.object is None or outcome.object.status not in _CLOSABLE:
        return None
    if scope.is_closed or scope.charge.status in ("CAPTURED", "CONFLICTED") or not is_unwanted(scope):
        return None
    return start_closing(scope, changes)


def _ask_now(operations: list[PspOperation]) -> None:
    """Whoever has one in hand brings its answer anyhow."""
    for operation in operations:
        if operation.status in ("UNKNOWN", "PENDING"):
            operation.due_at = clock.now()
            operation.save(update_fields=["due_at"])


assert set(_UNSENT + _WAITING) == set(OPERATION_OPEN)
