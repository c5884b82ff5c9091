"""Money that is reserved on the buyer's card: it is taken, given back, or its time runs out.

Taking it and giving it back are each one operation, and a charge has at most one that is not refused: the
database allows no second. What somebody else does at the provider is adopted: the same rows, by actor psp.
"""

from datetime import datetime, timedelta

from channels.selectors import get_channel
from core import clock
from core.cases import open_case
from core.history import SYSTEM, Changes
from core.ids import public_id
from core.money import format_minor
from core.transactions import requires_transaction
from payments.engine.assessment import note_paid
from payments.engine.capture import book_capture
from payments.engine.closing import close_charge, failure_of
from payments.engine.facts import order_fact
from payments.engine.operations import new_operation
from payments.locks import ChargeScope
from payments.models import PspOperation
from payments.psp.contract import PspObject, adapter_for

__all__ = ["PSP", "adopt", "authorize", "captured_elsewhere", "close_authorized", "closed_elsewhere"]

# The actor of what was done at the provider, and not by us.
PSP = "psp"
_CASE_DUE = timedelta(hours=24)


@requires_transaction
def authorize(
    scope: ChargeScope, operation: PspOperation | None, seen: PspObject, changes: Changes, *, by: str = SYSTEM
) -> None:
    """Record that the bank reserved the whole amount of a locked charge whose facts were compared with ours.

    `operation` is what brought it; one that has its outcome stays as it is.
    """
    charge = scope.charge
    if operation is not None and operation.status in ("SENT", "UNKNOWN", "PENDING"):
        changes.move(operation, operation.to_succeeded, why="authorised")
    changes.move(
        charge,
        charge.to_authorized,
        why="authorised",
        by=by,
        authorized_minor=charge.amount_minor,
        capture_before=seen.capture_before or _usual_end(scope, operation),
        psp_reference=seen.reference or None,
    )
    note_paid(scope, seen, changes)
    for order in scope.covered:
        changes.move(
            order,
            order.to_authorized,
            why="authorised",
            by=by,
            fact=order_fact(scope, order, "authorized"),
            authorized_minor=order.amount_minor,
        )


def _usual_end(scope: ChargeScope, operation: PspOperation | None) -> datetime:
    """Counted from when we asked for it: we may have heard of it late."""
    provider = get_channel(channel_id=scope.charge.channel_id).provider
    asked = operation is not None and operation.kind == "confirm" and operation.first_sent_at
    return (asked or clock.now()) + adapter_for(provider).authorization_lifetime


@requires_transaction
def close_authorized(
    scope: ChargeScope, changes: Changes, *, end: str, why: str, by: str = SYSTEM, failed_with: str = ""
) -> None:
    """End a charge whose authorised money was given back, and its orders: canceled, expired or failed.

    What two people decide about (CONFLICTED) stays as it is.
    """
    if scope.charge.status == "CONFLICTED":
        return
    failure = failure_of(None, code=failed_with or "payment_canceled")
    close_charge(scope, changes, failure=failure, why=why, by=by, end=end)


@requires_transaction
def adopt(scope: ChargeScope, kind: str, amount_minor: int, changes: Changes, *, why: str) -> PspOperation:
    """Store what was done at the provider outside us as the operation that it would have been.

    It was never sent by us, and never will be.
    """
    now = clock.now()
    operation = new_operation(scope.charge, kind, amount_minor=amount_minor)
    changes.begin(operation, why=why, by=PSP)
    changes.insert([operation])
    changes.move(
        operation,
        operation.to_sent,
        why=why,
        by=PSP,
        first_sent_at=now,
        due_at=now,
        leased_until=None,
    )
    changes.move(operation, operation.to_succeeded, why=why, by=PSP)
    scope.operations.append(operation)
    return operation


@requires_transaction
def captured_elsewhere(
    scope: ChargeScope, operation: PspOperation | None, seen: PspObject, changes: Changes
) -> None:
    """Book money that was taken at the provider without an order of ours: all that was reserved, or a part.

    `operation` is what was to bring the authorisation, if that is not known yet.
    """
    if scope.charge.status not in ("AUTHORIZED", "CONFLICTED"):
        authorize(scope, operation, seen, changes)
    _withdraw(scope, changes)
    why = "captured at the provider"
    adopt(scope, "capture", seen.captured_minor, changes, why=why)
    book_capture(scope, None, seen, changes, why=why, by=PSP)
    _make_visible(scope, "captured_elsewhere", f"{_money(scope, seen.captured_minor)} were {why}")


@requires_transaction
def closed_elsewhere(scope: ChargeScope, changes: Changes, *, is_over: bool) -> None:
    """End an authorised charge that was given back at the provider without an order of ours.

    `is_over`: its time ran out, which is nobody's doing and needs nobody's eyes.
    """
    _withdraw(scope, changes)
    if is_over:
        close_authorized(scope, changes, end="expired", why="the authorisation expired", by=PSP)
        return
    why = "canceled at the provider"
    adopt(scope, "void", scope.charge.authorized_minor, changes, why=why)
    close_authorized(scope, changes, end="canceled", why=why, by=PSP)
    _make_visible(scope, "canceled_elsewhere", f"{_money(scope, scope.charge.amount_minor)} were {why}")


def _withdraw(scope: ChargeScope, changes: Changes) -> None:
    """What we were about to ask for, and never sent, is not asked for any more."""
    ours = scope.disposing
    if ours is not None and ours.status in ("CREATED", "NOT_SENT"):
        changes.move(ours, ours.to_canceled, why="the provider was faster", error="never sent")


def _money(scope: ChargeScope, amount_minor: int) -> str:
    currency = scope.charge.amount_currency
    return f"{format_minor(amount_minor, currency)} {currency}"


def _make_visible(scope: ChargeScope, kind: str, summary: str) -> None:
    charge = scope.charge
    open_case(
        kind=kind,
        due_in=_CASE_DUE,
        subject=public_id("chg", charge.id),
        detail={"charge_id": str(charge.id)},
        summary=f"{summary}, not through us: {charge.psp_reference}"[:500],
        merchant_id=charge.merchant_id,
        value_minor=charge.amount_minor,
        currency=charge.amount_currency,
    )
