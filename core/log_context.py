"""Which ids stand in every log line of the work at hand, so that all lines of a payment are found."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog

__all__ = ["note", "working_on"]


def note(**ids: str) -> None:
    """Add ids to every line from here to the end of the request, or of the row that a drain works on."""
    structlog.contextvars.bind_contextvars(**ids)


@contextmanager
def working_on(**ids: str) -> Iterator[None]:
    """Add ids to every line inside; afterwards they say what they said before."""
    before = structlog.contextvars.get_contextvars()
    note(**ids)
    try:
        yield
    finally:
        structlog.contextvars.clear_contextvars()
        note(**before)
