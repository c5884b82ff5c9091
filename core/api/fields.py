"""Input fields that accept exactly one JSON type each and name their refusal.

Nothing is coerced: "5" is no integer, 1 is no boolean, " EUR" is no currency. Text has already passed
the parser, which refuses control characters, lone surrogates and card numbers everywhere.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any, ClassVar

from rest_framework import serializers

from core.api.errors import InvalidField
from core.api.schemas import (
    COUNTRY,
    METADATA,
    METADATA_KEY_LENGTH,
    METADATA_KEYS,
    METADATA_VALUE_LENGTH,
    Component,
    Schema,
    boolean,
    integer,
    one_of,
    text,
)
from core.countries import COUNTRIES
from core.currencies import ISO_EXPONENTS
from core.errors import DomainError
from core.ids import PREFIXES, is_reserved
from core.money import AmountTooLarge, InvalidAmount, InvalidCurrency, check_currency

__all__ = [
    "PAYABLE_AMOUNT",
    "PAYABLE_CURRENCY",
    "STORE_ID",
    "AddressField",
    "AmountField",
    "ChoiceTextField",
    "CountryField",
    "CurrencyField",
    "Described",
    "MetadataField",
    "ObjectField",
    "StoreIdField",
    "StrictBooleanField",
    "StrictIntegerField",
    "StrictListField",
    "TextField",
    "TimeField",
    "check_store_id",
    "parse_time",
]

_STORE_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
# The exponents of ISO 4217 reach from 0 to 4; how many decimals the currency has is said by the refusal.
PAYABLE_AMOUNT = text(
    "An amount of money above zero, with at most the decimals of its currency.",
    pattern=rf"^(0|[1-9][0-9]{{0,14}})(\.[0-9]{{1,{max(ISO_EXPONENTS.values())}}})?$",
    example="100.00",
)
PAYABLE_CURRENCY = Component(
    "iso_currency",
    {
        "type": "string",
        "description": "An active ISO 4217 code in upper case.",
        "enum": sorted(ISO_EXPONENTS),
        "examples": ["USD"],
    },
)
STORE_ID = Component(
    "store_id",
    {
        "type": "string",
        "description": "The store's own id of something; it may not begin like one of our ids.",
        "pattern": rf"^(?!(?:{'|'.join(sorted(PREFIXES))})_)[A-Za-z0-9._:-]{{1,64}}$",
        "examples": ["c-1001"],
    },
)
_FILLED = r"^[^\u0000-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f][^\u0000-\u001f\u007f-\u009f]*$"
_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


class Described(serializers.Field):  # type: ignore[type-arg]
    """A field that says what it accepts, and which errors it has beyond those of every field."""

    refusals: ClassVar[tuple[type[DomainError], ...]] = ()

    def describe(self) -> Schema:
        """Return the schema of what is accepted; null is added where it is allowed."""
        raise NotImplementedError


class _StrictField(Described):
    """A field whose refusals are errors of the catalogue, null included."""

    def validate_empty_values(self, data: Any) -> tuple[bool, Any]:
        if data is None and not self.allow_null:
            return False, None  # Let the type check name the refusal.
        return super().validate_empty_values(data)

    def to_representation(self, value: Any) -> Any:
        return value


class TextField(_StrictField):
    """A string of 1 to `max_length` characters that is not only blanks."""

    def __init__(self, *, max_length: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.max_length = max_length

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or not data.strip() or len(data) > self.max_length:
            raise InvalidField(f"Send a string of 1 to {self.max_length} characters.")
        return data

    def describe(self) -> Schema:
        """A string with something in it."""
        return text(minLength=1, maxLength=self.max_length, pattern=_FILLED)


class AddressField(_StrictField):
    """An IPv4 or IPv6 address, without a zone, a port or a network."""

    def to_internal_value(self, data: Any) -> str:
        try:
            if not isinstance(data, str) or "%" in data:  # A zone says something on one machine only.
                raise ValueError(data)
            ip_address(data)
        except ValueError:
            raise InvalidField("Send an IPv4 or IPv6 address, like 203.0.113.7 or 2001:db8::7.") from None
        return data

    def describe(self) -> Schema:
        """Both formats."""
        return text(
            "An IPv4 or IPv6 address.",
            example="203.0.113.7",
            anyOf=[{"type": "string", "format": "ipv4"}, {"type": "string", "format": "ipv6"}],
        )


class ChoiceTextField(_StrictField):
    """One of a few strings."""

    def __init__(self, *, choices: Sequence[str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.choices = tuple(choices)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or data not in self.choices:
            raise InvalidField(f"Send one of: {', '.join(self.choices)}.")
        return data

    def describe(self) -> Schema:
        """The choices."""
        return one_of(self.choices)


class StrictIntegerField(_StrictField):
    """A JSON integer within bounds; no string, fraction or boolean."""

    def __init__(self, *, minimum: int, maximum: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.minimum, self.maximum = minimum, maximum

    def to_internal_value(self, data: Any) -> int:
        if type(data) is not int or not self.minimum <= data <= self.maximum:
            raise InvalidField(f"Send an integer from {self.minimum} to {self.maximum}.")
        return data

    def describe(self) -> Schema:
        """The bounds."""
        return integer(minimum=self.minimum, maximum=self.maximum)


class StrictBooleanField(_StrictField):
    """true or false."""

    def to_internal_value(self, data: Any) -> bool:
        if type(data) is not bool:
            raise InvalidField("Send true or false.")
        return data

    def describe(self) -> Schema:
        """A boolean."""
        return boolean()


class TimeField(_StrictField):
    """A moment as RFC 3339 with its offset; the value is in UTC."""

    def to_internal_value(self, data: Any) -> datetime:
        try:
            return parse_time(data)
        except ValueError as error:
            raise InvalidField(str(error)) from None

    def describe(self) -> Schema:
        """A moment; the pattern asks for the offset, which the format alone leaves open."""
        return text(format="date-time")


def parse_time(data: object) -> datetime:
    """Return a moment given as RFC 3339 with its offset, in UTC; else raise ValueError with a cure."""
    try:
        if not isinstance(data, str) or not _RFC_3339.fullmatch(data):
            raise ValueError(data)
        return datetime.fromisoformat(data.upper().replace(" ", "T")).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("Send a time like 2026-01-31T12:00:00Z.") from None


class AmountField(_StrictField):
    """An amount as a decimal string. Its serializer turns it and its currency into minor units.

    `currency` names the sibling field; None where the currency is known from elsewhere, and then the
    service that knows it calls core.money.parse_amount on the string.
    """

    refusals = (InvalidAmount, AmountTooLarge)

    def __init__(self, *, currency: str | None = "currency", maximum_minor: int | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.currency, self.maximum_minor = currency, maximum_minor

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            raise InvalidAmount("Send the amount as a decimal string.")
        return data

    def describe(self) -> Schema:
        """A decimal string."""
        return PAYABLE_AMOUNT


class CurrencyField(_StrictField):
    """An active ISO 4217 code in upper case."""

    refusals = (InvalidCurrency,)

    def to_internal_value(self, data: Any) -> str:
        return check_currency(data)

    def describe(self) -> Schema:
        """Every currency that buyers can pay in."""
        return PAYABLE_CURRENCY


class CountryField(_StrictField):
    """An ISO 3166-1 alpha-2 code in upper case."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or data not in COUNTRIES:
            raise InvalidField("Send an ISO 3166-1 alpha-2 country code.")
        return data

    def describe(self) -> Schema:
        """Every country."""
        return COUNTRY


