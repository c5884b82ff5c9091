"""Refusals in the provider's shape: ``{"error": {"type", "code", "message", "param", …}}``."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any


class ApiError(Exception):
    """A refusal of one request.

    ``commit``: what the handler wrote stays (a decline leaves a failed charge behind). ``saved``: the answer
    is kept under the idempotency key, because execution had begun.
    """

    def __init__(
        self,
        status: int,
        type_: str,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        commit: bool = False,
        saved: bool = False,
        headers: dict[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.commit, self.saved = status, code, commit, saved
        self.headers = headers or {}
        self.error: dict[str, Any] = {"type": type_, "message": message}
        if code:
            self.error["code"] = code
        if param:
            self.error["param"] = param
        self.error.update({name: value for name, value in extra.items() if value is not None})

    @property
    def body(self) -> dict[str, Any]:
        """The response body."""
        return {"error": self.error}


def invalid(
    message: str, *, param: str | None = None, code: str | None = None, status: int = 400
) -> ApiError:
    """A parameter was refused before anything was executed; nothing is kept under the idempotency key."""
    return ApiError(status, "invalid_request_error", message, code=code, param=param)


@contextlib.contextmanager
def within(prefix: str) -> Iterator[None]:
    """Say of a refused parameter that it lies inside ``prefix``: ``a`` becomes ``prefix[a]``."""
    try:
        yield
    except ApiError as error:
        name, bracket, rest = error.error.get("param", "").partition("[")
        if name:
            error.error["param"] = f"{prefix}[{name}]{bracket}{rest}"
        raise


def missing(what: str, identifier: str, *, param: str) -> ApiError:
    """No such object, or it belongs to another account."""
    return ApiError(
        404, "invalid_request_error", f"No such {what}: '{identifier}'", code="resource_missing", param=param
    )


def wrong_state(
    message: str, *, intent: dict[str, Any] | None = None, code: str = "payment_intent_unexpected_state"
) -> ApiError:
    """The object's state forbids the operation; kept under the idempotency key."""
    return ApiError(400, "invalid_request_error", message, code=code, saved=True, payment_intent=intent)
