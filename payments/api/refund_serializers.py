"""The body of POST /v1/refunds."""

from typing import Any

from core.api.fields import AmountField, ChoiceTextField, CurrencyField, MetadataField, TextField
from core.api.serializers import StrictSerializer
from payments.types import RefundRequest

__all__ = ["DESTINATIONS", "RefundInput"]

DESTINATIONS = ("instrument", "wallet")
_ABOUT_AMOUNT = "All that is left of what was captured, if you leave it out."
_ABOUT_DESTINATION = (
    "What the buyer paid with, which is what you get if you leave it out, or the wallet of the same buyer."
    " What a balance paid goes back to the wallets that paid it, whatever you send."
)
_ABOUT_REASON = "In your words. It is kept with the refund and not sent to the provider."


class RefundInput(StrictSerializer):
    """Which order's money goes back, and how much of it. A `currency` that is sent must be the order's."""

    payment_order_id = TextField(max_length=64, help_text="The payment_order_id, or our pay_… id.")
    amount = AmountField(currency=None, required=False, help_text=_ABOUT_AMOUNT)
    currency = CurrencyField(required=False)
    destination = ChoiceTextField(choices=DESTINATIONS, required=False, help_text=_ABOUT_DESTINATION)
    reason = TextField(max_length=255, required=False, help_text=_ABOUT_REASON)
    metadata = MetadataField(required=False)

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """Return {"request": RefundRequest}; the amount is read by who knows the order's currency."""
        values = super().to_internal_value(data)
        return {"request": RefundRequest(**values)}
