"""The id of the request being served, for answers, logs, audit records and calls to providers."""

from contextvars import ContextVar

import structlog

from core.ids import public_id, uuid7

__all__ = ["close", "open_new", "request_id"]

_request_id: ContextVar[str] = ContextVar("request_id", default="")


def request_id() -> str:
    """Return the id of the current request, or an empty string outside of one."""
    return _request_id.get()


def open_new() -> str:
    """Start a new request: make its id and bind it to every log line until `close`."""
    identifier = public_id("req", uuid7())
    _request_id.set(identifier)
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=identifier)
    return identifier


def close() -> None:
    """Forget the request, so that the thread's next work does not carry its id."""
    _request_id.set("")
    structlog.contextvars.clear_contextvars()
