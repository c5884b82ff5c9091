"""Query parameters of lists: each reader returns the value, or None where it was not given."""

from collections.abc import Collection, Mapping
from datetime import datetime

from core.api.errors import InvalidField, InvalidParameter
from core.api.fields import check_store_id, parse_time

__all__ = ["read_choice", "read_store_id", "read_time"]


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


def read_time(query: Mapping[str, str], name: str) -> datetime | None:
    """Return a moment given as RFC 3339 with its offset. Raises InvalidParameter."""
    value = query.get(name)
    if value is None:
        return None
    try:
        return parse_time(value)
    except ValueError as error:
        raise InvalidParameter(str(error), param=name) from None
