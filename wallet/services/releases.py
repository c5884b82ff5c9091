"""What sellers have earned becomes theirs to spend, less the rolling reserve."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from core.history import SYSTEM
from core.money import InvalidAmount
from core.transactions import requires_transaction
from ledger.templates.accounts import SellerAccounts
from ledger.templates.entry import Posting
from ledger.templates.reserves import release_entry, reserve_part
from ledger.types import EntryDraft, EntryRef
from wallet.purposes import seller_accounts
from wallet.selectors import accounts_of, get_wallet
from wallet.services.holds import insert_hold
from wallet.services.posting import post_netted
from wallet.types import FundsRelease

__all__ = ["release_all", "release_funds"]


@requires_transaction
def release_funds(
    *,
    merchant_id: UUID,
    wallet_id: UUID,
    release_id: str,
    amount_minor: int,
    effective_date: date,
    reserve_bps: int = 0,
    reserve_until: datetime | None = None,
    by: str = SYSTEM,
) -> EntryRef:
    """Move earned money from pending to available, keeping `reserve_bps` of it as a tranche of the reserve.

    See `release_all`; the reserve is that of `reserve_part`.
    """
    if type(amount_minor) is not int or amount_minor <= 0:
        raise InvalidAmount(param="amount_minor")
    release = FundsRelease(
        merchant_id=merchant_id,
        wallet_id=wallet_id,
        release_id=release_id,
        amount_minor=amount_minor,
        effective_date=effective_date,
        reserve_minor=reserve_part(amount_minor=amount_minor, reserve_bps=reserve_bps),
        reserve_until=reserve_until,
    )
    return release_all(releases=[release], by=by)[0]


@requires_transaction
def release_all(*, releases: Sequence[FundsRelease], by: str = SYSTEM) -> list[EntryRef]:
    """Post releases together, all or none; return their entries in order.

    The tranche of each is a hold of purpose `reserve` with the release as its subject, and comes back on its
    date. What the seller owes is paid from what becomes available. The same release again, for the same day,
    changes nothing. Raises InsufficientFunds when less is pending, HoldConflict and EntryConflict for the
    same release with other content, InvalidAmount, ValueError for a tranche without a date or above the
    whole.
    """
    for release in releases:
        _check(release)
    # Every hold before the first wallet.
    for release in releases:
        if release.reserve_minor:
            insert_hold(
                merchant_id=release.merchant_id,
                wallet_id=release.wallet_id,
                purpose="reserve",
                subject=release.release_id,
                amount_minor=release.reserve_minor,
                expires_at=release.reserve_until,
                by=by,
            )
    places = {release.wallet_id: _place(release) for release in releases}
    return post_netted(drafts=[_draft(release, *places[release.wallet_id]) for release in releases])


def _check(release: FundsRelease) -> None:
    if type(release.amount_minor) is not int or release.amount_minor <= 0:
        raise InvalidAmount(param="amount_minor")
    if not 0 <= release.reserve_minor <= release.amount_minor:
        raise ValueError("a tranche of the reserve is a part of what is released")
    if release.reserve_minor and release.reserve_until is None:
        raise ValueError("a tranche of the reserve has the date of its release")


def _place(release: FundsRelease) -> tuple[str, SellerAccounts]:
    where = {"merchant_id": release.merchant_id, "wallet_id": release.wallet_id}
    return get_wallet(**where).currency, seller_accounts(accounts=accounts_of(**where))


def _draft(release: FundsRelease, currency: str, seller: SellerAccounts) -> EntryDraft:
    return release_entry(
        posting=Posting(release.merchant_id, currency, release.effective_date),
        seller=seller,
        release_id=release.release_id,
        amount_minor=release.amount_minor,
        reserve_minor=release.reserve_minor,
    )
