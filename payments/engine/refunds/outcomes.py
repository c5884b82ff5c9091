"""What a provider's answer means for a refund: each step of its operation moves it along."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from core import clock
from core.cases import open_case
from core.history import SYSTEM, Changes
from core.ids import public_id
from core.transactions import requires_transaction
from payments.engine.disputes.overlaps import settle_excess
from payments.engine.refunds.books import post_failed, post_netted_by_provider
from payments.engine.refunds.compensation import note_checkout_totals
from payments.engine.refunds.facts import refund_fact
from payments.engine.refunds.locks import LockedRefund, lock_refund
from payments.locks import ChargeScope
from payments.models import PaymentOrder, PspOperation, Refund
from payments.psp.contract import PspObject

__all__ = [
    "FAILED_CASE",
    "REFUND_FAILURE",
    "count_refunded",
    "fail_refund",
    "failure_of_refund",
    "note_not_sent",
    "note_pending",
    "note_sent",
    "note_unknown",
    "order_of",
    "restore_orders",
    "succeed_refund",
]

FAILED_CASE = "refund_failed"
_CASE_DUE = timedelta(hours=24)
REFUND_FAILURE: dict[str, Any] = {
    "code": "refund_failed",
    "message": "The refund could not be paid out. The store has the money.",
    "decline_code": None,
    "retryable": False,
}


def failure_of_refund(decline_code: str = "") -> dict[str, Any]:
    """Return the public `failure` object of a refund; `decline_code` is the provider's own word."""
    return REFUND_FAILURE | {"decline_code": decline_code[:64] or None}


@requires_transaction
def note_sent(operation: PspOperation, changes: Changes) -> None:
    """It is about to be sent."""
    refund = _refund(operation)
    if refund is not None and refund.status == "REQUESTED":
        changes.move(refund, refund.to_executing, why="about to be sent")


@requires_transaction
def note_not_sent(operation: PspOperation, changes: Changes, *, why: str) -> None:
    """It provably never arrived: it will be sent again."""
    refund = _refund(operation)
    if refund is not None and refund.status == "EXECUTING":
        changes.move(refund, refund.to_requested, why=why)


@requires_transaction
def note_pending(operation: PspOperation, seen: PspObject | None, changes: Changes) -> None:
    """The provider has it and will tell."""
    refund = _refund(operation)
    if refund is not None and refund.status in ("EXECUTING", "UNKNOWN"):
        changes.move(
            refund,
            refund.to_pending,
            why="the provider will tell",
            psp_reference=seen.reference if seen else None,
        )


@requires_transaction
def note_unknown(operation: PspOperation, changes: Changes, *, why: str) -> None:
    """No trustworthy answer: the provider is asked."""
    refund = _refund(operation)
    if refund is not None and refund.status in ("EXECUTING", "PENDING"):
        changes.move(refund, refund.to_unknown, why=why)


@requires_transaction
def succeed_refund(
    scope: ChargeScope, locked: LockedRefund, changes: Changes, *, reference: str, by: str = SYSTEM
) -> None:
    """The money is on its way to the buyer, and the provider took it from what it owes us (R2)."""
    refund, charge = locked.refund, scope.charge
    changes.move(
        refund,
        refund.to_success,
        why="refunded",
        by=by,
        fact=refund_fact(refund, order_of(scope, refund), "succeeded"),
        succeeded_at=clock.now(),
        psp_reference=reference,
    )
    charge.refunded_minor += refund.amount_minor
    charge.save(update_fields=["refunded_minor"])
    count_refunded(locked, {each.id: each for each in scope.orders}, sign=1)
    note_checkout_totals(scope.checkout.id, changes)
    changes.last(lambda: post_netted_by_provider(refund, charge))


@requires_transaction
def fail_refund(
    scope: ChargeScope,
    locked: LockedRefund,
    changes: Changes,
    *,
    failure: dict[str, Any],
    why: str,
    reference: str = "",
    by: str = SYSTEM,
) -> None:
    """The buyer does not get it, at once or days later: everything is as before, and a person is told (R3).

    The rest of the order can be refunded again, to the buyer's wallet for example.
    """
    refund, charge = locked.refund, scope.charge
    had_succeeded = refund.status == "SUCCESS"
    orders = {each.id: each for each in scope.orders}
    if had_succeeded:
        charge.refunded_minor -= refund.amount_minor
        charge.save(update_fields=["refunded_minor"])
        count_refunded(locked, orders, sign=-1)
    restore_orders(locked, orders)
    changes.move(
        refund,
        refund.to_failed,
        why=why,
        by=by,
        fact=refund_fact(refund, order_of(scope, refund), "failed"),
        failure=failure,
        psp_reference=reference or None,
    )
    note_checkout_totals(scope.checkout.id, changes)
    open_case(
        kind=FAILED_CASE,
        due_in=_CASE_DUE,
        subject=public_id("re", refund.id),
        detail={"refund_id": str(refund.id), "charge_id": str(charge.id)},
        summary=f"The buyer did not get a refund{' that had succeeded' if had_succeeded else ''}: {why}"[
            :500
        ],
        merchant_id=refund.merchant_id,
        value_minor=refund.amount_minor,
        currency=refund.amount_currency,
    )
    changes.last(lambda: post_failed(refund, locked.lines, orders, charge, had_succeeded=had_succeeded))
    settle_excess(charge_id=charge.id, orders=orders, changes=changes, by=by)


def count_refunded(locked: LockedRefund, orders: dict[UUID, PaymentOrder], *, sign: int) -> None:
    """Count a refund as done on its locked orders, or (`sign` -1) as not done after all."""
    for line in locked.lines:
        order = orders[line.order_id]
        order.refunded_minor += sign * line.amount_minor
        order.updated_at = clock.now()
        order.save(update_fields=["refunded_minor", "updated_at"])


def restore_orders(locked: LockedRefund, orders: dict[UUID, PaymentOrder]) -> None:
    """Let the refund's amounts be refundable again."""
    for line in locked.lines:
        order = orders[line.order_id]
        order.refund_reserved_minor -= line.amount_minor
        gone = order.refund_reserved_minor + order.dispute_reserved_minor + order.reversed_minor
        order.excess_returned_minor = min(order.excess_returned_minor, max(gone - order.captured_minor, 0))
        order.updated_at = clock.now()
        order.save(update_fields=["refund_reserved_minor", "excess_returned_minor", "updated_at"])


def order_of(scope: ChargeScope, refund: Refund) -> PaymentOrder | None:
    """Return the order that a refund is of; None for one of several orders."""
    return next((each for each in scope.orders if each.id == refund.order_id), None)


def _refund(operation: PspOperation) -> Refund | None:
    return lock_refund(refund_id=operation.refund_id).refund if operation.refund_id else None
