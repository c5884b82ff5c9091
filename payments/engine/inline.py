"""Open the provider's page while the store waits for its answer; a worker does it where that is not possible.

The operation is leased to the web process when it is stored, so that no worker sends it at the same moment.
A web process that dies loses nothing: the lease runs out, and a worker goes on from what is stored.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any

from django.conf import settings

from channels.services import deadline
from core.drain import Claim
from core.history import Changes
from core.nudges import nudge
from core.transactions import at_edge, forbids_transaction
from payments.engine.execute import execute_operation
from payments.engine.payables import payable_id
from payments.locks import ChargeScope, release_lease
from payments.models import PaymentEvent, PspOperation, TopUp
from payments.selectors import get_checkout, get_top_up

__all__ = ["lease_inline", "register_inline"]

log = logging.getLogger(__name__)

# What may pass between the commit and the call, and between the call and the commit of its outcome.
_LEASE_BEYOND_DEADLINE = 5.0
_LEASE = """
    UPDATE payments_pspoperation
    SET leased_until = clock_timestamp() + %s * interval '1 second', fence = fence + 1 WHERE id = %s
"""

_lock = threading.Lock()
_running = 0


def lease_inline(
    payable: PaymentEvent | TopUp, operations: Sequence[PspOperation], changes: Changes
) -> Claim | None:
    """Lease the registration of a hosted page to this process, among the changes that store it.

    None where there is no page to open, or no web process may do that.
    """
    if payable.payment_method != "hosted_page" or not operations or not settings.INLINE_REGISTRATIONS:
        return None
    (operation,) = operations
    seconds = settings.INLINE_REGISTRATION_DEADLINE + _LEASE_BEYOND_DEADLINE
    changes.run(_LEASE, [seconds, operation.id])
    return Claim(id=operation.id, fence=operation.fence + 1, attempts=operation.attempts)


@forbids_transaction
def register_inline(*, claim: Claim, keep: Callable[[dict[str, Any]], None]) -> None:
    """Open the page of a checkout that was just accepted, within the deadline, or leave it to a worker.

    `keep` gets the checkout object with the page's address, inside the transaction that stores the page;
    it is not called when the page was not opened in time. Never raises: whatever went wrong, the work is
    in the database.
    """
    if not _take_slot():
        _leave_to_worker(claim)
        return

    def also(scope: ChargeScope) -> None:
        if scope.charge.status == "REQUIRES_ACTION":
            shown = get_top_up if scope.top_up else get_checkout
            keep(shown(merchant_id=scope.charge.merchant_id, reference=payable_id(scope.payable)))

    try:
        with deadline(settings.INLINE_REGISTRATION_DEADLINE):
            execute_operation(claim=claim, also=also)
    except Exception:
        log.exception("the page of operation %s was not opened inline; a worker goes on", claim.id)
    finally:
        _give_slot()


def _leave_to_worker(claim: Claim) -> None:
    try:
        at_edge(release_lease)(operation_id=claim.id, fence=claim.fence)
    except Exception:
        log.exception("the lease of operation %s was not given back; it runs out", claim.id)
    else:
        nudge("operations")


def _take_slot() -> bool:
    global _running
    with _lock:
        if _running >= settings.INLINE_REGISTRATIONS:
            return False
        _running += 1
        return True


def _give_slot() -> None:
    global _running
    with _lock:
        _running -= 1
