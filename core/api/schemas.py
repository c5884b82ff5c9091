"""The words in which shapes are said: JSON Schema, with names for what is used in many places."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.countries import COUNTRIES
from core.currencies import EXPONENTS

__all__ = [
    "AMOUNT",
    "COUNTRY",
    "CURRENCY",
    "METADATA",
    "METADATA_KEYS",
    "METADATA_KEY_LENGTH",
    "METADATA_VALUE_LENGTH",
    "NOTHING",
    "PRINTABLE",
    "TIME",
    "Component",
    "EventType",
    "FailureCode",
    "Schema",
    "boolean",
    "closed",
    "constant",
    "example_of",
    "integer",
    "list_of",
    "listed",
    "nullable",
    "one_of",
    "our_id",
    "shape",
    "text",
]

METADATA_KEYS = 50
METADATA_KEY_LENGTH = 40
METADATA_VALUE_LENGTH = 500
# No control characters: the parser refuses them in every string.
PRINTABLE = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$"


@dataclass(frozen=True, eq=False)
class Component:
    """A part of the document with a name of its own, which others refer to: mostly a schema."""

    name: str
    schema: Mapping[str, Any]
    kind: str = "schemas"


@dataclass(frozen=True)
class EventType:
    """What one type of event says, in a line for the store, and the object that it carries."""

    about: str
    carried: Component


@dataclass(frozen=True)
class FailureCode:
    """What one `failure.code` means to the store, and whether another try can help.

    `is_secret`: the buyer is told no more than the failure's message, which does not give it away.
    """

    about: str
    retryable: bool
    is_secret: bool = False


Schema = Mapping[str, Any] | Component


def text(about: str = "", *, example: str | None = None, **limits: Any) -> Schema:
    """A string."""
    return _said(about, {"type": "string", **limits}, example)


def integer(about: str = "", *, minimum: int, maximum: int, example: int | None = None) -> Schema:
    """A whole number within bounds."""
    return _said(about, {"type": "integer", "minimum": minimum, "maximum": maximum}, example)


def boolean(about: str = "") -> Schema:
    """true or false."""
    return _said(about, {"type": "boolean"})


def constant(value: str) -> Schema:
    """Always this string."""
    return {"type": "string", "const": value}


def one_of(choices: Sequence[str], about: str = "", *, example: str | None = None) -> Schema:
    """One of a few strings."""
    return _said(about, {"type": "string", "enum": list(choices)}, example)


def our_id(prefix: str, about: str = "") -> Schema:
    """One of our ids, for example pay_01j9…"""
    pattern = f"^{prefix}_[0-7][0-9a-hjkmnp-tv-z]{{25}}$"
    return _said(about, {"type": "string", "pattern": pattern}, f"{prefix}_01kb8y6q3zf4vt9c2m7w5x8rhe")


def nullable(schema: Schema) -> Schema:
    """The schema, or null."""
    if isinstance(schema, Mapping) and isinstance(schema.get("type"), str) and "const" not in schema:
        values = {"enum": [*schema["enum"], None]} if "enum" in schema else {}
        return {**schema, "type": [schema["type"], "null"], **values}
    return {"anyOf": [schema, {"type": "null"}]}


def example_of(component: Component, example: object) -> Schema:
    """The named schema, with another example in this place."""
    return {"allOf": [component], "examples": [example]}


def list_of(item: Schema, about: str = "", **limits: Any) -> Schema:
    """An array."""
    return _said(about, {"type": "array", "items": item, **limits})


def closed(fields: Mapping[str, Schema], *, required: Sequence[str], about: str = "") -> dict[str, Any]:
    """An object that has these fields and no others."""
    schema: dict[str, Any] = {"type": "object", "properties": dict(fields), "additionalProperties": False}
    if required:
        schema["required"] = list(required)
    return _said(about, schema)


def shape(name: str, about: str, fields: Mapping[str, Schema]) -> Component:
    """An object of answers: every field is always there, and there are no others."""
    return Component(name, closed(fields, required=list(fields), about=about))


def listed(item: Component) -> Component:
    """One page of a list of such objects."""
    return shape(
        f"{item.name}_list",
        "One page of a list.",
        {
            "object": constant("list"),
            "data": list_of(item),
            "has_more": boolean("More follows after this page."),
            "next_cursor": nullable(text("The `cursor` of the next page.", minLength=1)),
        },
    )


def _said(about: str, schema: dict[str, Any], example: object = None) -> dict[str, Any]:
    if about:
        schema["description"] = about
    if example is not None:
        schema["examples"] = [example]
    return schema


def _amount(example: str) -> Schema:
    about = "An amount of money, with exactly the decimals of its currency."
    return text(about, pattern=r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?$", example=example)


AMOUNT = _amount("90.00")
# The same, where the example is one of nothing yet.
NOTHING = _amount("0.00")
TIME = text("A moment in UTC (RFC 3339).", format="date-time", example="2026-01-31T12:00:00.000Z")
CURRENCY = Component(
    "currency",
    {
        "type": "string",
        "description": "An active ISO 4217 code, or a unit of the books.",
        "enum": sorted(EXPONENTS),
        "examples": ["USD"],
    },
)
COUNTRY = Component(
    "country",
    {
        "type": "string",
        "description": "An ISO 3166-1 alpha-2 code.",
        "enum": sorted(COUNTRIES),
        "examples": ["US"],
    },
)
METADATA = Component(
    "metadata",
    {
        "type": "object",
        "description": "The store's own notes.",
        "maxProperties": METADATA_KEYS,
        "propertyNames": {"minLength": 1, "maxLength": METADATA_KEY_LENGTH, "pattern": PRINTABLE},
        "additionalProperties": {"type": "string", "maxLength": METADATA_VALUE_LENGTH, "pattern": PRINTABLE},
        "examples": [{"basket": "42"}],
    },
)
