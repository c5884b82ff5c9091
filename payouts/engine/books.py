"""What payouts do to wallets and books: O1 to O3, O5 and O6b of the books.

PAID posts nothing: what is in transit stays open until the bank's or the provider's own line (O4, O4b).
Each of these locks the seller's wallet, so it comes last in its transaction.
"""

from channels.selectors import get_channel
from core import clock
from core.history import SYSTEM
from core.transactions import requires_transaction
from ledger.services import open_account
from ledger.templates.entry import Posting, credit
from ledger.templates.payouts import payout_rejection_entry, payout_return_credit_entry
from payouts.models import Payout, PayoutAttempt
from payouts.providers.contract import provider_for
from wallet.selectors import seller_accounts_of
from wallet.services import cancel_hold, confirm_hold, post_netted, try_hold

__all__ = ["hold", "post_rejected", "post_returned", "post_sent", "release"]

PURPOSE = "payout"


@requires_transaction
def hold(payout: Payout, *, by: str) -> None:
    """Set the amount and its fee aside (O1). Raises InsufficientFunds."""
    try_hold(
        merchant_id=payout.merchant_id,
        wallet_id=payout.wallet_id,
        purpose=PURPOSE,
        subject=str(payout.id),
        amount_minor=payout.amount_minor + payout.fee_minor,
        by=by,
    )


@requires_transaction
def release(payout: Payout, *, by: str = SYSTEM) -> None:
    """Give back what was set aside: nothing was sent (O2)."""
    cancel_hold(
        merchant_id=payout.merchant_id,
        wallet_id=payout.wallet_id,
        purpose=PURPOSE,
        subject=str(payout.id),
        by=by,
    )


@requires_transaction
def post_sent(payout: Payout) -> None:
    """Let what was set aside leave: the amount into transit, the fee to us (O3)."""
    confirm_hold(
        merchant_id=payout.merchant_id,
        purpose=PURPOSE,
        subject=str(payout.id),
        settled_minor=payout.amount_minor + payout.fee_minor,
        legs=[
            credit(_account(payout, "payouts_in_transit"), payout.amount_minor, key=payout.id),
            credit(_account(payout, "payout_fee"), payout.fee_minor),
        ],
    )


@requires_transaction
def post_rejected(payout: Payout) -> None:
    """Give back what had left and was refused before it arrived, the fee with it (O5)."""
    draft = payout_rejection_entry(
        posting=_posting(payout),
        seller=seller_accounts_of(merchant_id=payout.merchant_id, wallet_id=payout.wallet_id),
        payouts_in_transit=_account(payout, "payouts_in_transit"),
        payout_fee=_account(payout, "payout_fee"),
        payout_id=payout.id,
        amount_minor=payout.amount_minor,
        fee_minor=payout.fee_minor,
    )
    post_netted(drafts=[draft])


@requires_transaction
def post_returned(payout: Payout, attempt: PayoutAttempt) -> None:
    """Give the seller what came back, less the fee for it (O6b).

    payout_returns stays open under the reference of the sending until the bank's own line comes (O6a).
    """
    draft = payout_return_credit_entry(
        posting=_posting(payout),
        seller=seller_accounts_of(merchant_id=payout.merchant_id, wallet_id=payout.wallet_id),
        payout_returns=_account(payout, "payout_returns"),
        payout_fee=_account(payout, "payout_fee"),
        return_id=attempt.reference,
        amount_minor=payout.amount_minor,
        fee_minor=payout.return_fee_minor,
    )
    post_netted(drafts=[draft])


def _posting(payout: Payout) -> Posting:
    return Posting(payout.merchant_id, payout.currency, clock.today())


def _account(payout: Payout, role: str) -> int:
    provider = None
    if role != "payout_fee":
        provider = provider_for(get_channel(channel_id=payout.channel_id).provider).rail
    return open_account(
        merchant_id=payout.merchant_id, role=role, currency=payout.currency, provider=provider
    )
