"""Make a token reusable before a second charge needs it: a customer, and the method on it.

The second charge may be of the same checkout, or of another day: then the method is kept for its buyer.
"""

from core.history import Changes
from core.nudges import nudge
from payments.engine.operations import start_operation
from payments.engine.saved import keep_customer, keep_method
from payments.locks import ChargeScope, lock_unstarted_charges
from payments.models import PspOperation
from payments.psp.contract import PspObject

__all__ = ["after_attach", "after_customer"]


def after_customer(scope: ChargeScope, reference: str, changes: Changes) -> PspOperation | None:
    """Remember the provider's customer; next, attach the method to it, if any charge still needs that."""
    if scope.payable.save_method:
        keep_customer(scope, reference)
    else:
        scope.payable.customer_reference = reference
        scope.payable.save(update_fields=["customer_reference"])
    if scope.is_closed and not lock_unstarted_charges(scope=scope):
        return None
    return start_operation(scope.charge, "attach", changes)


def after_attach(scope: ChargeScope, seen: PspObject, changes: Changes) -> PspOperation | None:
    """Pay with the reusable method from now on: start the other charges; next, register this one.

    It is kept for the buyer in the same commit, if the buyer wanted that.
    """
    if scope.payable.save_method:
        keep_method(scope, seen)
    scope.payable.token = seen.reference
    scope.payable.save(update_fields=["token"])
    for other in lock_unstarted_charges(scope=scope):
        start_operation(other.charge, "register", changes)
    nudge("operations")
    return None if scope.is_closed else start_operation(scope.charge, "register", changes)
