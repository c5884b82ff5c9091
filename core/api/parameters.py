"""Query parameters of lists: each reader returns the value, or None where it was not given."""

from collections.abc import Collection, Mapping
from datetime import datetime

from core.api.errors import InvalidField, InvalidParameter
from core.api.fields import check_store_id, parse_time
from core.countries import COUNTRIES
from core.ids import parse_public_id
from core.money import (
    MAX_MINOR_PER_CHECKOUT,
    AmountTooLarge,
    InvalidAmount,
    InvalidCurrency,
    check_currency,
    parse_amount,
)

__all__ = [
    "read_amount",
    "read_choice",
    "read_country",
    "read_currency",
    "read_reference",
    "read_store_id",
    "read_time",
]


def read_choice(query: Mapping[str, str], name: str, choices: Collection[str]) -> str | None:
    """Return one of the choices. Raises InvalidParameter."""
    value = query.get(name)
    if value is not None and value not in choices:
        raise InvalidParameter(f"Send one of: {', '.join(choices)}.", param=name)
    return value


def read_store_id(query: Mapping[str, str], name: str) -> str | None:
    """Return a store's own id. Raises InvalidParameter."""
    value = query.get(name)
    try:
        return None if value is None else check_store_id(value)
    except InvalidField as error:
        raise InvalidParameter(error.message, param=name) from None


def read_reference(query: Mapping[str, str], name: str, prefix: str) -> str | None:
    """Return a store's own id of something, or ours with this prefix. Raises InvalidParameter."""
    value = query.get(name)
    if value is not None and parse_public_id(value, prefix) is not None:
        return value
    return read_store_id(query, name)


def read_country(query: Mapping[str, str], name: str) -> str | None:
    """Return an ISO 3166-1 alpha-2 code. Raises InvalidParameter."""
    value = query.get(name)
    if value is not None and value not in COUNTRIES:
        raise InvalidParameter("Send an ISO 3166-1 alpha-2 country code.", param=name)
    return value


def read_currency(query: Mapping[str, str], name: str) -> str | None:
    """Return an active ISO 4217 code. Raises InvalidParameter."""
    value = query.get(name)
    try:
        return None if value is None else check_currency(value)
    except InvalidCurrency as error:
        raise InvalidParameter(error.message, param=name) from None


def read_amount(query: Mapping[str, str], name: str, currency: str | None) -> int | None:
    """Return what a whole checkout may come to, in minor units of its currency. Raises InvalidParameter."""
    value = query.get(name)
    if value is None:
        return None
    if currency is None:
        raise InvalidParameter("An amount needs its currency.", param="currency")
    try:
        return parse_amount(value, currency, maximum_minor=MAX_MINOR_PER_CHECKOUT)
    except (InvalidAmount, AmountTooLarge) as error:
        raise InvalidParameter(error.message, param=name) from None


def read_time(query: Mapping[str, str], name: str) -> datetime | None:
    """Return a moment given as RFC 3339 with its offset. Raises InvalidParameter."""
    value = query.get(name)
    if value is None:
        return None
    try:
        return parse_time(value)
    except ValueError as error:
        raise InvalidParameter(str(error), param=name) from None
