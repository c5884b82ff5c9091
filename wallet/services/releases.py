"""What sellers have earned becomes theirs to spend, less the rolling reserve."""

from datetime import date, datetime
from uuid import UUID

from core.history import SYSTEM
from core.money import InvalidAmount
from core.transactions import requires_transaction
from ledger.templates.entry import Posting
from ledger.templates.reserves import release_entry
from ledger.types import EntryRef
from wallet.purposes import seller_accounts
from wallet.selectors import accounts_of, get_wallet
from wallet.services.holds import insert_hold
from wallet.services.posting import post_netted

__all__ = ["release_funds"]

_BPS = 10_000


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

    The reserve is rounded half up to the minor unit; the tranche is a hold of purpose `reserve` with the
    release as its subject, and comes back at `reserve_until`. What the seller owes is paid from what becomes
    available. The same release again, for the same day, changes nothing. Raises InsufficientFunds when less
    is pending, HoldConflict and EntryConflict for the same release with other content, InvalidAmount.
    """
    if type(amount_minor) is not int or amount_minor <= 0:
        raise InvalidAmount(param="amount_minor")
    if not 0 <= reserve_bps <= _BPS:
        raise ValueError(f"a reserve is 0 to {_BPS} basis points, not {reserve_bps}")
    reserve_minor = (2 * amount_minor * reserve_bps + _BPS) // (2 * _BPS)
    if reserve_minor:
        if reserve_until is None:
            raise ValueError("a tranche of the reserve has the date of its release")
        insert_hold(
            merchant_id=merchant_id,
            wallet_id=wallet_id,
            purpose="reserve",
            subject=release_id,
            amount_minor=reserve_minor,
            expires_at=reserve_until,
            by=by,
        )
    wallet = get_wallet(merchant_id=merchant_id, wallet_id=wallet_id)
    draft = release_entry(
        posting=Posting(merchant_id, wallet.currency, effective_date),
        seller=seller_accounts(accounts=accounts_of(merchant_id=merchant_id, wallet_id=wallet_id)),
        release_id=release_id,
        amount_minor=amount_minor,
        reserve_minor=reserve_minor,
    )
    return post_netted(drafts=[draft])[0]
