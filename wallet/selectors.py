"""How others read wallets."""

from uuid import UUID

from core.errors import NotFound
from wallet.models import Wallet
from wallet.types import WalletData

__all__ = ["get_wallet", "wallets_of"]


def wallets_of(*, merchant_id: UUID, owner_type: str, owner_id: UUID) -> list[WalletData]:
    """Return the owner's wallets, by currency and kind."""
    rows = Wallet.objects.filter(merchant_id=merchant_id, owner_type=owner_type, owner_id=owner_id)
    return [_data(row) for row in rows.order_by("currency", "kind")]


def get_wallet(*, merchant_id: UUID, wallet_id: UUID) -> WalletData:
    """Return one wallet of the merchant. Raises NotFound, for another merchant's wallet too."""
    row = Wallet.objects.filter(merchant_id=merchant_id, id=wallet_id).first()
    if row is None:
        raise NotFound()
    return _data(row)


def _data(row: Wallet) -> WalletData:
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
