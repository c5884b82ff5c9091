"""The base of every request body: known fields only, first refusal wins, and it names its field."""

from functools import cache, cached_property
from typing import Any

from rest_framework import serializers
from rest_framework.fields import empty
from rest_framework.request import Request

from core.api.errors import InvalidField, MissingField, UnknownField
from core.api.fields import AmountField
from core.errors import DomainError
from core.money import MAX_MINOR_PER_ORDER, parse_amount

__all__ = ["StrictSerializer", "read_body", "read_field"]


class StrictSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """An input object. Unknown fields are refused, and so is null where it is not allowed.

    For an AmountField `amount` with its currency beside it, the result also holds `amount_minor`.
    """

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """Return the validated values; raise the first refusal as an error of the catalogue."""
        if type(data) is not dict:
            raise InvalidField("Send an object.")
        for name in data:
            if name not in self._inputs:
                raise UnknownField(param=name if name.isidentifier() and len(name) <= 64 else None)
        values: dict[str, Any] = {}
        for name, field in self._inputs.items():
            value = read_field(field, data.get(name, empty), name)
            if value is not empty:
                values[name] = value
        return self._with_minor_units(values)

    def run_validation(self, data: Any = empty) -> Any:
        """Validate one object; null is refused like any other value that is no object."""
        if data is None and not self.allow_null:
            raise InvalidField("Send an object.")
        return super().run_validation(data)

    @cached_property
    def _inputs(self) -> dict[str, Any]:
        return {str(field.field_name): field for field in self._writable_fields}

    def _with_minor_units(self, values: dict[str, Any]) -> dict[str, Any]:
        for name, field in self._inputs.items():
            if not isinstance(field, AmountField) or field.currency is None or values.get(name) is None:
                continue
            maximum = field.maximum_minor or MAX_MINOR_PER_ORDER
            try:
                values[f"{name}_minor"] = parse_amount(
                    values[name], values[field.currency], maximum_minor=maximum
                )
            except DomainError as error:
                raise error.at(name) from None
        return values


def read_field(field: Any, data: Any, name: str) -> Any:
    """Return one field's value, or `empty` where it was left out and has no default."""
    try:
        return field.run_validation(data)
    except DomainError as error:
        raise error.within(name) from None
    except serializers.SkipField:
        return empty
    except serializers.ValidationError as error:
        refusal = MissingField if data is empty else InvalidField
        message = None if data is empty else str(next(iter(_messages(error.detail)), ""))
        raise refusal(message or None, param=name) from None


def _messages(detail: Any) -> list[str]:
    if isinstance(detail, dict):
        return [text for item in detail.values() for text in _messages(item)]
    if isinstance(detail, list):
        return [text for item in detail for text in _messages(item)]
    return [str(detail)]


def read_body(serializer: type[StrictSerializer], request: Request) -> dict[str, Any]:
    """Return the validated body of a request."""
    values: dict[str, Any] = _reader(serializer).run_validation(request.data)
    return values


@cache
def _reader(serializer: type[StrictSerializer]) -> StrictSerializer:
    """One instance for all requests: reading a body changes nothing in it, and copying its fields is dear."""
    return serializer()
