"""What is kept in the cache: plain values as JSON, because a pickle runs what it holds when it is read."""

import json
from typing import Any

__all__ = ["JsonSerializer"]


class JsonSerializer:
    """For Django's Redis cache; integers stay integers, so that Redis itself can count."""

    def dumps(self, value: Any) -> bytes | int:
        """Return what is stored. Raises TypeError for what JSON has no form for."""
        return value if type(value) is int else json.dumps(value).encode()

    def loads(self, stored: bytes) -> Any:
        """Return the value. Raises ValueError for anything that this class did not write."""
        return json.loads(stored)
