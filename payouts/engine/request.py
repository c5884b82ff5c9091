"""A payout is asked for: what can be refused is refused here, and the money is set aside."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import Sum

from core import clock
from core.errors import NotFound
from core.history import Changes
from core.ids import uuid7
from core.money import from_minor
from core.transactions import requires_transaction
from merchants.errors import SellerUnknown
from merchants.selectors import find_seller
from merchants.types import SellerData
from payouts.calendar import execute_on_for
from payouts.destinations.blocks import standing_block
from payouts.destinations.reading import usable_destination
from payouts.engine.approving import decide
from payouts.engine.books import hold
from payouts.engine.facts import payout_fact
from payouts.engine.locks import lock_requests
from payouts.engine.routes import choose_channel
from payouts.errors import (
    PayoutBelowMinimum,
    PayoutBlocked,
    PayoutLimitExceeded,
    SellerUnverified,
)
from payouts.models import Payout
from payouts.policy import PayoutPolicy, policy_of
from payouts.schedules.working_days import schedule_of
from wallet.errors import InsufficientFunds
from wallet.selectors import wallets_of

__all__ = ["request_payout"]

_TAKEN_BACK = ("REJECTED", "CANCELED", "FAILED")


@requires_transaction
def request_payout(
    *,
    merchant_id: UUID,
    seller: str,
    amount_minor: int,
    currency: str,
    destination: str | None = None,
    origin: str,
    by: str,
    run: str | None = None,
    metadata: Mapping[str, str] | None = None,
    execute_on: date | None = None,
) -> Payout:
    """Ask for a payout: the money is held at once, and leaves when everybody who must has said yes.

    `amount_minor` in minor units of `currency`; the fee of the policy is held beside it. `destination` is a
    dst_… id, None for the seller's default one. Asked again by the same `run` it returns what the run asked
    for. Nothing is sent here. Raises SellerUnknown, SellerUnverified, Destination… (usable_destination),
    PayoutBelowMinimum, PayoutLimitExceeded, PayoutBlocked, PayoutChannelUnavailable, InsufficientFunds.
    """
    paid = _seller(merchant_id, seller)
    if run is not None and (known := _of_run(merchant_id, paid.id, currency, run)):
        return known
    policy = policy_of(merchant_id=merchant_id, currency=currency)
    where = usable_destination(
        merchant_id=merchant_id, seller_id=paid.id, currency=currency, reference=destination
    )
    _check(policy, paid, amount_minor, currency)
    channel = choose_channel(merchant_id=merchant_id, kind=where.kind, currency=currency)
    now = clock.now()
    payout = Payout(
        id=uuid7(),
        merchant_id=merchant_id,
        seller_id=paid.id,
        wallet_id=_wallet(paid, currency),
        destination_id=where.id,
        channel_id=channel.id,
        amount=_money(amount_minor, currency),
        amount_minor=amount_minor,
        fee_minor=policy.fee_of(amount_minor),
        origin=origin,
        run=run,
        metadata=dict(metadata or {}),
        execute_on=execute_on or execute_on_for(schedule_of(merchant_id=merchant_id), now),
        requested_by=by,
        created_at=now,
        updated_at=now,
    )
    changes = Changes()
    changes.begin(payout, why="requested", by=by, fact=payout_fact(payout, "requested"))
    changes.insert([payout])
    if decide(payout, paid, policy, changes, by=by):
        changes.last(lambda: hold(payout, by=by))
    changes.save()
    return payout


def _money(amount_minor: int, currency: str) -> Any:
    """The value of a money column; the type of the column is unknown to the type checker."""
    return from_minor(amount_minor, currency)


def _seller(merchant_id: UUID, reference: str) -> SellerData:
    try:
        return find_seller(merchant_id=merchant_id, reference=reference)
    except NotFound:
        raise SellerUnknown(param="seller_account") from None


def _of_run(merchant_id: UUID, seller_id: UUID, currency: str, run: str) -> Payout | None:
    same = Payout.objects.filter(merchant_id=merchant_id, run=run, seller_id=seller_id)
    return same.filter(amount_currency=currency).select_related("destination", "seller").first()


def _check(policy: PayoutPolicy, seller: SellerData, amount_minor: int, currency: str) -> None:
    if not seller.can_be_paid_out:
        raise SellerUnverified(param="seller_account")
    block = standing_block(merchant_id=seller.merchant_id, seller_id=seller.id, currency=currency)
    if block is not None:
        raise PayoutBlocked()
    if policy.is_below_minimum(amount_minor):
        raise PayoutBelowMinimum(param="amount")
    today_minor = 0
    if policy.per_day_minor is not None:
        # Two requests at once would each see nothing of the other.
        lock_requests(seller_id=seller.id)
        today_minor = _today(seller, currency)
    if policy.limit_broken(amount_minor, today_minor=today_minor) is not None:
        raise PayoutLimitExceeded(param="amount")


def _today(seller: SellerData, currency: str) -> int:
    midnight = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    asked = Payout.objects.filter(
        merchant_id=seller.merchant_id,
        seller_id=seller.id,
        amount_currency=currency,
        created_at__gte=midnight,
    ).exclude(status__in=_TAKEN_BACK)
    total: dict[str, Any] = asked.aggregate(total=Sum("amount_minor"))
    return int(total["total"] or 0)


def _wallet(seller: SellerData, currency: str) -> UUID:
    mine = wallets_of(merchant_id=seller.merchant_id, owner_type="seller", owner_id=seller.id)
    found = next((each.id for each in mine if each.currency == currency and each.kind == "cash"), None)
    if found is None:
        raise InsufficientFunds(param="amount")
    return found
