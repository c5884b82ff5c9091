"""Accept a checkout: store it whole with its first work, or refuse it and store nothing."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import IntegrityError

from channels.types import ChannelData
from core import clock
from core.drain import Claim
from core.errors import DomainError
from core.history import Changes
from core.money import MAX_MINOR_PER_CHECKOUT, AmountTooLarge
from core.rows import new_row
from core.transactions import requires_transaction
from merchants.selectors import sellers_by_account
from merchants.types import SellerData
from payments.engine.admission import admit
from payments.engine.assessment import assess_checkout
from payments.engine.balance import Purse, purse_of
from payments.engine.charges import charge_money
from payments.engine.facts import uncharged_fact
from payments.engine.inline import lease_inline
from payments.engine.methods import choose_channel
from payments.engine.saved import means_of, pay_with
from payments.errors import (
    CaptureUnsupported,
    CheckoutExists,
    DuplicatePaymentOrderId,
    MixedCurrencyUnsupported,
    PaymentOrderExists,
    SellerUnknown,
)
from payments.models import PaymentEvent, PaymentOrder
from payments.types import CheckoutRequest

__all__ = ["Accepted", "accept_checkout"]

CHECKOUT_LIFETIME = timedelta(hours=24)
_TAKEN: dict[str, tuple[type[DomainError], str]] = {
    "payments_checkout_once": (CheckoutExists, "checkout_id"),
    "payments_order_once": (PaymentOrderExists, "payment_orders"),
}


@dataclass(frozen=True)
class Accepted:
    """A checkout that was just stored, with its orders in the order of the request.

    `inline` is the right to open the provider's page at once, which the caller uses or gives back.
    """

    checkout: PaymentEvent
    orders: tuple[PaymentOrder, ...]
    inline: Claim | None = None


@requires_transaction
def accept_checkout(
    *,
    merchant_id: UUID,
    request: CheckoutRequest,
    actor: str,
    answer: Callable[[PaymentEvent, Sequence[PaymentOrder], Changes], None] | None = None,
) -> Accepted:
    """Store a checkout and its orders, have it assessed, and store the charges and the first operations.

    What risk declines is stored as failed, and what it holds waits for a review, both without a charge. What
    is paid from the buyer's balance is paid when this returns. Nothing is sent anywhere. `answer` gets the
    checkout and its orders, as they will be, before the changes that store them are saved, so that what the
    store is told is saved with them. Raises CheckoutExists, PaymentOrderExists, DuplicatePaymentOrderId,
    SellerUnknown, MixedCurrencyUnsupported, AmountTooLarge, CaptureUnsupported, PaymentMethodUnavailable,
    PaymentMethodUnknown, BuyerAccountRequired, InsufficientFunds; the caller rolls back on any of them.
    """
    _check(request)
    checkout = _new_checkout(merchant_id, request)
    means = means_of(merchant_id=merchant_id, buyer_account=checkout.buyer_account, request=request)
    pays = _pays(merchant_id, checkout, request, means.channel_id)
    pay_with(checkout, means)
    sellers = _sellers(merchant_id, request)
    orders = _new_orders(merchant_id, request, checkout, sellers)
    changes = Changes()
    assessment = assess_checkout(checkout, orders, sellers, changes)
    changes.insert([checkout])
    for order in orders:
        changes.begin(order, why="accepted", by=actor, fact=uncharged_fact(checkout, order, "created"))
    changes.insert(orders)
    operations = admit(checkout, orders, assessment, pays, changes, by=actor)
    inline = lease_inline(checkout, operations, changes)
    if inline is None:
        changes.wake("operations")
    # The database comes to know it with the last of the changes; the row was filled before.
    checkout.is_payment_done = all(order.status == "SUCCESS" for order in orders)
    if answer is not None:
        answer(checkout, orders, changes)
    try:
        changes.save()
    except IntegrityError as error:
        raise _already_there(error) from error
    return Accepted(checkout=checkout, orders=tuple(orders), inline=inline)


def _pays(
    merchant_id: UUID, checkout: PaymentEvent, request: CheckoutRequest, only: UUID | None
) -> ChannelData | Purse:
    if request.payment_method == "balance":
        return purse_of(
            merchant_id=merchant_id,
            buyer_account=checkout.buyer_account,
            kinds=request.wallet_kinds,
            capture=request.capture,
        )
    return choose_channel(
        merchant_id=merchant_id,
        payment_method=request.payment_method,
        amounts=_charge_amounts(request),
        only=only,
    )


def _check(request: CheckoutRequest) -> None:
    seen: set[str] = set()
    for index, order in enumerate(request.orders):
        if order.payment_order_id in seen:
            raise DuplicatePaymentOrderId(param=f"payment_orders[{index}].payment_order_id")
        seen.add(order.payment_order_id)
    if sum(order.amount_minor for order in request.orders) > MAX_MINOR_PER_CHECKOUT:
        raise AmountTooLarge(param="payment_orders")
    if len({order.currency for order in request.orders}) > 1 and request.multi_order_policy != "best_effort":
        raise MixedCurrencyUnsupported(param="payment_orders")
    if (
        request.capture == "manual"
        and len(request.orders) > 1
        and request.multi_order_policy != "best_effort"
    ):
        # A partial capture gives the rest back, and nobody could say of which order.
        raise CaptureUnsupported(param="capture")


def _charge_amounts(request: CheckoutRequest) -> list[tuple[str, int]]:
    """What the charges will be: one for the whole, or one for each order."""
    if request.multi_order_policy == "best_effort":
        return [(order.currency, order.amount_minor) for order in request.orders]
    totals: dict[str, int] = defaultdict(int)
    for order in request.orders:
        totals[order.currency] += order.amount_minor
    return list(totals.items())


def _new_checkout(merchant_id: UUID, request: CheckoutRequest) -> PaymentEvent:
    created_at = clock.now()
    return new_row(
        PaymentEvent,
        merchant_id=merchant_id,
        checkout_id=request.checkout_id,
        buyer_account=request.buyer_info.get("buyer_account") or "",
        buyer_info=dict(request.buyer_info),
        payment_method=request.payment_method,
        capture=request.capture,
        multi_order_policy=request.multi_order_policy,
        return_url=request.return_url,
        metadata=dict(request.metadata),
        created_at=created_at,
        updated_at=created_at,
        expires_at=created_at + CHECKOUT_LIFETIME,
    )


def _sellers(merchant_id: UUID, request: CheckoutRequest) -> Mapping[str, SellerData]:
    accounts = {order.seller_account for order in request.orders}
    sellers = sellers_by_account(merchant_id=merchant_id, accounts=accounts)
    for index, order in enumerate(request.orders):
        if order.seller_account not in sellers:
            raise SellerUnknown(param=f"payment_orders[{index}].seller_account")
    return sellers


def _new_orders(
    merchant_id: UUID, request: CheckoutRequest, checkout: PaymentEvent, sellers: Mapping[str, SellerData]
) -> list[PaymentOrder]:
    orders = []
    for index, order in enumerate(request.orders):
        row = new_row(
            PaymentOrder,
            merchant_id=merchant_id,
            checkout_id=checkout.id,
            position=index,
            payment_order_id=order.payment_order_id,
            seller_id=sellers[order.seller_account].id,
            seller_account=order.seller_account,
            buyer_account=checkout.buyer_account,
            amount=charge_money(order.amount_minor, order.currency).amount,
            amount_currency=order.currency,
            amount_minor=order.amount_minor,
            created_at=checkout.created_at,
            updated_at=checkout.created_at,
        )
        row.checkout = checkout
        orders.append(row)
    return orders


def _already_there(error: IntegrityError) -> DomainError | IntegrityError:
    diagnostics = getattr(error.__cause__, "diag", None)
    taken = _TAKEN.get(getattr(diagnostics, "constraint_name", ""))
    return taken[0](param=taken[1]) if taken else error
