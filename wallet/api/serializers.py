"""The body that opens a wallet."""

from core.api.fields import CurrencyField
from core.api.serializers import StrictSerializer

__all__ = ["WalletInput"]


class WalletInput(StrictSerializer):
    """In which currency."""

    currency = CurrencyField()
