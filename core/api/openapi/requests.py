"""The parameters of an operation, and the body it takes."""

from collections.abc import Collection, Mapping
from typing import Any

from core.api.fields import STORE_ID
from core.api.openapi.inputs import input_component
from core.api.openapi.operation import Operation
from core.api.pagination import DEFAULT_LIMIT, MAX_LIMIT
from core.api.schemas import Component, Schema, text
from core.api.serializers import StrictSerializer

__all__ = [
    "LONGEST_REFERENCE",
    "body_of",
    "header_parameters",
    "optional_headers",
    "path_parameters",
    "query_parameters",
]

LONGEST_REFERENCE = 64
# What these mean is the same in every list.
_QUERY: Mapping[str, Schema] = {
    "limit": {
        "type": "integer",
        "minimum": 1,
        "maximum": MAX_LIMIT,
        "default": DEFAULT_LIMIT,
        "description": "How many objects a page has.",
    },
    "cursor": text("The `next_cursor` of the page before."),
    "created_gte": text("Created at this moment or later (RFC 3339).", format="date-time"),
    "created_lt": text("Created before this moment (RFC 3339).", format="date-time"),
    "seller_account": STORE_ID,
}
_PATH: Mapping[str, Schema] = {
    "reference": text("The store's own id of the object, or ours."),
    "buyer_account": text("The store's own id of the buyer."),
}
_KEY = text(
    "Names the request: sent again with the same key it is done once, and answered the same.",
    minLength=1,
    maxLength=255,
    pattern="^[\\x21-\\x7e]+$",
    example="7b1c2f9e-pay-1",
)


def query_parameters(operation: Operation, names: Collection[str]) -> list[dict[str, Any]]:
    """Return the parameters of a query. Raises KeyError for one that nobody describes."""
    known = {**_QUERY, **operation.query}
    return [
        {"in": "query", "name": name, "required": name in operation.required_query, **_schema(known[name])}
        for name in names
    ]


def path_parameters(operation: Operation, names: Collection[str]) -> list[dict[str, Any]]:
    """Return the parameters of a path. Raises KeyError for one that nobody describes."""
    known = {**_PATH, **operation.path}
    return [{"in": "path", "name": name, "required": True, **_schema(known[name])} for name in names]


def header_parameters(*, is_key_required: bool) -> list[dict[str, Any]]:
    """Return the headers that a POST reads."""
    return [{"in": "header", "name": "Idempotency-Key", "required": is_key_required, **_schema(_KEY)}]


def optional_headers(headers: Mapping[str, Schema]) -> list[dict[str, Any]]:
    """Return the headers that any request may have."""
    return [{"in": "header", "name": name, "required": False, **_schema(headers[name])} for name in headers]


def body_of(serializer: type[StrictSerializer], example: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the requestBody of an operation."""
    content: dict[str, Any] = {"schema": input_component(serializer)}
    if example is not None:
        content["example"] = dict(example)
    return {"required": True, "content": {"application/json": content}}


def _schema(schema: Schema) -> dict[str, Any]:
    """A description belongs to the parameter, where readers look for it."""
    about = (schema.schema if isinstance(schema, Component) else schema).get("description", "")
    if isinstance(schema, Component):
        return {"schema": schema, "description": about}
    rest = {name: value for name, value in schema.items() if name != "description"}
    return {"schema": rest, "description": about}
