"""A payment that was held: a person, or somebody slow outside, lets it through or turns it away."""

from uuid import UUID

from core import clock
from core.audit_trail import record_audit, required_reason
from core.cases import close_open_case
from core.errors import NotFound
from core.history import Changes
from core.ids import public_id
from core.nudges import nudge
from core.transactions import requires_transaction
from payments.engine.assessment import REVIEW_CASE, charge_groups, decline_orders, open_review_case
from payments.engine.balance import release_orders, settle_orders
from payments.engine.charges import charge_amounts, open_charges
from payments.engine.facts import uncharged_fact
from payments.engine.methods import choose_channel
from payments.errors import CheckoutExpired, ReviewDecided
from payments.locks import lock_checkout_orders
from payments.models import PaymentEvent, PaymentOrder
from risk.services import note_verdict
from risk.types import APPROVE, DECLINE, REVIEW

__all__ = ["approve_review", "on_risk_verdict", "reject_review"]


@requires_transaction
def approve_review(*, checkout_id: UUID, by: str, reason: str) -> None:
    """Let a held payment through: its charges are opened and the worker is told.

    What is held of a balance is paid in the same transaction.

    Errors: ReasonRequired, NotFound, ReviewDecided (somebody was faster, or it was never held),
    CheckoutExpired, PaymentMethodUnavailable.
    """
    reason = required_reason(reason)
    checkout, held = _held(checkout_id)
    _approve(checkout, held, by=by, reason=reason, source="person")
    _record(checkout, "payment_review.approve", by=by, reason=reason)


@requires_transaction
def reject_review(*, checkout_id: UUID, by: str, reason: str) -> None:
    """Turn a held payment away: its orders fail as any other that risk declines.

    Errors: ReasonRequired, NotFound, ReviewDecided.
    """
    reason = required_reason(reason)
    checkout, held = _held(checkout_id)
    _reject(checkout, held, by=by, reason=reason, source="person")
    _record(checkout, "payment_review.reject", by=by, reason=reason)


@requires_transaction
def on_risk_verdict(*, merchant_id: UUID, subject_id: UUID, decision: str, source: str, reason: str) -> bool:
    """Act on a verdict from outside; say whether the payment still waited for it.

    `review` asks a person. A checkout whose time is over is left to its expiry.
    """
    checkout, orders = lock_checkout_orders(checkout_id=subject_id)
    if checkout is None or checkout.merchant_id != merchant_id:
        return False
    held = [order for order in orders if order.status == "IN_REVIEW"]
    if not held or clock.now() >= checkout.expires_at:
        return False
    by = f"system:risk.{source}"
    if decision == APPROVE:
        _approve(checkout, held, by=by, reason=reason, source=source)
    elif decision == DECLINE:
        _reject(checkout, held, by=by, reason=reason, source=source)
    else:
        open_review_case(checkout, held, summary=reason)
        _remember(checkout, REVIEW, by=by, reason=reason, source=source)
    return True


def _held(checkout_id: UUID) -> tuple[PaymentEvent, list[PaymentOrder]]:
    checkout, orders = lock_checkout_orders(checkout_id=checkout_id)
    if checkout is None:
        raise NotFound()
    held = [order for order in orders if order.status == "IN_REVIEW"]
    if not held:
        raise ReviewDecided()
    return checkout, held


def _approve(checkout: PaymentEvent, held: list[PaymentOrder], *, by: str, reason: str, source: str) -> None:
    if clock.now() >= checkout.expires_at:
        raise CheckoutExpired()
    groups, channel = charge_groups(checkout, held), None
    if checkout.payment_method != "balance":
        channel = choose_channel(
            merchant_id=checkout.merchant_id,
            payment_method=checkout.payment_method,
            amounts=charge_amounts(groups),
            only=checkout.saved_method.channel_id if checkout.saved_method else None,
        )
    changes = Changes()
    for order in held:
        fact = uncharged_fact(checkout, order, "approved")
        changes.move(order, order.to_not_started, why=reason[:200], by=by, fact=fact)
    if channel is None:
        settle_orders(checkout, held, changes, by=by, why="approved by review")
    else:
        open_charges(checkout, groups, channel, changes, by=by, why="approved by review")
    _decided(checkout, APPROVE, changes, by=by, reason=reason, source=source)
    nudge("operations")


def _reject(checkout: PaymentEvent, held: list[PaymentOrder], *, by: str, reason: str, source: str) -> None:
    changes = Changes()
    decline_orders(checkout, held, changes, by=by, why=reason)
    release_orders(held, changes, by=by, why=reason)
    _decided(checkout, DECLINE, changes, by=by, reason=reason, source=source)


def _decided(
    checkout: PaymentEvent, decision: str, changes: Changes, *, by: str, reason: str, source: str
) -> None:
    _note(checkout, decision, changes, by=by, reason=reason, source=source)
    changes.save()
    checkout.risk_decision = decision
    checkout.updated_at = clock.now()
    checkout.save(update_fields=["risk_decision", "updated_at"])
    close_open_case(
        kind=REVIEW_CASE,
        subject=public_id("chk", checkout.id),
        resolution=f"{'approved' if decision == APPROVE else 'rejected'}: {reason}"[:500],
        by=by,
    )


def _remember(checkout: PaymentEvent, decision: str, *, by: str, reason: str, source: str) -> None:
    changes = Changes()
    _note(checkout, decision, changes, by=by, reason=reason, source=source)
    changes.save()


def _note(
    checkout: PaymentEvent, decision: str, changes: Changes, *, by: str, reason: str, source: str
) -> None:
    note_verdict(
        merchant_id=checkout.merchant_id,
        subject_id=checkout.id,
        source=source,
        decision=decision,
        by=by,
        reason=reason,
        changes=changes,
    )


def _record(checkout: PaymentEvent, action: str, *, by: str, reason: str) -> None:
    record_audit(
        actor=by,
        action=action,
        subject=public_id("chk", checkout.id),
        reason=reason,
        detail={"checkout_id": checkout.checkout_id},
        merchant_id=checkout.merchant_id,
    )
