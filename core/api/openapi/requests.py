"""The parameters of an operation, and the body it takes."""

from collections.abc import Collection, Mapping
from typing import Any

from core.api.fields import STORE_ID
from core.api.openapi.inputs import input_component
from core.api.openapi.operation import Operation
from core.api.openapi.samples import sample
from core.api.pagination import DEFAULT_LIMIT, MAX_LIMIT
from core.api.schemas import Component, Schema, text
from core.api.serializers import StrictSerializer

__all__ = [
    "body_of",
    "header_parameters",
    "optional_headers",
    "path_parameters",
    "query_parameters",
]

_CURSOR = "AaIsQ2SjfYC8v1c6I2kpAH5mU2p3x9bPqw"
# What these mean is the same in every list.
_QUERY: Mapping[str, Schema] = {
    "limit": {
        "type": "integer",
        "minimum": 1,
        "maximum": MAX_LIMIT,
        "default": DEFAULT_LIMIT,
        "description": "How many objects a page has.",
    },
    "cursor": text("The `next_cursor` of the page before.", example=_CURSOR),
    "created_gte": text("At this moment or later.", format="date-time", example="2026-01-01T00:00:00Z"),
    "created_lt": text("Before this moment.", format="date-time", example="2026-02-01T00:00:00Z"),
    "seller_account": STORE_ID,
}
_PATH: Mapping[str, Schema] = {
    "reference": text("The store's own id of the object, or ours.", example="c-1001"),
    "buyer_account": text("The store's own id of the buyer.", example="u-77"),
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
    # A request without a body is read as an empty object.
    component = input_component(serializer)
    shown = sample(component) if example is None else dict(example)
    needed = bool(component.schema.get("required"))
    return {"required": needed, "content": {"application/json": {"schema": component, "example": shown}}}


def _schema(schema: Schema) -> dict[str, Any]:
    """A description belongs to the parameter, where readers look for it."""
    about = (schema.schema if isinstance(schema, Component) else schema).get("description", "")
    if isinstance(schema, Component):
        return {"schema": schema, "description": about}
    rest = {name: value for name, value in schema.items() if name != "description"}
    return {"schema": rest, "description": about}
