"""From rows of holds to the values that cross."""

from wallet.models import Hold
from wallet.types import HoldData

__all__ = ["hold_data"]


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
