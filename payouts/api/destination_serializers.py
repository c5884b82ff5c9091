"""The body that adds a destination."""

from typing import Any

from core.api.fields import ChoiceTextField, CountryField, CurrencyField, StrictBooleanField, TextField
from core.api.serializers import StrictSerializer
from payouts.destinations.accounts import KINDS

__all__ = ["DestinationInput"]

_OF_IBAN = "Of kind iban: with its country and check digits, in groups of four or without blanks."
_OF_US = "Of kind us_account."


class DestinationInput(StrictSerializer):
    """An account: which of the fields it has is said by its kind."""

    kind = ChoiceTextField(choices=KINDS)
    country = CountryField()
    currency = CurrencyField()
    holder_name = TextField(
        max_length=140, required=False, help_text="As the bank has it; of kinds iban and us_account."
    )
    iban = TextField(max_length=60, required=False, help_text=_OF_IBAN)
    bic = TextField(max_length=20, required=False, help_text="Of kind iban, where you know it (ISO 9362).")
    routing_number = TextField(max_length=20, required=False, help_text=_OF_US)
    account_number = TextField(max_length=40, required=False, help_text=_OF_US)
    account_type = ChoiceTextField(choices=("checking", "savings"), required=False, help_text=_OF_US)
    account = TextField(max_length=80, required=False, help_text="Of kind stripe_account: acct_….")
    make_default = StrictBooleanField(
        required=False, help_text="Left out: the first destination in a currency is its default one."
    )

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """Return the arguments of the service: what the account is made of goes into `details`."""
        values = super().to_internal_value(data)
        outside = ("kind", "country", "currency", "make_default")
        arguments: dict[str, Any] = {name: values.pop(name) for name in outside if name in values}
        return arguments | {"details": values}
