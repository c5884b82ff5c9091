"""The answers about refunds, and giving back what came too late for any order.

What came too late was never an order's, so no seller bears it and no store asked for it: its refund is its
operation alone, whose id names it in the books and, in its metadata, at the provider.
"""

from datetime import timedelta

from channels.selectors import get_channel
from core import clock
from core.cases import open_case
from core.history import SYSTEM, Changes
from core.ids import public_id
from core.nudges import nudge
from core.transactions import requires_transaction
from ledger.services import correct_entries, open_account, post_entries
from ledger.templates.entry import Posting
from ledger.templates.refunds import overpayment_entry, overpayment_refund_entry, refund_netting_entry
from ledger.types import EntryDraft
from payments.engine.operations import start_operation
from payments.engine.refunds.locks import lock_refund
from payments.engine.refunds.outcomes import fail_refund, failure_of_refund, succeed_refund
from payments.locks import ChargeScope
from payments.models import PspOperation
from payments.psp.contract import Outcome, PspObject

__all__ = ["give_back", "refund_declined", "refund_succeeded"]

_CASE_DUE = timedelta(hours=24)


@requires_transaction
def give_back(scope: ChargeScope, changes: Changes) -> PspOperation:
    """Book a captured charge that covers nothing as an overpayment, and ask for its refund (R6, R7)."""
    captured = scope.charge.captured_minor
    operation = start_operation(scope.charge, "refund", changes, amount_minor=captured)
    scope.operations.append(operation)
    nudge("operations")
    changes.last(lambda: post_entries(drafts=[_received(scope, operation), _requested(scope, operation)]))
    return operation


@requires_transaction
def refund_succeeded(scope: ChargeScope, operation: PspOperation, seen: PspObject, changes: Changes) -> None:
    """The provider took the refund from what it owes us (R2)."""
    changes.move(operation, operation.to_succeeded, why="refunded", psp_reference=seen.reference)
    if operation.refund_id is not None:
        locked = lock_refund(refund_id=operation.refund_id)
        succeed_refund(scope, locked, changes, reference=seen.reference)
        return
    charge = scope.charge
    charge.refunded_minor += operation.amount_minor
    charge.save(update_fields=["refunded_minor"])
    changes.last(lambda: post_entries(drafts=[_netted(scope, operation)]))


@requires_transaction
def refund_declined(scope: ChargeScope, operation: PspOperation, outcome: Outcome, changes: Changes) -> None:
    """The provider keeps the money: the refund failed, or a person must give the overpayment back."""
    if operation.refund_id is not None:
        fail_refund(
            scope,
            lock_refund(refund_id=operation.refund_id),
            changes,
            failure=failure_of_refund(outcome.decline.decline_code if outcome.decline else ""),
            why=operation.error or "declined",
            reference=outcome.object.reference if outcome.object else "",
        )
        return
    open_case(
        kind="refund_failed",
        due_in=_CASE_DUE,
        subject=public_id("chg", scope.charge.id),
        detail={"charge_id": str(scope.charge.id)},
        summary=f"The overpayment could not be refunded: {operation.error}"[:500],
        merchant_id=scope.charge.merchant_id,
        value_minor=operation.amount_minor,
        currency=operation.currency,
    )
    changes.last(lambda: _take_back(scope, operation))


def _take_back(scope: ChargeScope, operation: PspOperation) -> None:
    # Posting what is there already tells its number.
    (requested,) = post_entries(drafts=[_requested(scope, operation)])
    correct_entries(
        merchant_id=operation.merchant_id,
        entry_ids=[requested.id],
        effective_date=clock.today(),
        reason="the provider refused the refund",
        actor=SYSTEM,
    )


def _posting(operation: PspOperation, *, is_first: bool) -> Posting:
    day = operation.created_at.date() if is_first else clock.today()
    return Posting(operation.merchant_id, operation.currency, day)


def _received(scope: ChargeScope, operation: PspOperation) -> EntryDraft:
    return overpayment_entry(
        posting=_posting(operation, is_first=True),
        psp_clearing=_account(scope, "psp_clearing"),
        customer_overpayment=_account(scope, "customer_overpayment"),
        charge_id=scope.charge.id,
        amount_minor=operation.amount_minor,
    )


def _requested(scope: ChargeScope, operation: PspOperation) -> EntryDraft:
    return overpayment_refund_entry(
        posting=_posting(operation, is_first=True),
        customer_overpayment=_account(scope, "customer_overpayment"),
        refunds_in_transit=_account(scope, "refunds_in_transit"),
        charge_id=scope.charge.id,
        refund_id=operation.id,
        amount_minor=operation.amount_minor,
    )


def _netted(scope: ChargeScope, operation: PspOperation) -> EntryDraft:
    return refund_netting_entry(
        posting=_posting(operation, is_first=False),
        refunds_in_transit=_account(scope, "refunds_in_transit"),
        psp_fee=_account(scope, "psp_fee"),
        psp_clearing=_account(scope, "psp_clearing"),
        refund_id=operation.id,
        charge_id=scope.charge.id,
        amount_minor=operation.amount_minor,
    )


def _account(scope: ChargeScope, role: str) -> int:
    charge = scope.charge
    provider = None if role == "customer_overpayment" else get_channel(channel_id=charge.channel_id).name
    return open_account(
        merchant_id=charge.merchant_id, role=role, currency=charge.amount_currency, provider=provider
    )
