"""Limits of the API as a test wants them, without a look into the database."""

import math
from collections.abc import Mapping
from typing import Any

from core.limits import policy

__all__ = ["keep_limits"]

# All tests of this process come from one address, and some of them play many processes at once.
_SUITE: Mapping[str, Any] = {
    "failed_keys": None,
    "bad_webhooks": None,
    "key.in_flight": 1000,
    "merchant.in_flight": 1000,
}


def keep_limits(values: Mapping[str, Mapping[str, Any]]) -> None:
    """Hold these values by scope and name until the next call: (calls, seconds, burst), None or a number."""
    by_scope = {**values, "": {**_SUITE, **values.get("", {})}}
    policy._seen = policy._Seen(
        {
            scope: {f"limits.{name}": _stored(value) for name, value in each.items()}
            for scope, each in by_scope.items()
        }
    )
    policy._good_until = math.inf


def _stored(value: Any) -> Any:
    if value is None:
        return {}
    return dict(zip(("calls", "seconds", "burst"), value, strict=True)) if isinstance(value, tuple) else value
