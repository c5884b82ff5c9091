"""The body of a top-up."""

from typing import Any

from core.api.fields import AmountField, ChoiceTextField, CurrencyField, TextField
from core.api.serializers import StrictSerializer
from payments.api.serializers import CardInput, check_return_url, read_method
from payments.types import TopUpRequest

__all__ = ["TopUpInput"]

_ABOUT_METHOD = "If left out, `card` where there is `credit_card_info`, else `hosted_page`."


class TopUpInput(StrictSerializer):
    """How much money comes into the wallet, and how it is paid."""

    amount = AmountField()
    currency = CurrencyField()
    credit_card_info = CardInput(required=False)
    payment_method = ChoiceTextField(choices=("card", "hosted_page"), required=False, help_text=_ABOUT_METHOD)
    return_url = TextField(
        max_length=2000,
        required=False,
        help_text="Where the buyer comes back to, with `top_up` added to the query: absolute http(s).",
    )

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """Return {"request": TopUpRequest}."""
        values = super().to_internal_value(data)
        method, card = read_method(values)
        if url := values.get("return_url"):
            check_return_url(url)
        return {
            "request": TopUpRequest(
                amount_minor=values["amount_minor"],
                currency=values["currency"],
                payment_method=method,
                return_url=values.get("return_url", ""),
                **card,
            )
        }
