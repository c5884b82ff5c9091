"""From rows of holds and wallets to the values that cross."""

from wallet.models import Hold, Wallet
from wallet.types import HoldData, WalletData

__all__ = ["hold_data", "wallet_data"]


def hold_data(hold: Hold) -> HoldData:
    """Return a hold as others see it."""
    return HoldData(
        id=hold.id,
        merchant_id=hold.merchant_id,
        wallet_id=hold.wallet_id,
        purpose=hold.purpose,
        subject=hold.subject,
        role=hold.role,
        amount_minor=hold.amount_minor,
        settled_minor=hold.settled_minor,
        released_minor=hold.released_minor,
        expires_at=hold.expires_at,
        state=hold.state,
    )


def wallet_data(row: Wallet) -> WalletData:
    """Return a wallet as others see it."""
    return WalletData(
        id=row.id,
        merchant_id=row.merchant_id,
        owner_type=row.owner_type,
        owner_id=row.owner_id,
        currency=row.currency,
        kind=row.kind,
        pending_minor=row.pending_minor,
        available_minor=row.available_minor,
        held_minor=row.held_minor,
        receivable_minor=row.receivable_minor,
    )
