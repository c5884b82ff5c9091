"""How a charge ends without money: declined, closed at the provider, never sent, or in conflict."""

from datetime import timedelta
from typing import Any

from core.cases import open_case
from core.history import SYSTEM, Changes
from core.ids import public_id
from payments.engine.facts import move_orders, order_fact
from payments.locks import ChargeScope, lock_unstarted_charges
from payments.models import ChargeLine, PaymentOrder, PspOperation, TopUp
from payments.psp.contract import Decline
from payments.states import ORDER_FINAL

CONFLICT_DUE = timedelta(hours=4)

__all__ = ["close_charge", "conflict", "fail_payment", "failure_of", "give_up"]

_MESSAGES = {
    "psp_unavailable": "The payment provider could not be reached. Nothing was charged.",
    "payment_canceled": "The payment was closed at the provider. Nothing was charged.",
    "card_attempts_exceeded": "There were too many attempts with this card. Try again later.",
}


def failure_of(decline: Decline | None, *, code: str = "card_declined") -> dict[str, Any]:
    """Return the public `failure` object of an order or charge."""
    if decline is None:
        return {
            "code": code,
            "message": _MESSAGES.get(code, "The payment failed."),
            "decline_code": None,
            "retryable": True,
        }
    return {
        "code": decline.code,
        "message": decline.message,
        "decline_code": decline.decline_code or None,
        "retryable": decline.retryable,
    }


def close_charge(
    scope: ChargeScope,
    changes: Changes,
    *,
    failure: dict[str, Any],
    why: str,
    by: str = SYSTEM,
    timed_out: bool = False,
    end: str | None = None,
) -> None:
    """End a locked charge that can no longer move money, and the orders that it covered, or its top-up.

    A charge that the provider refused is DECLINED; one that never got that far is CANCELED, or EXPIRED when
    its time was over, by our clock or (`timed_out`) by the provider's. One that is closed already stays as
    it is: the answer to our closing and the answer to our question about the payment both tell of it, in
    either order. `end` is how its orders end where that does not follow from what is noted on them.
    """
    if scope.is_closed:
        return
    charge, covered = scope.charge, scope.targets
    # The lines go dark with the charge; the database checks at commit that both happened.
    ChargeLine.objects.filter(charge=charge).update(live=False)
    for line in scope.lines:
        line.live = False
    refused = charge.status not in ("CREATED", "AUTHORIZED") and failure["code"] not in _MESSAGES
    is_over = not refused and (timed_out or scope.payable.expiry_started_at is not None)
    ends = {end or _end_of(order, is_over) for order in covered}
    if refused:
        changes.move(charge, charge.to_declined, why=why, by=by, failure=failure)
    elif (timed_out or ends == {"expired"}) and charge.status not in ("CREATED", "CONFLICTED"):
        changes.move(charge, charge.to_expired, why=why, by=by)
    else:
        kept = failure if "failed" in ends else None
        changes.move(charge, charge.to_canceled, why=why, by=by, failure=kept)
    for order in covered:
        if order.status not in ORDER_FINAL or order.status == "AUTHORIZED":
            its_end = end or _end_of(order, is_over)
            _end_order(scope, order, changes, end=its_end, failure=failure, why=why, by=by)


def _end_of(order: PaymentOrder | TopUp, is_over: bool) -> str:
    """What becomes of an order without money: what the store asked for comes first."""
    if order.cancel_requested_at is not None:
        return "canceled"
    return "expired" if is_over else "failed"


def _end_order(
    scope: ChargeScope,
    order: PaymentOrder | TopUp,
    changes: Changes,
    *,
    end: str,
    failure: dict[str, Any],
    why: str,
    by: str,
) -> None:
    fact = order_fact(scope, order, end)
    if end == "failed":
        changes.move(order, order.to_failed, why=why, by=by, fact=fact, failure=failure)
    else:
        ended = order.to_canceled if end == "canceled" else order.to_expired
        changes.move(order, ended, why=why, by=by, fact=fact)


def fail_payment(
    scope: ChargeScope, operation: PspOperation, changes: Changes, *, failure: dict[str, Any], why: str
) -> None:
    """Close the charge of an operation that ended without money.

    Where the token could not be made reusable, the checkout's other charges cannot be paid with it either.
    """
    close_charge(scope, changes, failure=failure, why=why)
    if operation.kind in ("customer", "attach"):
        for other in lock_unstarted_charges(scope=scope):
            close_charge(other, changes, failure=failure, why=why)


def give_up(scope: ChargeScope, operation: PspOperation, changes: Changes, *, why: str) -> None:
    """Stop sending an operation that provably never arrived, and fail its payment."""
    changes.move(operation, operation.to_canceled, why="gave up sending", error=why[:500])
    failure = failure_of(None, code="psp_unavailable")
    fail_payment(scope, operation, changes, failure=failure, why="gave up sending")


def conflict(scope: ChargeScope, operation: PspOperation, changes: Changes, *, error: str) -> None:
    """Freeze a charge whose provider contradicts us: nothing is posted, two people decide."""
    changes.move(operation, operation.to_conflicted, why=error, error=error[:500])
    paying = scope.paying
    if operation.kind == "expire" and paying is not None and paying.status in ("UNKNOWN", "PENDING"):
        # Otherwise the next answer about the payment would decide what people were asked to decide.
        changes.move(paying, paying.to_conflicted, why=error, error=error[:500])
    about_money = operation is paying or operation.kind in ("confirm", "expire", "capture", "void")
    # A charge that the provider never confirmed to know stays CREATED: there is nothing to decide about it.
    # What is closed already covers nothing that could be frozen.
    if about_money and not scope.is_closed and scope.charge.status not in ("CREATED", "CONFLICTED"):
        changes.move(scope.charge, scope.charge.to_conflicted, why=error)
    move_orders(scope, changes, "REQUIRES_ACTION", "to_executing", "executing", "people decide")
    open_case(
        kind="charge_conflict",
        due_in=CONFLICT_DUE,
        subject=public_id("chg", scope.charge.id),
        detail={"charge_id": str(scope.charge.id)},
        summary=f"The provider contradicts us: {error}"[:500],
        merchant_id=scope.charge.merchant_id,
        value_minor=scope.charge.amount_minor,
        currency=scope.charge.amount_currency,
    )
