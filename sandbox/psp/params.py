"""Checked access to request parameters, with the provider's refusals for what is missing or malformed."""

from __future__ import annotations

import re
from typing import Any

from sandbox.psp.currencies import CURRENCIES, MINIMUM, THREE_DECIMAL
from sandbox.psp.errors import invalid

MAX_AMOUNT = 99_999_999
INTEGER = re.compile(r"^-?\d{1,18}$")


class Params:
    """The decoded parameters of one request. Reading one marks it as known; ``close()`` refuses the rest."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.values = values
        self._known = {"expand"}

    def close(self, *more: str) -> None:
        """Refuse parameters that were neither read nor named here."""
        for name in self.values:
            if name not in self._known and name not in more:
                raise invalid(f"Received unknown parameter: {name}", param=name, code="parameter_unknown")

    def given(self, name: str) -> bool:
        """Whether the caller sent this parameter at all."""
        self._known.add(name)
        return name in self.values

    def text(self, name: str, *, limit: int = 5000) -> str | None:
        """A string, ``None`` when absent or empty."""
        self._known.add(name)
        value = self.values.get(name)
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            raise invalid(f"Invalid string: {name}", param=name)
        if len(value) > limit:
            raise invalid(f"Invalid string: {name} is longer than {limit}", param=name)
        return value

    def required(self, name: str) -> str:
        """A string that must be there."""
        value = self.text(name)
        if value is None:
            raise invalid(f"Missing required param: {name}.", param=name, code="parameter_missing")
        return value

    def choice(self, name: str, options: set[str], default: str | None = None) -> str | None:
        """One of ``options``."""
        value = self.text(name)
        if value is None:
            return default
        if value not in options:
            raise invalid(f"Invalid {name}: must be one of {', '.join(sorted(options))}", param=name)
        return value

    def integer(self, name: str) -> int | None:
        """A whole number, ``None`` when absent."""
        value = self.text(name)
        if value is None:
            return None
        if not INTEGER.match(value):
            raise invalid(f"Invalid integer: {value}", param=name, code="parameter_invalid_integer")
        return int(value)

    def boolean(self, name: str) -> bool | None:
        """``true`` or ``false``, ``None`` when absent."""
        value = self.text(name)
        if value is None:
            return None
        if value not in ("true", "false"):
            raise invalid(f"Invalid boolean: {value}", param=name)
        return value == "true"

    def mapping(self, name: str) -> dict[str, Any] | None:
        """A nested object, ``None`` when absent."""
        self._known.add(name)
        value = self.values.get(name)
        if value is None or value == "":
            return None
        if not isinstance(value, dict):
            raise invalid("Invalid object", param=name)
        return value

    def names(self, name: str) -> list[str] | None:
        """A list of strings, ``None`` when absent."""
        self._known.add(name)
        value = self.values.get(name)
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise invalid("Invalid array", param=name)
        return list(value)

    def metadata(self, current: dict[str, str] | None = None) -> dict[str, str]:
        """Metadata over ``current``: at most 50 keys of 40 characters, values of 500; an empty one unsets."""
        self._known.add("metadata")
        value = self.values.get("metadata")
        merged = dict(current or {})
        if value is None:
            return merged
        if value == "":
            return {}
        if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
            raise invalid("Invalid object: metadata is a set of strings", param="metadata")
        for key, item in value.items():
            if len(key) > 40 or len(item) > 500:
                raise invalid(
                    "Metadata keys have at most 40 characters and values at most 500",
                    param=f"metadata[{key}]",
                )
            if item == "":
                merged.pop(key, None)
            else:
                merged[key] = item
        if len(merged) > 50:
            raise invalid("Metadata has at most 50 keys", param="metadata")
        return merged

    def currency(self) -> str:
        """A supported currency in lower case."""
        value = self.required("currency").lower()
        if value not in CURRENCIES:
            raise invalid(f"Invalid currency: {value}", param="currency")
        return value

    def amount(self, currency: str, *, name: str = "amount") -> int:
        """A chargeable amount in minor units, within the provider's limits for the currency."""
        value = self.positive(name)
        if value is None:
            raise invalid(f"Missing required param: {name}.", param=name, code="parameter_missing")
        if value > MAX_AMOUNT:
            raise invalid(f"Amount must be no more than {MAX_AMOUNT}", param=name, code="amount_too_large")
        if value < MINIMUM.get(currency, 1):
            raise invalid(
                f"Amount must be at least {MINIMUM[currency]} {currency}", param=name, code="amount_too_small"
            )
        if currency in THREE_DECIMAL and value % 10:
            raise invalid(
                f"Amounts in {currency} have three decimals and the last digit must be 0",
                param=name,
                code="parameter_invalid_integer",
            )
        return value

    def positive(self, name: str) -> int | None:
        """A whole number of at least 1, ``None`` when absent."""
        value = self.integer(name)
        if value is not None and value < 1:
            raise invalid(
                "This value must be greater than or equal to 1.", param=name, code="parameter_invalid_integer"
            )
        return value
