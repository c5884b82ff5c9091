"""Phase ③: what the provider's answer means for the operation, its charge and its orders."""

from collections.abc import Callable

from channels.selectors import get_channel
from core import clock
from core.history import Changes
from payments.engine.assessment import note_decline
from payments.engine.authorized import authorize
from payments.engine.card_limit import TOO_OFTEN, count_card
from payments.engine.closing import close_charge, conflict, fail_payment, failure_of, give_up
from payments.engine.differences import difference, refund_difference
from payments.engine.disposal import capture_answered, void_answered
from payments.engine.disputes.answers import dispute_answered
from payments.engine.endings import close_if_unwanted, is_unwanted, start_closing
from payments.engine.facts import move_orders
from payments.engine.hosted import page_seen
from payments.engine.late_money import receive_capture
from payments.engine.operations import GIVE_UP_AFTER, SEND_AGAIN, next_look, postpone, start_operation
from payments.engine.refunding import refund_declined, refund_succeeded
from payments.engine.refunds.outcomes import note_not_sent, note_pending, note_unknown
from payments.engine.reusable import after_attach, after_customer
from payments.engine.saved import detach_answered
from payments.locks import ChargeScope
from payments.models import PspOperation
from payments.psp.contract import Outcome, OutcomeKind, PspObject, PspStatus

__all__ = ["apply_outcome"]

# A method that is refused before it is to pay is a decline to risk like any other, if it was the method.
_TRY_METHOD = ("attach", "register")
_NOT_OF_IT = (
    TOO_OFTEN["code"],
    "amount_not_supported",
    "currency_not_supported",
    "psp_unavailable",
    "rejected_by_provider",
)
_TELLS_OF_A_PAGE = (OutcomeKind.SUCCEEDED, OutcomeKind.PENDING)

Handler = Callable[[ChargeScope, PspOperation, Outcome, Changes], PspOperation | None]


def apply_outcome(
    scope: ChargeScope, operation: PspOperation, outcome: Outcome, changes: Changes
) -> PspOperation | None:
    """Record an outcome on a locked operation that is SENT, UNKNOWN or PENDING, with all that follows.

    Returns the (saved) operation that should be sent next, at once, if the outcome calls for one.
    """
    if operation.dispute_id is not None:
        dispute_answered(scope, operation, outcome, changes)
        return None
    if operation.kind == "detach" and detach_answered(scope, operation, outcome, changes):
        return None
    differs = (
        refund_difference(operation, outcome.object)
        if operation.kind == "refund"
        else difference(scope, outcome.object)
    )
    if outcome.conflict or differs:
        conflict(scope, operation, changes, error=outcome.error or differs)
        note_unknown(operation, changes, why="the provider contradicts us")
        return None
    if operation.kind in _DISPOSALS:
        _DISPOSALS[operation.kind](scope, operation, outcome, changes)
        return None
    if scope.charge.is_hosted and operation is scope.paying and outcome.kind in _TELLS_OF_A_PAGE:
        page_seen(scope, operation, outcome, changes)
        follow_up = None
    else:
        follow_up = _HANDLERS[outcome.kind](scope, operation, outcome, changes)
    return follow_up or close_if_unwanted(scope, operation, outcome, changes)


def _succeeded(
    scope: ChargeScope, operation: PspOperation, outcome: Outcome, changes: Changes
) -> PspOperation | None:
    if operation.kind == "confirm":
        return _confirmed(scope, operation, outcome, changes)
    if operation.kind == "expire":
        _expired(scope, operation, changes)
        return None
    assert outcome.object is not None, "a success names its object"
    if operation.kind == "refund":
        refund_succeeded(scope, operation, outcome.object, changes)
        return None
    changes.move(operation, operation.to_succeeded, why=f"{operation.kind} done")
    if operation.kind == "customer":
        return after_customer(scope, outcome.object.reference, changes)
    if operation.kind == "attach":
        return after_attach(scope, outcome.object, changes)
    return _registered(scope, outcome.object, changes)


def _registered(scope: ChargeScope, seen: PspObject, changes: Changes) -> PspOperation | None:
    """There is something to ask about now: next, pay with it, unless nobody wants that any more or may."""
    charge, unwanted = scope.charge, is_unwanted(scope)
    may_pay = unwanted or count_card(scope.payable, get_channel(channel_id=charge.channel_id), seen.card)
    changes.move(
        charge,
        charge.to_registered,
        why="registered at the provider" if may_pay else "registered, and not paid: too many attempts",
        psp_reference=seen.reference,
        failure=None if may_pay else TOO_OFTEN,
    )
    if unwanted:
        return None
    return start_operation(charge, "confirm", changes) if may_pay else start_closing(scope, changes)


def _confirmed(
    scope: ChargeScope, operation: PspOperation, outcome: Outcome, changes: Changes
) -> PspOperation | None:
    """The provider answered about the order to move money; what it answered is in the object's status."""
    seen = outcome.object
    assert seen is not None, "a success names its object"
    if seen.status is PspStatus.CAPTURED:
        receive_capture(scope, operation, seen, changes)
    elif seen.status is PspStatus.AUTHORIZED and scope.payable.capture == "manual":
        authorize(scope, operation, seen, changes)
    elif seen.status in (PspStatus.CANCELED, PspStatus.EXPIRED):
        # Where we were closing it ourselves, the reason is ours, whichever of the two answers comes first.
        code = "psp_unavailable" if scope.latest("expire") else "payment_canceled"
        changes.move(operation, operation.to_canceled, why="closed at the provider", error="closed there")
        close_charge(scope, changes, failure=failure_of(None, code=code), why="closed there")
    elif seen.status is PspStatus.REGISTERED:
        # Asked about, never acted upon, and too old to be sent again: the buyer is gone, or the provider
        # no longer knows our nonce and could charge twice. Close the object; then the payment can fail.
        postpone(operation, error="never acted upon; closing it at the provider")
        return start_closing(scope, changes)
    else:
        conflict(scope, operation, changes, error=f"unexpected status {seen.status}")
    return None


