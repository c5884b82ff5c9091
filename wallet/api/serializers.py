"""The body that opens a wallet."""

from core.api.fields import CurrencyField, StoreIdField
from core.api.serializers import StrictSerializer

__all__ = ["WalletInput"]


class WalletInput(StrictSerializer):
    """For which buyer, and in which currency."""

    buyer_account = StoreIdField()
    currency = CurrencyField()
