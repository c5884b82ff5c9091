"""Pay again what failed: new charges for the failed orders of a checkout, and for no others."""

from dataclasses import dataclass
from uuid import UUID

from channels.types import ChannelData
from core import clock
from core.drain import Claim
from core.errors import InvalidState
from core.history import Changes
from core.nudges import nudge
from core.transactions import requires_transaction
from merchants.selectors import sellers_by_account
from payments.engine.admission import admit
from payments.engine.assessment import assess_checkout, charge_groups
from payments.engine.balance import Purse, purse_of
from payments.engine.charges import charge_amounts
from payments.engine.facts import uncharged_fact
from payments.engine.inline import lease_inline
from payments.engine.methods import choose_channel
from payments.engine.saved import Means, means_of, pay_with
from payments.errors import (
    AttemptInProgress,
    CheckoutExpired,
    MultiOrderPolicyUnsupported,
    OrderAlreadyPaid,
)
from payments.locks import CheckoutScope, lock_checkout
from payments.models import PaymentEvent, PaymentOrder
from payments.references import checkout_key
from payments.states import CHARGE_DEAD
from payments.types import AttemptRequest

__all__ = ["Attempt", "start_attempt"]

_WHY = "a new attempt"
# Nothing more is expected of the buyer.
_PAID = ("AUTHORIZED", "CAPTURED")
_METHOD = ("payment_method", "token", "save_method", "saved_method", "customer_reference", "card_attempt")


@dataclass(frozen=True)
class Attempt:
    """A new attempt that was just begun; `inline` is the right to open the provider's page for it at once."""

    checkout_id: UUID
    inline: Claim | None


@requires_transaction
def start_attempt(*, merchant_id: UUID, reference: str, request: AttemptRequest, actor: str) -> Attempt:
    """Begin to pay the failed orders of a checkout with another method or card.

    Risk is asked again, because this is how cards are tried out. One charge for all of them, or one each
    under best_effort. Raises NotFound, AttemptInProgress, OrderAlreadyPaid, CheckoutExpired, InvalidState
    when nothing failed, MultiOrderPolicyUnsupported, PaymentMethodUnavailable, BuyerAccountRequired,
    InsufficientFunds; the caller rolls back on any of them.
    """
    scope = lock_checkout(checkout_id=checkout_key(merchant_id=merchant_id, reference=reference))
    assert scope is not None, "checkouts are never deleted"
    checkout, failed = scope.checkout, _payable(scope)
    groups = charge_groups(checkout, failed)
    if request.payment_method == "hosted_page" and len(groups) > 1:
        raise MultiOrderPolicyUnsupported(param="payment_method")
    means = means_of(merchant_id=merchant_id, buyer_account=checkout.buyer_account, request=request)
    pays: ChannelData | Purse
    if request.payment_method == "balance":
        pays = purse_of(
            merchant_id=merchant_id,
            buyer_account=checkout.buyer_account,
            kinds=request.wallet_kinds,
            capture=checkout.capture,
        )
    else:
        pays = choose_channel(
            merchant_id=merchant_id,
            payment_method=request.payment_method,
            amounts=charge_amounts(groups),
            only=means.channel_id,
        )
    _replace_method(checkout, request, means)
    changes = Changes()
    sellers = sellers_by_account(merchant_id=merchant_id, accounts={order.seller_account for order in failed})
    assessment = assess_checkout(checkout, failed, sellers, changes)
    checkout.save(update_fields=["risk_decision"])
    for order in failed:
        fact = uncharged_fact(checkout, order, "retried")
        changes.move(order, order.to_not_started, why=_WHY, by=actor, fact=fact)
    operations = admit(checkout, failed, assessment, pays, changes, by=actor, why=_WHY)
    inline = lease_inline(checkout, operations, changes)
    changes.save()
    if inline is None:
        nudge("operations")
    return Attempt(checkout_id=checkout.id, inline=inline)


def _payable(scope: CheckoutScope) -> list[PaymentOrder]:
    """The orders that an attempt is for; the checkout is locked, so that no other one begins meanwhile."""
    if any(each.charge.status not in (*CHARGE_DEAD, *_PAID) for each in scope.charges):
        raise AttemptInProgress()
    if all(order.status in ("SUCCESS", "AUTHORIZED") for order in scope.orders):
        raise OrderAlreadyPaid()
    if scope.checkout.expires_at <= clock.now() or scope.checkout.expiry_started_at is not None:
        raise CheckoutExpired()
    failed = [order for order in scope.orders if order.status == "FAILED"]
    if not failed:
        raise InvalidState()
    return failed


def _replace_method(checkout: PaymentEvent, request: AttemptRequest, means: Means) -> None:
    checkout.payment_method = request.payment_method
    checkout.return_url = request.return_url or checkout.return_url
    pay_with(checkout, means)
    checkout.updated_at = clock.now()
    checkout.save(update_fields=[*_METHOD, "return_url", "updated_at"])
