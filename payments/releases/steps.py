"""The release: an order's pending money becomes its seller's to spend, less the reserve; exactly once."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from core import clock
from core.drain import Claim
from core.failpoints import failpoint
from core.history import Changes, Fact
from core.ids import public_id, uuid7
from core.money import format_minor
from core.transactions import at_edge, forbids_transaction
from ledger.templates.reserves import reserve_part
from merchants.selectors import sellers_by_account
from merchants.types import SellerData, TermsData
from payments.models import OrderRelease, OrderShare
from payments.releases.locks import lock_orders_with_shares
from payments.releases.plan import basis_of, due_time, policy_of, some_days_later, unreleased_minor
from payments.snapshots import moment
from wallet.services import open_wallet, release_all
from wallet.types import FundsRelease

__all__ = ["release_claimed", "release_fact"]


@forbids_transaction
def release_claimed(*, claims: Sequence[Claim]) -> int:
    """Release what claimed orders still have pending, in one transaction of its own; return how many.

    Who was claimed anew meanwhile is left alone. An order for which something is still missing is not
    released: it is due when that comes. All are released or none; whatever stops one is raised.
    """
    return _release(claims)


@at_edge
def _release(claims: Sequence[Claim]) -> int:
    fences = {claim.id: claim.fence for claim in claims}
    at = clock.now()
    claimed = lock_orders_with_shares(order_ids=fences)
    shares = [share for share in claimed if share.fence == fences[share.order_id]]
    ready = []
    for share in shares:
        due_at = due_time(share)
        if due_at is not None and due_at <= at:
            ready.append(share)
        else:
            # Somebody used the money meanwhile, or something is still missing: it is due when that comes.
            _put_back(share, due_at)
    if ready:
        _release_ready(ready, at)
    return len(ready)


def _put_back(share: OrderShare, due_at: datetime | None) -> None:
    share.due_at, share.leased_until, share.attempts = due_at, None, 0
    share.save(update_fields=["released_minor", "reserved_minor", "due_at", "leased_until", "attempts"])


def _release_ready(shares: Sequence[OrderShare], at: datetime) -> None:
    changes, made, posted = Changes(), [], []
    sellers, wallets, zones = _sellers(shares, at), _wallets(shares), _zones(shares, at)
    for share in shares:
        order = share.order
        terms = sellers[order.merchant_id, order.seller_account].terms
        wallet_id = wallets[order.seller_id, order.amount_currency]
        release = _new_release(share, terms, at, zones[share.merchant_id])
        changes.announce(release, release_fact(release, wallet_id))
        made.append(release)
        posted.append(_funds(release, wallet_id))
        share.released_minor += release.amount_minor
        share.reserved_minor += release.reserve_minor
        _put_back(share, None)
    changes.insert(made)
    failpoint("releases.before_posting")
    changes.last(lambda: release_all(releases=posted))
    changes.save()


def _sellers(shares: Sequence[OrderShare], at: datetime) -> Mapping[tuple[UUID, str], SellerData]:
    """The sellers with the terms of this moment: the reserve is that of the release."""
    accounts: dict[UUID, set[str]] = {}
    for share in shares:
        accounts.setdefault(share.merchant_id, set()).add(share.order.seller_account)
    return {
        (merchant_id, account): seller
        for merchant_id, names in accounts.items()
        for account, seller in sellers_by_account(merchant_id=merchant_id, accounts=names, at=at).items()
    }


def _wallets(shares: Sequence[OrderShare]) -> Mapping[tuple[UUID, str], UUID]:
    owners = {
        (share.order.seller_id, str(share.order.amount_currency)): share.merchant_id for share in shares
    }
    return {
        (seller_id, currency): open_wallet(
            merchant_id=merchant_id, owner_type="seller", owner_id=seller_id, currency=currency
        )
        for (seller_id, currency), merchant_id in owners.items()
    }


def _zones(shares: Sequence[OrderShare], at: datetime) -> Mapping[UUID, ZoneInfo]:
    merchants = {share.merchant_id for share in shares}
    return {each: policy_of(scope=public_id("mer", each), at=at).zone for each in merchants}


def _new_release(share: OrderShare, terms: TermsData, at: datetime, zone: ZoneInfo) -> OrderRelease:
    amount = unreleased_minor(share)
    reserve = reserve_part(amount_minor=amount, reserve_bps=terms.reserve_bps)
    until = some_days_later(at, terms.reserve_days, zone) if reserve else None
    return OrderRelease(
        id=uuid7(),
        merchant_id=share.merchant_id,
        order=share.order,
        reference=public_id("pay", share.order_id),
        amount_minor=amount,
        reserve_minor=reserve,
        reserve_bps=terms.reserve_bps if reserve else 0,
        reserve_until=until,
        basis=basis_of(share, at),
        proof=share.proof_needed,
        effective_date=at.date(),
        released_at=at,
    )


def _funds(release: OrderRelease, wallet_id: UUID) -> FundsRelease:
    return FundsRelease(
        merchant_id=release.merchant_id,
        wallet_id=wallet_id,
        release_id=release.reference,
        amount_minor=release.amount_minor,
        effective_date=release.effective_date,
        reserve_minor=release.reserve_minor,
        reserve_until=release.reserve_until,
    )


def release_fact(release: OrderRelease, wallet_id: UUID) -> Fact:
    """Return the event `wallet.credited` about a release."""
    order = release.order
    currency = order.amount_currency
    subject = public_id("rel", release.id)
    return Fact(
        "wallet.credited",
        subject,
        lambda: {
            "object": {
                "object": "release",
                "id": subject,
                "payment_order_id": order.payment_order_id,
                "seller_account": order.seller_account,
                "wallet": public_id("wal", wallet_id),
                "amount": format_minor(release.amount_minor, currency),
                "reserved": format_minor(release.reserve_minor, currency),
                "currency": currency,
                "reserve_until": moment(release.reserve_until),
                "released_at": moment(release.released_at),
            }
        },
    )
