"""One byte sequence for one JSON value, so that its digest says whether anything changed."""

import hashlib
import json
from typing import Any

__all__ = ["canonical_json", "digest"]


def canonical_json(value: Any) -> bytes:
    """Return the value as JSON with sorted keys and no blanks.

    Raises TypeError for floats (amounts are strings or whole minor units), keys that are not strings
    and everything else that JSON cannot hold exactly.
    """
    _refuse_inexact(value, "$")
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest(value: Any) -> bytes:
    """Return the SHA-256 of the canonical JSON: 32 bytes."""
    return hashlib.sha256(canonical_json(value)).digest()


def _refuse_inexact(value: Any, path: str) -> None:
    match value:
        case float():
            raise TypeError(f"{path} is a float; write amounts as strings or whole minor units")
        case dict():
            for key, inner in value.items():
                if not isinstance(key, str):
                    raise TypeError(f"{path} has a key that is not a string: {key!r}")
                _refuse_inexact(inner, f"{path}.{key}")
        case list() | tuple():
            for index, inner in enumerate(value):
                _refuse_inexact(inner, f"{path}[{index}]")
