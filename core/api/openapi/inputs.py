"""What a request's body may be, read from its serializer."""

from collections.abc import Iterator
from typing import Any

from rest_framework.fields import Field

from core.api.fields import Described, StrictListField
from core.api.schemas import Component, Schema, closed, list_of, nullable
from core.api.serializers import StrictSerializer
from core.errors import DomainError

__all__ = ["input_component", "refusals_of"]


def input_component(serializer: type[StrictSerializer]) -> Component:
    """Return the closed object that the serializer reads."""
    return _object(serializer())


def refusals_of(serializer: type[StrictSerializer]) -> set[type[DomainError]]:
    """Return the errors that only some fields have, of all fields however deep."""
    return {error for field in _fields(serializer()) for error in getattr(field, "refusals", ())}


def _object(serializer: StrictSerializer) -> Component:
    fields = {name: _schema(field) for name, field in serializer.fields.items()}
    required = [name for name, field in serializer.fields.items() if field.required]
    about = " ".join((type(serializer).__doc__ or "").split())
    name = type(serializer).__name__
    return Component(name, closed(fields, required=required, about=about))


def _schema(field: Any) -> Schema:
    schema: Schema
    if isinstance(field, StrictSerializer):
        schema = _object(field)
    elif isinstance(field, StrictListField):
        schema = list_of(_schema(field.child), minItems=field.min_length, maxItems=field.max_length)
    elif isinstance(field, Described):
        schema = field.describe()
    else:
        raise TypeError(f"{type(field).__name__} does not say what it accepts")
    return _explained(nullable(schema) if field.allow_null else schema, field)


def _explained(schema: Schema, field: Any) -> Schema:
    """Add what the field says of itself in `help_text`. Raises TypeError for a named schema."""
    if not field.help_text:
        return schema
    if isinstance(schema, Component):
        raise TypeError(f"{field.field_name}: {schema.name} says already what it is")
    return {**schema, "description": field.help_text}


def _fields(serializer: StrictSerializer) -> Iterator[Field]:  # type: ignore[type-arg]
    for field in serializer.fields.values():
        inner = field.child if isinstance(field, StrictListField) else field
        yield inner
        if isinstance(inner, StrictSerializer):
            yield from _fields(inner)
