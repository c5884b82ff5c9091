"""A charge that the buyer pays on the provider's own page: opening the page, and what is seen of it.

Opening the page is all that we ever send. The operation stays PENDING and the page is asked about until it
ends. What the buyer is refused on it changes nothing here: another card may be next.
"""

from datetime import datetime, timedelta

from core.history import Changes
from core.ids import public_id
from payments.engine.authorized import authorize
from payments.engine.closing import close_charge, conflict, failure_of
from payments.engine.facts import move_orders
from payments.engine.late_money import receive_capture
from payments.engine.operations import GIVE_UP_AFTER, next_look, postpone
from payments.engine.payables import description_of, metadata_of, return_hop
from payments.locks import ChargeScope
from payments.models import PspOperation
from payments.psp.contract import Outcome, PageRequest, PspObject, PspStatus, adapter_for

__all__ = ["page_request", "page_seen"]

# Our clock and the provider's need not agree to the second.
_LEEWAY = timedelta(minutes=1)


def page_request(scope: ChargeScope, operation: PspOperation, provider: str) -> PageRequest:
    """Return what opens the page of a charge: the same, however often and whenever it is sent."""
    return PageRequest(
        nonce=operation.nonce,
        our_reference=public_id("chg", scope.charge.id),
        amount_minor=operation.amount_minor,
        currency=operation.currency,
        capture="manual" if scope.payable.capture == "manual" else "automatic",
        description=description_of(scope.payable),
        return_url=return_hop(scope.payable),
        expires_at=_page_ends(scope, operation, provider),
        metadata=metadata_of(scope.payable),
    )


def _page_ends(scope: ChargeScope, operation: PspOperation, provider: str) -> datetime:
    """With the checkout, as far as the provider lets a page live, counted from whenever it may be sent."""
    shortest, longest = adapter_for(provider).page_lifetime
    earliest = operation.created_at + GIVE_UP_AFTER + shortest + _LEEWAY
    return min(max(scope.payable.expires_at, earliest), operation.created_at + longest - _LEEWAY)


def page_seen(scope: ChargeScope, operation: PspOperation, outcome: Outcome, changes: Changes) -> None:
    """Record how the page of a locked charge stands, with all that follows."""
    seen = outcome.object
    assert seen is not None, "an answer about a page shows it"
    if seen.status is PspStatus.CAPTURED:
        _known(scope, seen, changes)
        receive_capture(scope, operation, seen, changes)
    elif seen.status is PspStatus.AUTHORIZED and scope.payable.capture == "manual":
        _known(scope, seen, changes)
        authorize(scope, operation, seen, changes)
    elif seen.status in (PspStatus.CANCELED, PspStatus.EXPIRED):
        changes.move(operation, operation.to_canceled, why="the page ended unpaid", error="ended unpaid")
        _known(scope, seen, changes)
        _ended(scope, changes)
    elif seen.status is PspStatus.REQUIRES_ACTION:
        _still_pending(operation, changes, why="the page is open")
        _opened(scope, seen, changes)
    elif seen.status is PspStatus.PROCESSING:
        _still_pending(operation, changes, why="the provider will tell")
        _processing(scope, seen, changes)
    else:
        conflict(scope, operation, changes, error=f"unexpected status {seen.status}")


def _ended(scope: ChargeScope, changes: Changes) -> None:
    """The page can no longer be paid on: its time was over, or the store took the order back."""
    failure = failure_of(None, code="payment_canceled")
    close_charge(scope, changes, failure=failure, why="the page ended unpaid", timed_out=True)


def _still_pending(operation: PspOperation, changes: Changes, *, why: str) -> None:
    if operation.status == "PENDING":
        postpone(operation, error="")
    else:
        changes.move(operation, operation.to_pending, why=why, due_at=next_look(operation))


def _opened(scope: ChargeScope, seen: PspObject, changes: Changes) -> None:
    """The page's reference and its address are stored in one commit, before anybody is sent there."""
    _known(scope, seen, changes)
    charge = scope.charge
    if charge.status == "REQUIRES_ACTION":
        return
    changes.move(
        charge, charge.to_requires_action, why="the page is open", redirect_url=seen.redirect_url or ""
    )
    move_orders(
        scope, changes, "EXECUTING", "to_requires_action", "requires_action", "the buyer pays on the page"
    )


def _processing(scope: ChargeScope, seen: PspObject, changes: Changes) -> None:
    """The buyer has done their part; from now on the payment behind the page is known."""
    _known(scope, seen, changes)
    charge = scope.charge
    if charge.status == "PENDING":
        return
    changes.move(
        charge, charge.to_pending, why="the provider will tell", psp_reference=seen.reference or None
    )
    move_orders(
        scope, changes, "REQUIRES_ACTION", "to_executing", "executing", "the buyer has done their part"
    )


def _known(scope: ChargeScope, seen: PspObject, changes: Changes) -> None:
    charge = scope.charge
    if charge.status == "CREATED":
        changes.move(
            charge,
            charge.to_registered,
            why="the provider has the page",
            psp_reference=seen.reference or None,
            session_reference=seen.session_reference,
        )
