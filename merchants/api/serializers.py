"""Bodies of the seller endpoints."""

from typing import Any

from core.api.errors import InvalidField, MissingField
from core.api.fields import (
    AmountField,
    ChoiceTextField,
    CountryField,
    CurrencyField,
    StoreIdField,
    StrictIntegerField,
    TextField,
)
from core.api.serializers import StrictSerializer

__all__ = ["SellerChanges", "SellerInput"]

_NEEDS = {
    "manual": (),
    "daily": (),
    "weekly": ("weekday",),
    "monthly": ("day",),
    "threshold": ("amount", "currency"),
}
_NOT_SHOWN = "It counts, and the seller object does not show it."
_ABOUT_FIXED = f"Added to the basis points of each order in its currency; null: nothing. {_NOT_SHOWN}"
_ABOUT_RESERVE = f"Kept back of each release for a time; null: nothing. {_NOT_SHOWN}"
_ABOUT_TAX = (
    "The rate of the tax that the commission includes, in basis points: at 2000, a commission of 10.00 is"
    f" 8.33 for the marketplace and 1.67 of tax. {_NOT_SHOWN}"
)


class FixedCommissionInput(StrictSerializer):
    """The fixed part of the commission; it applies to orders in its currency."""

    amount = AmountField()
    currency = CurrencyField()


class RollingReserveInput(StrictSerializer):
    """How much of what is released to the seller is kept back, in basis points, and for how many days."""

    bps = StrictIntegerField(minimum=1, maximum=10_000)
    days = StrictIntegerField(minimum=1, maximum=730)


class PayoutScheduleInput(StrictSerializer):
    """When a seller is paid out without asking: weekday 1 is Monday, day is of the month or its last day."""

    interval = ChoiceTextField(choices=tuple(_NEEDS))
    weekday = StrictIntegerField(minimum=1, maximum=7, required=False)
    day = StrictIntegerField(minimum=1, maximum=31, required=False)
    amount = AmountField(required=False)
    currency = CurrencyField(required=False)

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """Return the schedule as it is stored; every interval has exactly its own fields."""
        if isinstance(data, dict) and "amount" in data and "currency" not in data:
            raise MissingField(param="currency")
        values = super().to_internal_value(data)
        values.pop("amount_minor", None)
        needed = _NEEDS[values["interval"]]
        for name in needed:
            if name not in values:
                raise MissingField(param=name)
        for name in set(values) - {"interval", *needed}:
            raise InvalidField(f"An interval of {values['interval']} has no {name}.", param=name)
        return values


class SellerChanges(StrictSerializer):
    """PATCH: everything that can change, all of it optional."""

    name = TextField(max_length=200, required=False)
    country = CountryField(required=False)
    commission_bps = StrictIntegerField(
        minimum=0, maximum=10_000, required=False, help_text="Basis points of each order."
    )
    commission_fixed = FixedCommissionInput(required=False, allow_null=True, help_text=_ABOUT_FIXED)
    tax_bps = StrictIntegerField(minimum=0, maximum=10_000, required=False, help_text=_ABOUT_TAX)
    settlement_delay_days = StrictIntegerField(minimum=0, maximum=365, required=False)
    rolling_reserve = RollingReserveInput(required=False, allow_null=True, help_text=_ABOUT_RESERVE)
    payout_schedule = PayoutScheduleInput(required=False)

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """Return the arguments of the service."""
        values = super().to_internal_value(data)
        if "commission_fixed" in values:
            fixed = values.pop("commission_fixed") or {"amount_minor": 0, "currency": ""}
            values["commission_fixed_minor"] = fixed["amount_minor"]
            values["commission_fixed_currency"] = fixed["currency"]
        if "rolling_reserve" in values:
            reserve = values.pop("rolling_reserve") or {"bps": 0, "days": 0}
            values["reserve_bps"], values["reserve_days"] = reserve["bps"], reserve["days"]
        return values


class SellerInput(SellerChanges):
    """POST: a new seller; what is left out has the service's default."""

    seller_account = StoreIdField()
    name = TextField(max_length=200)
    country = CountryField()
