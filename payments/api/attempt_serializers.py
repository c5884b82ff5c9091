"""The bodies of attempts, captures and cancellations."""

from typing import Any

from core.api.fields import AmountField, ChoiceTextField, CurrencyField, TextField
from core.api.serializers import StrictSerializer
from payments.api.serializers import (
    ABOUT_METHOD,
    METHODS,
    CardInput,
    check_return_url,
    kinds_field,
    read_kinds,
    read_method,
)
from payments.types import AttemptRequest

__all__ = ["AttemptInput", "CancellationInput", "CaptureInput"]


class AttemptInput(StrictSerializer):
    """How to pay what failed: with a card, on the provider's page, or from the buyer's balance."""

    credit_card_info = CardInput(required=False)
    payment_method = ChoiceTextField(choices=METHODS, required=False, help_text=ABOUT_METHOD)
    wallet_kinds = kinds_field()
    return_url = TextField(
        max_length=2000,
        required=False,
        help_text="In place of the checkout's, which holds if it is left out.",
    )

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """Return {"request": AttemptRequest}."""
        values = super().to_internal_value(data)
        method, card = read_method(values)
        if url := values.get("return_url"):
            check_return_url(url)
        request = AttemptRequest(
            payment_method=method,
            wallet_kinds=read_kinds(values, method),
            return_url=values.get("return_url", ""),
            **card,
        )
        return {"request": request}


class CaptureInput(StrictSerializer):
    """How much to take: an empty object, or no body at all, takes all that is authorized."""

    amount = AmountField(currency=None, required=False)
    currency = CurrencyField(required=False)


class CancellationInput(StrictSerializer):
    """Nothing needs to be said: an empty object, or no body at all."""