class StoreIdField(_StrictField):
    """The store's own id of something; it may not look like one of our ids."""

    def to_internal_value(self, data: Any) -> str:
        return check_store_id(data)

    def describe(self) -> Schema:
        """The characters of an id."""
        return STORE_ID


def check_store_id(data: object) -> str:
    """Return the text if it can be a store's own id; else raise InvalidField."""
    if not isinstance(data, str) or not _STORE_ID.fullmatch(data):
        raise InvalidField("Send 1 to 64 characters of A-Z a-z 0-9 . _ : -")
    if is_reserved(data):
        raise InvalidField("The id begins like one of ours (for example pay_), which would be ambiguous.")
    return data


class ObjectField(_StrictField):
    """Any JSON object, kept as it is; bounded by the parser."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if type(data) is not dict:
            raise InvalidField("Send an object.")
        return data

    def describe(self) -> Schema:
        """Any object."""
        return {"type": "object", "additionalProperties": True}


class MetadataField(_StrictField):
    """The store's own notes: at most 50 keys of at most 40 characters, string values up to 500."""

    def to_internal_value(self, data: Any) -> dict[str, str]:
        if type(data) is not dict or len(data) > METADATA_KEYS:
            raise InvalidField(f"Send an object of at most {METADATA_KEYS} keys.")
        for key, value in data.items():
            if not 1 <= len(key) <= METADATA_KEY_LENGTH:
                raise InvalidField(f"Keys have 1 to {METADATA_KEY_LENGTH} characters.")
            if not isinstance(value, str) or len(value) > METADATA_VALUE_LENGTH:
                raise InvalidField(f"Values are strings of at most {METADATA_VALUE_LENGTH} characters.")
        return data

    def describe(self) -> Schema:
        """An object of strings."""
        return METADATA


class StrictListField(_StrictField):
    """A list of `min_length` to `max_length` values of one field; the refusal names the index."""

    def __init__(self, *, child: Any, min_length: int, max_length: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.child, self.min_length, self.max_length = child, min_length, max_length
        child.bind(field_name="", parent=self)

    def to_internal_value(self, data: Any) -> list[Any]:
        from core.api.serializers import read_field

        if type(data) is not list or not self.min_length <= len(data) <= self.max_length:
            raise InvalidField(f"Send a list of {self.min_length} to {self.max_length} items.")
        return [read_field(self.child, item, f"[{index}]") for index, item in enumerate(data)]
