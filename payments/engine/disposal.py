"""What came of the order to take authorised money (capture) or to give it back (void)."""

from datetime import timedelta

from core import clock
from core.cases import open_case
from core.history import Changes
from core.ids import public_id
from core.transactions import requires_transaction
from payments.engine.authorized import close_authorized, closed_elsewhere
from payments.engine.capture import book_capture
from payments.engine.closing import conflict, failure_of
from payments.engine.facts import order_fact
from payments.engine.late_money import receive_capture
from payments.engine.operations import SEND_AGAIN, next_look, postpone
from payments.locks import ChargeScope
from payments.models import PspOperation
from payments.psp.contract import Decline, Outcome, OutcomeKind, PspStatus

__all__ = ["VOID_AGAIN", "capture_answered", "void_answered"]

# A provider that refuses to give money back is asked again, not all the time.
VOID_AGAIN = timedelta(hours=1)

_CLOSED = (PspStatus.CANCELED, PspStatus.EXPIRED)
_LOST = (PspStatus.DECLINED, PspStatus.REGISTERED)
_CASE_DUE = timedelta(hours=24)


@requires_transaction
def capture_answered(scope: ChargeScope, operation: PspOperation, outcome: Outcome, changes: Changes) -> None:
    """Record what came of a capture whose facts were compared with ours."""
    seen = outcome.object
    if _is_open(operation, outcome, changes):
        return
    if seen is None or seen.status is PspStatus.AUTHORIZED:
        # Refused, or never acted upon and too old to be sent again: the money is still reserved.
        _refuse(operation, outcome, changes)
        _tell_of_refusal(scope, outcome.decline, changes)
    elif seen.status is PspStatus.CAPTURED:
        book_capture(scope, operation, seen, changes)
    elif seen.status in _CLOSED:
        _refuse(operation, outcome, changes)
        closed_elsewhere(scope, changes, is_over=seen.status is PspStatus.EXPIRED)
    elif seen.status in _LOST:
        _refuse(operation, outcome, changes)
        code = seen.decline.code if seen.decline else "card_declined"
        close_authorized(scope, changes, end="failed", why="the capture failed", failed_with=code)
    else:
        conflict(scope, operation, changes, error=f"unexpected status {seen.status}")


@requires_transaction
def void_answered(scope: ChargeScope, operation: PspOperation, outcome: Outcome, changes: Changes) -> None:
    """Record what came of giving authorised money back; money that was taken meanwhile wins."""
    seen = outcome.object
    if _is_open(operation, outcome, changes):
        return
    if seen is not None and seen.status in _CLOSED:
        changes.move(operation, operation.to_succeeded, why="given back at the provider")
        wanted = any(order.cancel_requested_at is not None for order in scope.covered)
        end, why = ("canceled", "canceled by the store") if wanted else ("expired", "not captured in time")
        if not scope.is_closed:
            close_authorized(scope, changes, end=end, why=why)
        return
    _refuse(operation, outcome, changes)
    if seen is not None and seen.status is PspStatus.CAPTURED:
        if scope.charge.status != "CAPTURED":  # Else an event was faster.
            receive_capture(scope, None, seen, changes)
    else:
        _ask_for_help(scope, operation)


def _is_open(operation: PspOperation, outcome: Outcome, changes: Changes) -> bool:
    """Record an answer that settles nothing yet; say whether it was one."""
    if outcome.kind in (OutcomeKind.SUCCEEDED, OutcomeKind.DECLINED):
        return False
    if outcome.kind is OutcomeKind.NOT_SENT and operation.status == "SENT":
        # There is no giving up: the store waits for it, and the authorisation has an end of its own.
        pause = SEND_AGAIN.pause(operation.asked + 1, retry_after=outcome.retry_after)
        assert pause is not None, "the rule has no end of its own"
        error = outcome.error[:500]
        due_at = clock.now() + pause
        changes.move(operation, operation.to_not_sent, why=error or "not sent", error=error, due_at=due_at)
    elif outcome.kind is OutcomeKind.PENDING and operation.status != "PENDING":
        why = "the provider will tell"
        changes.move(operation, operation.to_pending, why=why, due_at=next_look(operation))
    elif outcome.kind is OutcomeKind.UNKNOWN and operation.status == "SENT":
        why = outcome.error or "no trustworthy answer"
        due_at = next_look(operation)
        changes.move(operation, operation.to_unknown, why=why, error=why[:500], due_at=due_at)
    else:
        postpone(operation, error=outcome.error)
    return True


def _refuse(operation: PspOperation, outcome: Outcome, changes: Changes) -> None:
    why = outcome.error or "refused"
    if outcome.kind is OutcomeKind.SUCCEEDED and outcome.object is not None:
        why = f"it is {outcome.object.status}"  # The answer to a question.
    changes.move(operation, operation.to_declined, why=why, error=why[:500])


def _tell_of_refusal(scope: ChargeScope, decline: Decline | None, changes: Changes) -> None:
    """The orders stay as they are: the store may try again, or give the money back."""
    failure = failure_of(decline, code="psp_unavailable") if decline is None else failure_of(decline)
    for order in scope.covered:
        if order.status == "AUTHORIZED":
            order.failure, order.updated_at = failure, clock.now()
            order.save(update_fields=["failure", "updated_at"])
            changes.emit(order, order_fact(scope, order, "capture_failed"))


def _ask_for_help(scope: ChargeScope, operation: PspOperation) -> None:
    charge = scope.charge
    soon = clock.now() + VOID_AGAIN
    if charge.status == "AUTHORIZED" and charge.capture_before is not None and charge.capture_before > soon:
        # Nobody may take it any more: it is given back as if its time were over.
        charge.capture_before = soon
        charge.save(update_fields=["capture_before"])
    open_case(
        kind="void_refused",
        due_in=_CASE_DUE,
        subject=public_id("chg", scope.charge.id),
        detail={"charge_id": str(scope.charge.id)},
        summary=f"The authorised money could not be given back: {operation.error}"[:500],
        merchant_id=scope.charge.merchant_id,
        value_minor=operation.amount_minor,
        currency=operation.currency,
    )