def _expired(scope: ChargeScope, operation: PspOperation, changes: Changes) -> None:
    """The object is closed at the provider: it can no longer charge, so the payment may end."""
    changes.move(operation, operation.to_succeeded, why="closed at the provider")
    paying = scope.paying
    if paying is not None and paying.status in ("UNKNOWN", "PENDING"):
        changes.move(paying, paying.to_canceled, why="closed at the provider", error="closed there")
    if scope.charge.status != "CONFLICTED":  # There two people decide what that means.
        failure = scope.charge.failure or failure_of(None, code="psp_unavailable")
        close_charge(scope, changes, failure=failure, why="closed at the provider")


def _declined(scope: ChargeScope, operation: PspOperation, outcome: Outcome, changes: Changes) -> None:
    changes.move(operation, operation.to_declined, why=outcome.error or "declined", error=outcome.error[:500])
    if operation.kind == "expire":
        # It can't be closed, so it may have moved money: ask about it now.
        paying, seen = scope.paying, outcome.object
        if paying is not None and paying.status in ("UNKNOWN", "PENDING"):
            paying.due_at = clock.now()
            paying.save(update_fields=["due_at"])
        elif seen is not None and seen.status is PspStatus.CAPTURED and scope.charge.status != "CAPTURED":
            receive_capture(scope, paying, seen, changes)
        return
    if operation.kind == "refund":
        refund_declined(scope, operation, outcome, changes)
        return
    failure = failure_of(outcome.decline)
    if operation.kind == "confirm" or (operation.kind in _TRY_METHOD and failure["code"] not in _NOT_OF_IT):
        note_decline(scope, outcome.object, outcome.decline, changes)
    fail_payment(scope, operation, changes, failure=failure, why=outcome.error or "declined")


def _not_sent(scope: ChargeScope, operation: PspOperation, outcome: Outcome, changes: Changes) -> None:
    if operation.status != "SENT":
        # The question was not sent; what we asked about may still have arrived.
        postpone(operation, error=outcome.error)
        return
    age = clock.now() - operation.created_at
    pause = SEND_AGAIN.pause(operation.asked + 1, retry_after=outcome.retry_after)
    assert pause is not None, "the rule has no end of its own"
    changes.move(
        operation,
        operation.to_not_sent,
        why=outcome.error or "not sent",
        error=outcome.error[:500],
        due_at=clock.now() + pause,
    )
    if operation.kind == "confirm":
        changes.move(scope.charge, scope.charge.to_registered, why="not sent")
    note_not_sent(operation, changes, why=outcome.error or "not sent")
    if operation.kind in ("expire", "refund", "detach"):
        return  # There is no giving up: money may have moved, must go back, or could still be taken.
    if age > GIVE_UP_AFTER or outcome.permanent:
        give_up(scope, operation, changes, why=outcome.error)


def _pending(scope: ChargeScope, operation: PspOperation, outcome: Outcome, changes: Changes) -> None:
    seen = outcome.object
    if operation.status == "PENDING":
        postpone(operation, error="")
    else:
        changes.move(
            operation, operation.to_pending, why="the provider will tell", due_at=next_look(operation)
        )
    note_pending(operation, seen, changes)
    if seen is None or operation.kind != "confirm":
        return
    charge, wanted = scope.charge, "PENDING"
    if seen.status is PspStatus.REQUIRES_ACTION:
        wanted = "REQUIRES_ACTION"
    if charge.status == wanted:
        return
    if wanted == "PENDING":
        changes.move(charge, charge.to_pending, why="the provider will tell")
        move_orders(
            scope, changes, "REQUIRES_ACTION", "to_executing", "executing", "the buyer has done their part"
        )
        return
    changes.move(
        charge,
        charge.to_requires_action,
        why="the bank asks for the buyer",
        redirect_url=seen.redirect_url or "",
    )
    move_orders(
        scope, changes, "EXECUTING", "to_requires_action", "requires_action", "the bank asks for the buyer"
    )


def _unknown(scope: ChargeScope, operation: PspOperation, outcome: Outcome, changes: Changes) -> None:
    if operation.status != "SENT":
        postpone(operation, error=outcome.error)
        return
    why = outcome.error or "no trustworthy answer"
    changes.move(operation, operation.to_unknown, why=why, error=why[:500], due_at=next_look(operation))
    if operation.kind == "confirm":
        changes.move(scope.charge, scope.charge.to_unknown, why=why)
    note_unknown(operation, changes, why=why)


_DISPOSALS = {"capture": capture_answered, "void": void_answered}
_HANDLERS: dict[OutcomeKind, Handler] = {
    OutcomeKind.SUCCEEDED: _succeeded,
    OutcomeKind.DECLINED: _declined,
    OutcomeKind.NOT_SENT: _not_sent,
    OutcomeKind.PENDING: _pending,
    OutcomeKind.UNKNOWN: _unknown,
}
