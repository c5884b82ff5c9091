"""Bodies of pay-out's requests."""

from core.api.fields import AmountField, CurrencyField, MetadataField, StoreIdField, TextField
from core.api.serializers import StrictSerializer

__all__ = ["PayoutCancellationInput", "PayoutInput"]


class PayoutInput(StrictSerializer):
    """Who is paid how much, and where to: the seller's default destination of the currency, if not named."""

    seller_account = StoreIdField()
    amount = AmountField()
    currency = CurrencyField()
    destination = TextField(max_length=64, required=False, help_text="A dst_… id of the seller.")
    metadata = MetadataField(required=False)


class PayoutCancellationInput(StrictSerializer):
    """Nothing: the path says it all."""
