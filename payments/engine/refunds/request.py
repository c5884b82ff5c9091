"""A store, or finance, gives money back: accepted in one transaction, sent after it."""

from uuid import UUID

from core import clock
from core.errors import DomainError, NotFound
from core.history import Changes
from core.money import parse_amount
from core.nudges import nudge
from core.transactions import requires_transaction
from merchants.services import ensure_buyer
from payments.engine.refunds.balance import is_paid_from_balance
from payments.engine.refunds.books import post_accepted
from payments.engine.refunds.compensation import note_checkout_totals
from payments.engine.refunds.facts import refund_fact
from payments.engine.refunds.locks import LockedRefund
from payments.engine.refunds.opening import Asked, Source, open_refund, start_refund_operation
from payments.engine.refunds.outcomes import count_refunded
from payments.engine.refunds.shares import left_to_refund
from payments.errors import CurrencyMismatch, RefundDestinationUnavailable, RefundExceedsCaptured
from payments.locks import ChargeScope, lock_charge, lock_checkout_orders, lock_shares
from payments.models import ChargeLine, PaymentOrder, Refund
from payments.references import order_keys
from payments.types import RefundRequest
from wallet.services import open_wallet

__all__ = ["carry_out", "make_refund", "request_refund", "source_of"]


@requires_transaction
def request_refund(*, merchant_id: UUID, request: RefundRequest, actor: str) -> Refund:
    """Give back an order's money, or part of it, for a store.

    What the buyer gets is taken from the seller at once (R1); the provider is asked afterwards, and a refund
    to the buyer's wallet, or of what a balance paid, is done at once (W7). Raises NotFound, also for another
    merchant's order, RefundExceedsCaptured, CurrencyMismatch, InvalidAmount, RefundDestinationUnavailable,
    RefundNotInWholePoints.
    """
    changes = Changes()
    locked, source = make_refund(
        merchant_id=merchant_id, request=request, actor=actor, origin="api", changes=changes
    )
    carry_out(locked, source, changes, by=actor)
    changes.save()
    return locked.refund


@requires_transaction
def make_refund(
    *, merchant_id: UUID, request: RefundRequest, actor: str, origin: str, changes: Changes
) -> tuple[LockedRefund, Source]:
    """Lock an order with all around it and open a refund of it. Raises as `request_refund`."""
    source, order = _locked(merchant_id, request.payment_order_id)
    currency = str(order.amount_currency)
    if request.currency and request.currency != currency:
        raise CurrencyMismatch(param="currency")
    left = left_to_refund(order)
    amount = _amount(request.amount, currency) if request.amount else left
    if not 0 < amount <= left:
        raise RefundExceedsCaptured(param="amount" if request.amount else "payment_order_id")
    destination = request.destination or "instrument"
    if source.charge is None:
        # What buyers' wallets paid goes back to the very wallets, wherever one wants it: no bonus and no
        # points ever become cash.
        if not is_paid_from_balance(order_id=order.id):
            raise RefundDestinationUnavailable(param="destination")
        destination = "balance"
    asked = Asked(
        amounts={order.id: amount},
        by=actor,
        why="requested",
        origin=origin,
        destination=destination,
        wallet_id=_wallet(order) if destination == "wallet" else None,
        reason=request.reason,
        metadata=request.metadata,
    )
    return open_refund(source, asked, changes), source


@requires_transaction
def carry_out(locked: LockedRefund, source: Source, changes: Changes, *, by: str) -> None:
    """Have the provider asked for a refund that is REQUESTED, or, to wallets, do it at once (W7)."""
    refund, lines, parts = locked.refund, locked.lines, locked.parts
    if refund.destination == "instrument":
        assert source.charge is not None, "the database refuses one without"
        start_refund_operation(refund, source.charge, changes, why="requested", by=by)
        nudge("operations")
        return
    where = "to the wallets that paid" if refund.destination == "balance" else "to the buyer's wallet"
    changes.move(refund, refund.to_executing, why=where, by=by)
    order, shares = source.orders[lines[0].order_id], lock_shares(order_ids=[lines[0].order_id])
    changes.move(
        refund,
        refund.to_success,
        why=f"refunded {where}",
        by=by,
        fact=refund_fact(refund, order, "succeeded", parts),
        succeeded_at=clock.now(),
    )
    count_refunded(locked, dict(source.orders), sign=1)
    note_checkout_totals(order.checkout_id, changes)
    changes.last(lambda: post_accepted(refund, lines, source.orders, shares, source.charge, parts, by=by))


def _locked(merchant_id: UUID, reference: str) -> tuple[Source, PaymentOrder]:
    """Lock what paid the order and all around it; only its checkout and orders if no charge pays it."""
    try:
        order_id, checkout_id = order_keys(merchant_id=merchant_id, reference=reference)
    except NotFound:
        raise NotFound(param="payment_order_id") from None
    while True:
        charge_id = _paying_charge(order_id)
        if charge_id is None:
            source = _uncharged(checkout_id)
        else:
            scope = lock_charge(charge_id=charge_id)
            assert scope is not None, "charges are never deleted"
            source = source_of(scope)
        # Once the checkout is locked, what pays the order stays what it is.
        if _paying_charge(order_id) == charge_id:
            return source, source.orders[order_id]


def source_of(scope: ChargeScope) -> Source:
    """Return a locked charge as the source of a refund."""
    lines = {line.order_id: line for line in scope.lines}
    return Source(orders={each.id: each for each in scope.orders}, charge=scope.charge, lines=lines)


def _uncharged(checkout_id: UUID) -> Source:
    _, orders = lock_checkout_orders(checkout_id=checkout_id)
    return Source(orders={each.id: each for each in orders})


def _paying_charge(order_id: UUID) -> UUID | None:
    paid = ChargeLine.objects.filter(order_id=order_id, live=True)
    key: UUID | None = paid.values_list("charge_id", flat=True).first()
    return key


def _amount(text: str, currency: str) -> int:
    try:
        return parse_amount(text, currency)
    except DomainError as error:
        raise error.at("amount") from None


def _wallet(order: PaymentOrder) -> UUID:
    """The cash wallet of the very buyer who paid, opened with the first money that goes there (A-H4)."""
    if not order.buyer_account:
        raise RefundDestinationUnavailable(param="destination")
    buyer = ensure_buyer(merchant_id=order.merchant_id, buyer_account=order.buyer_account)
    return open_wallet(
        merchant_id=order.merchant_id,
        owner_type="buyer",
        owner_id=buyer.id,
        currency=str(order.amount_currency),
    )
