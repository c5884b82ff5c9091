"""Refunds that somebody made at the provider without us: the same rows and entries, and a case."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

import structlog

from core import clock
from core.cases import open_case
from core.history import Changes
from core.ids import public_id
from core.money import format_minor
from core.transactions import requires_transaction
from events.errors import NotYet
from ledger.templates.splits import split_by_weights
from payments.engine.operations import next_look
from payments.engine.refunds.locks import LockedRefund
from payments.engine.refunds.opening import Asked, Source, open_refund, start_refund_operation
from payments.engine.refunds.outcomes import fail_refund, failure_of_refund, succeed_refund
from payments.engine.refunds.shares import left_to_refund
from payments.engine.top_up_returns import is_booked, take_top_up_back
from payments.locks import ChargeScope
from payments.models import PaymentOrder, PspOperation
from payments.psp.contract import PspObject, PspStatus
from payments.states import CHARGE_DEAD

__all__ = ["adopt_refund", "refund_case"]

log = structlog.get_logger(__name__)

_PSP = "psp"
_WHY = "made at the provider, not by us"
_CASE_DUE = timedelta(hours=24)


@requires_transaction
def adopt_refund(scope: ChargeScope, seen: PspObject, changes: Changes) -> None:
    """Make a refund of the provider's own ours: of all orders of the charge pro rata to what is left of each.

    More than is left of them, because a dispute or another refund has it already, is counted as
    `excess_returned` and is a case. One that had failed when we first heard of it is kept as failed, or an
    older event would make it again. Nothing is done for a release of what was only authorised (F-G9).
    Raises NotYet while the capture is not known.
    """
    charge = scope.charge
    if charge.status != "CAPTURED":
        if seen.is_booked and charge.status not in (*CHARGE_DEAD, "CONFLICTED"):
            raise NotYet(f"{seen.reference} gives back what we do not know to be captured")
        log.info("refund_of_nothing", refund=seen.reference, charge=public_id("chg", charge.id))
        return
    if scope.top_up is not None and scope.top_up.status == "SUCCESS":
        _adopt_of_top_up(scope, seen, changes)
        return
    orders = scope.covered
    if seen.currency != charge.amount_currency or not orders or _is_beyond(scope, seen):
        refund_case(scope, "refund_conflict", seen, "it cannot be a refund of this charge; nothing is posted")
        return
    amounts = _amounts(orders, seen.amount_minor)
    excess = seen.amount_minor - sum(left_to_refund(each) for each in orders)
    source = Source(
        orders={each.id: each for each in scope.orders},
        charge=charge,
        lines={line.order_id: line for line in scope.lines},
    )
    asked = Asked(amounts=amounts, by=_PSP, why=_WHY, origin=_PSP)
    locked = open_refund(source, asked, changes)
    refund = locked.refund
    operation = start_refund_operation(
        refund, charge, changes, why=_WHY, by=_PSP, psp_reference=seen.reference
    )
    scope.operations.append(operation)
    now = clock.now()
    changes.move(
        operation, operation.to_sent, why=_WHY, by=_PSP, first_sent_at=now, due_at=now, leased_until=None
    )
    changes.move(refund, refund.to_executing, why=_WHY, by=_PSP)
    _bring_up(scope, locked, operation, seen, changes)
    told = "it was made at the provider; it is booked as one of ours"
    refund_case(scope, "refund_made_elsewhere", seen, told)
    if excess > 0:
        told = f"{format_minor(excess, seen.currency)} {seen.currency} more than was left went back"
        refund_case(scope, "refund_dispute_overlap", seen, told)


def _adopt_of_top_up(scope: ChargeScope, seen: PspObject, changes: Changes) -> None:
    """Take what was refunded of a top-up out of the wallet again; what is still on its way is told later."""
    if seen.status is PspStatus.DECLINED:
        if is_booked(scope=scope, reference=seen.reference):
            told = "a refund of a top-up came back to the provider; give it back to the wallet by hand"
            refund_case(scope, "refund_conflict", seen, told)
        return
    if seen.status is not PspStatus.REFUNDED or is_booked(scope=scope, reference=seen.reference):
        return
    if seen.currency != scope.charge.amount_currency or _is_beyond(scope, seen):
        refund_case(scope, "refund_conflict", seen, "it cannot be a refund of this charge; nothing is posted")
        return
    take_top_up_back(
        scope, changes, kind="refund", reference=seen.reference, amount_minor=seen.amount_minor, reason=_WHY
    )
    told = "it was made at the provider; it is taken out of the wallet as far as that has it"
    refund_case(scope, "refund_made_elsewhere", seen, told)


def _bring_up(
    scope: ChargeScope, locked: LockedRefund, operation: PspOperation, seen: PspObject, changes: Changes
) -> None:
    """Bring it to where the provider has it."""
    refund = locked.refund
    if seen.status is PspStatus.REFUNDED:
        changes.move(operation, operation.to_succeeded, why="refunded", by=_PSP)
        succeed_refund(scope, locked, changes, reference=seen.reference, by=_PSP)
        return
    if seen.status is PspStatus.DECLINED:
        why = "it had failed when we heard of it"
        changes.move(operation, operation.to_declined, why=why, by=_PSP, error=why)
        failure = failure_of_refund(seen.decline.decline_code if seen.decline else "")
        fail_refund(scope, locked, changes, failure=failure, why=why, reference=seen.reference, by=_PSP)
        return
    why, due_at = "the provider will tell", next_look(operation)
    changes.move(operation, operation.to_pending, why=why, by=_PSP, due_at=due_at)
    changes.move(refund, refund.to_pending, why=why, by=_PSP, psp_reference=seen.reference)


def refund_case(scope: ChargeScope, kind: str, seen: PspObject, told: str) -> None:
    """Let a person see what the provider tells of a refund."""
    charge = scope.charge
    open_case(
        kind=kind,
        due_in=_CASE_DUE,
        subject=public_id("chg", charge.id),
        detail={"charge_id": str(charge.id), "refund": seen.reference},
        summary=f"{seen.reference}: {told}"[:500],
        merchant_id=charge.merchant_id,
        value_minor=seen.amount_minor,
        currency=charge.amount_currency,
    )


def _is_beyond(scope: ChargeScope, seen: PspObject) -> bool:
    """A provider never returns more of a charge than it took."""
    return scope.charge.refunded_minor + seen.amount_minor > scope.charge.captured_minor


def _amounts(orders: Sequence[PaymentOrder], amount_minor: int) -> Mapping[UUID, int]:
    left = [left_to_refund(order) for order in orders]
    within = min(amount_minor, sum(left))
    parts = split_by_weights(amount_minor=within, weights=left)
    beyond = split_by_weights(
        amount_minor=amount_minor - within, weights=[order.captured_minor for order in orders]
    )
    found = zip(orders, parts, beyond, strict=True)
    return {order.id: part + more for order, part, more in found if part + more}
