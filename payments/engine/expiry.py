"""Checkouts that were not paid in time are closed: no money must come for what nobody expects any more."""

from uuid import UUID

from core import clock
from core.dead_letters import bury
from core.history import SYSTEM
from core.ids import parse_public_id, public_id
from core.models import DeadLetter
from core.transactions import at_edge, forbids_transaction, requires_transaction
from payments.engine.cancellations import end_orders
from payments.locks import lock_checkout
from payments.models import PaymentEvent

__all__ = ["PORTION", "due_checkouts", "expire_checkout", "give_up_expiry", "replay_expiry"]

PORTION = 100


def due_checkouts(*, limit: int = PORTION) -> list[UUID]:
    """Return checkouts whose time is over and that nobody began to close, the oldest first."""
    due = PaymentEvent.objects.filter(
        is_payment_done=False, expiry_started_at=None, expires_at__lte=clock.now()
    )
    return list(due.order_by("expires_at").values_list("id", flat=True)[:limit])


@forbids_transaction
def expire_checkout(*, checkout_id: UUID) -> None:
    """Close one checkout whose time is over, in a transaction of its own.

    What was never sent is EXPIRED at once, and so is what waits for a review; the rest when the provider has
    closed it. An unknown outcome is asked about first, and never ended by guess.
    """
    _expire(checkout_id)


@at_edge
def _expire(checkout_id: UUID) -> None:
    scope = lock_checkout(checkout_id=checkout_id)
    if scope is None or scope.checkout.expiry_started_at is not None:
        return
    checkout = scope.checkout
    if checkout.expires_at > clock.now():
        return
    _mark(checkout)
    end_orders(scope, scope.open_orders, what="expired", why="the time to pay is over", by=SYSTEM)


def _mark(checkout: PaymentEvent) -> None:
    checkout.expiry_started_at = checkout.updated_at = clock.now()
    checkout.save(update_fields=["expiry_started_at", "updated_at"])


@at_edge
def give_up_expiry(*, checkout_id: UUID, error: Exception) -> None:
    """Bury a checkout that cannot be closed: a person looks at it, and the others do not wait for it."""
    scope = lock_checkout(checkout_id=checkout_id)
    if scope is None or scope.checkout.expiry_started_at is not None:
        return
    _mark(scope.checkout)
    bury(
        queue="expiry",
        subject=public_id("chk", checkout_id),
        error=f"{type(error).__name__}: {error}"[:500],
        attempts=1,
        merchant_id=scope.checkout.merchant_id,
        detail={"checkout_id": str(checkout_id)},
    )


@requires_transaction
def replay_expiry(letter: DeadLetter) -> None:
    """Let the next pass try again to close the checkout."""
    checkout_id = parse_public_id(letter.subject, "chk")
    scope = lock_checkout(checkout_id=checkout_id) if checkout_id else None
    if scope is not None:
        scope.checkout.expiry_started_at = None
        scope.checkout.save(update_fields=["expiry_started_at"])
