"""One value of a schema, to show: what its parts name as their examples, put together."""

from collections.abc import Mapping
from typing import Any

from core.api.schemas import Component, Schema

__all__ = ["sample"]

_PLAIN: Mapping[str, Any] = {"boolean": False, "string": "text", "object": {}, "null": None}


def sample(schema: Schema) -> Any:
    """Return a value that the schema allows. What may be an object or null is null."""
    if isinstance(schema, Component):
        return sample(schema.schema)
    for key in ("examples", "enum"):
        if key in schema:
            return schema[key][0]
    if "const" in schema:
        return schema["const"]
    if "anyOf" in schema:
        return sample(schema["anyOf"][-1])
    if "oneOf" in schema:
        return sample(schema["oneOf"][0])
    if "properties" in schema:
        return {name: sample(field) for name, field in schema["properties"].items()}
    if "items" in schema:
        return [sample(schema["items"])]
    if "minimum" in schema:
        return schema["minimum"]
    kind = schema["type"]
    return _PLAIN[kind] if isinstance(kind, str) else None
