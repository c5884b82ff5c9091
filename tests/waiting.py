"""Wait for a condition, never for a time."""

import time
from collections.abc import Callable
from typing import TypeVar

__all__ = ["eventually"]

T = TypeVar("T")


def eventually(check: Callable[[], T], *, within: float = 20.0, every: float = 0.05, what: str = "") -> T:
    """Return the first truthy value of `check`; fail with its last value when the time is over."""
    deadline = time.monotonic() + within
    while True:
        value = check()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within} s: {what or check}; last seen: {value!r}")
        time.sleep(every)
