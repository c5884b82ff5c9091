"""Money that comes for a charge that was closed: given back, unless the merchant takes late money.

A charge that ended without money covers nothing; by the time its money comes, its orders may be paid by
another charge, be on their way, or be given up. They do not move, and the buyer gets the money back.
"""

from datetime import timedelta

from core.cases import open_case
from core.history import Changes
from core.ids import public_id
from core.money import format_minor
from core.settings_store import Declared, get_setting
from core.transactions import requires_transaction
from payments.engine.authorized import captured_elsewhere
from payments.engine.capture import book_capture
from payments.engine.refunding import give_back
from payments.locks import ChargeScope
from payments.models import ChargeLine, PspOperation
from payments.psp.contract import PspObject

__all__ = ["LATE_MONEY", "receive_capture"]

_CASE_DUE = timedelta(hours=24)


def _check(value: str) -> None:
    if value not in ("refund", "accept"):
        raise ValueError("it is either refund or accept")


LATE_MONEY = Declared(
    name="payments.late_money",
    says="What happens to money that comes for orders that failed, were canceled or expired, while no other"
    " payment of them is alive: refund gives it back, accept pays the orders with it. The scope is a mer_…",
    kind=str,
    default="refund",
    check=_check,
)


@requires_transaction
def receive_capture(
    scope: ChargeScope, operation: PspOperation | None, seen: PspObject, changes: Changes
) -> None:
    """Record a capture of a charge whose facts were compared with ours, in time or late.

    `operation` is what was to bring it; one that has its outcome stays as it is.
    """
    if not scope.is_closed:
        # We order a capture only of what we know to be authorised; its answer does not come here.
        take = captured_elsewhere if scope.payable.capture == "manual" else book_capture
        take(scope, operation, seen, changes)
        return
    if scope.charge.psp_reference is None:
        scope.charge.psp_reference = seen.reference
        scope.charge.save(update_fields=["psp_reference"])
    if _is_welcome(scope):
        _light_up(scope)
        book_capture(scope, operation, seen, changes)
        return
    if operation is not None and operation.status in ("SENT", "UNKNOWN", "PENDING"):
        changes.move(operation, operation.to_succeeded, why="captured late")
    _return(scope, seen, changes)


def _is_welcome(scope: ChargeScope) -> bool:
    """Only by policy, and only where nothing else pays or may still pay any of the orders."""
    paid_for = [scope.top_up] if scope.top_up else scope.orders
    if any(each.status not in ("FAILED", "CANCELED", "EXPIRED") for each in paid_for):
        return False
    if ChargeLine.objects.filter(order__in=scope.orders, live=True).exists():
        return False
    policy = get_setting(name=LATE_MONEY.name, scope=public_id("mer", scope.charge.merchant_id))
    return bool(policy == "accept")


def _light_up(scope: ChargeScope) -> None:
    """The charge covers its orders again; the database refuses a second one that does."""
    ChargeLine.objects.filter(charge=scope.charge).update(live=True)
    for line in scope.lines:
        line.live = True


def _return(scope: ChargeScope, seen: PspObject, changes: Changes) -> None:
    # Before the charge is captured: its lines must never be those that cover the orders.
    ChargeLine.objects.filter(charge=scope.charge).update(live=False, superseded=True)
    for line in scope.lines:
        line.live, line.superseded = False, True
    charge = scope.charge
    before = charge.status
    changes.move(charge, charge.to_captured, why="captured late", captured_minor=seen.captured_minor)
    give_back(scope, changes)
    amount = format_minor(charge.captured_minor, charge.amount_currency)
    open_case(
        kind="late_money",
        due_in=_CASE_DUE,
        subject=public_id("chg", charge.id),
        detail={"charge_id": str(charge.id)},
        summary=f"{seen.reference} brought {amount} {charge.amount_currency} when the charge was {before};"
        " it is being refunded",
        merchant_id=charge.merchant_id,
        value_minor=charge.captured_minor,
        currency=charge.amount_currency,
    )
