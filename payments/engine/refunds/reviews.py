"""Finance gives money back: small amounts at once, larger ones with the yes of a second person."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from core.approvals import approve, reject, request_approval, void
from core.audit_trail import record_audit, required_reason
from core.errors import InvalidState, NotFound
from core.history import Changes
from core.ids import parse_public_id, public_id
from core.models import Approval
from core.settings_store import Declared, get_setting
from core.transactions import requires_transaction
from payments.engine.disputes.overlaps import settle_excess
from payments.engine.refunds.books import post_failed
from payments.engine.refunds.facts import refund_fact
from payments.engine.refunds.locks import LockedRefund, lock_refund
from payments.engine.refunds.opening import Source
from payments.engine.refunds.outcomes import restore_orders
from payments.engine.refunds.request import carry_out, make_refund, source_of
from payments.locks import lock_charge, lock_checkout_orders, lock_shares
from payments.models import Refund
from payments.types import RefundRequest

__all__ = [
    "ACTION",
    "REVIEW_ABOVE",
    "approve_refund",
    "ask_for_refund",
    "cancel_refund",
    "reject_refund",
    "review_above",
]

ACTION = "refund.approve"
_EXPIRES_IN = timedelta(days=3)
_OTHERS = "*"


def _check(value: dict[str, Any]) -> None:
    for currency, minor in value.items():
        if type(minor) is not int or minor < 0:
            raise ValueError(f"{currency}: whole minor units, zero or more")
    if _OTHERS not in value:
        raise ValueError(f"{_OTHERS} says what holds for every other currency")


REVIEW_ABOVE = Declared(
    name="payments.refund_review_above",
    says="Above which amount a refund that is asked for in the console needs a second person: minor units by"
    " currency, * for every other one. What a store asks for by its API is not held. The scope is a mer_…",
    kind=dict,
    default={_OTHERS: 50_000},
    check=_check,
)


@requires_transaction
def ask_for_refund(*, merchant_id: UUID, request: RefundRequest, reason: str, maker: str) -> Refund:
    """Give back an order's money for finance, who says why.

    Above the bound of the merchant's currency it is IN_REVIEW until a second person has said yes; the money
    is reserved at once all the same. Raises ReasonRequired, and as `request_refund`.
    """
    reason = required_reason(reason)
    changes = Changes()
    locked, source = make_refund(
        merchant_id=merchant_id, request=request, actor=maker, origin="console", changes=changes
    )
    refund, subject = locked.refund, public_id("re", locked.refund.id)
    bound = review_above(merchant_id=merchant_id, currency=str(refund.amount_currency))
    if refund.amount_minor > bound:
        changes.move(refund, refund.to_in_review, why="a second person must say yes", by=maker)
        request_approval(
            subject=subject,
            action=ACTION,
            instruction=_instruction(locked),
            maker=maker,
            expires_in=_EXPIRES_IN,
            merchant_id=merchant_id,
        )
    else:
        carry_out(locked, source, changes, by=maker)
    changes.save()
    record_audit(
        actor=maker,
        action="refund.request",
        subject=subject,
        reason=reason,
        detail=_instruction(locked),
        merchant_id=merchant_id,
    )
    return refund


@requires_transaction
def approve_refund(*, approval_id: UUID, checker: str) -> Refund:
    """Say yes as the second person: the refund is carried out.

    Call it under `at_decision_edge`. Raises NotFound, InvalidState when it is not IN_REVIEW any more,
    FourEyesRequired, ApprovalNotPending, ApprovalExpired, ApprovalVoid.
    """
    locked, source = _in_review(_subject(approval_id))
    approve(approval_id=approval_id, checker=checker, instruction_now=_instruction(locked))
    changes = Changes()
    changes.move(locked.refund, locked.refund.to_requested, why="approved", by=checker)
    carry_out(locked, source, changes, by=checker)
    changes.save()
    _note(locked.refund, "refund.approve", checker, "")
    return locked.refund


@requires_transaction
def reject_refund(*, approval_id: UUID, checker: str, reason: str) -> Refund:
    """Say no as the second person: nothing is sent, and the money is where it was.

    Call it under `at_decision_edge`. Raises NotFound, InvalidState, ReasonRequired, FourEyesRequired,
    ApprovalNotPending, ApprovalExpired.
    """
    locked, source = _in_review(_subject(approval_id))
    reject(approval_id=approval_id, checker=checker, reason=reason)
    _undo(locked, source, why=reason, by=checker)
    _note(locked.refund, "refund.reject", checker, reason)
    return locked.refund


@requires_transaction
def cancel_refund(*, refund_id: UUID, by: str, reason: str) -> Refund:
    """Take back a refund that is still IN_REVIEW, whoever asked for it, or when nobody decided in time.

    Raises NotFound, InvalidState, ReasonRequired.
    """
    reason = required_reason(reason)
    locked, source = _in_review(refund_id)
    waiting = Approval.objects.filter(
        subject=public_id("re", refund_id), action=ACTION, status="PENDING"
    ).first()
    if waiting is not None:
        void(approval_id=waiting.pk, actor=by, reason=reason)
    _undo(locked, source, why=reason, by=by)
    _note(locked.refund, "refund.cancel", by, reason)
    return locked.refund


def _undo(locked: LockedRefund, source: Source, *, why: str, by: str) -> None:
    refund, orders, charge = locked.refund, dict(source.orders), source.charge
    order = orders[refund.order_id] if refund.order_id else None
    changes = Changes()
    restore_orders(locked, orders)
    fact = refund_fact(refund, order, "canceled", locked.parts)
    changes.move(refund, refund.to_canceled, why=why, by=by, fact=fact)
    # What was to go to a wallet was not taken from anybody yet.
    if refund.destination == "instrument" and charge is not None:
        changes.last(lambda: post_failed(refund, locked.lines, orders, charge, had_succeeded=False))
    if charge is not None:
        settle_excess(charge_id=charge.id, orders=orders, changes=changes, by=by)
    changes.save()


def _in_review(refund_id: UUID) -> tuple[LockedRefund, Source]:
    """Lock a refund and all around it, in the order of all locks."""
    found = Refund.objects.filter(pk=refund_id).select_related("order").first()
    if found is None or found.order is None:
        raise NotFound()
    if found.charge_id is not None:
        scope = lock_charge(charge_id=found.charge_id)
        assert scope is not None, "charges are never deleted"
        source = source_of(scope)
    else:
        _, orders = lock_checkout_orders(checkout_id=found.order.checkout_id)
        source = Source(orders={each.id: each for each in orders})
    lock_shares(order_ids=[found.order.id])
    locked = lock_refund(refund_id=refund_id)
    if locked.refund.status != "IN_REVIEW":
        raise InvalidState()
    return locked, source


def _subject(approval_id: UUID) -> UUID:
    approval = Approval.objects.filter(pk=approval_id, action=ACTION).first()
    refund_id = parse_public_id(approval.subject, "re") if approval else None
    if refund_id is None:
        raise NotFound()
    return refund_id


def review_above(*, merchant_id: UUID, currency: str) -> int:
    """Return above how many minor units a refund that finance asks for needs a second person."""
    bounds = get_setting(name=REVIEW_ABOVE.name, scope=public_id("mer", merchant_id))
    return int(bounds.get(currency, bounds[_OTHERS]))


def _note(refund: Refund, action: str, by: str, reason: str) -> None:
    record_audit(
        actor=by,
        action=action,
        subject=public_id("re", refund.id),
        reason=reason,
        merchant_id=refund.merchant_id,
    )


def _instruction(locked: LockedRefund) -> dict[str, Any]:
    """What exactly is agreed on; should any of it change, the yes is void."""
    refund = locked.refund
    return {
        "refund": public_id("re", refund.id),
        "orders": {public_id("pay", line.order_id): line.amount_minor for line in locked.lines},
        "amount_minor": refund.amount_minor,
        "currency": str(refund.amount_currency),
        "destination": refund.destination,
        "wallet": str(refund.wallet_id) if refund.wallet_id else None,
        "wallets": _wallets(locked),
    }


def _wallets(locked: LockedRefund) -> dict[str, int]:
    """What each of the wallets that paid gets back, in its units."""
    found: dict[str, int] = {}
    for part in locked.parts:
        wallet = public_id("wal", part.balance_part.wallet_id)
        found[wallet] = found.get(wallet, 0) + part.units_minor
    return found
