"""The base of every error a caller can meet, and the catalogue of all of them.

Each app declares its own errors as subclasses; `catalogue()` lists them for the documentation and the
tests. A code is a contract: stable, snake_case, without dots.
"""

from collections.abc import Iterator
from typing import Any, ClassVar

__all__ = [
    "DomainError",
    "InvalidState",
    "NotFound",
    "PermissionDenied",
    "TemporarilyUnavailable",
    "catalogue",
]

_TYPES = {
    400: "invalid_request",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found",
    405: "invalid_request",
    406: "invalid_request",
    408: "invalid_request",
    409: "conflict",
    413: "invalid_request",
    415: "invalid_request",
    422: "invalid_request",
    429: "rate_limit_error",
    500: "api_error",
    503: "api_error",
}


class DomainError(Exception):
    """Something the caller did, or meets, that has a stable code.

    `param` is the JSON path of the offending field; `retry_after` is in seconds.
    """

    code: ClassVar[str] = "invalid_request"
    status: ClassVar[int] = 422
    message: str = "The request is not valid."

    def __init__(
        self, message: str | None = None, *, param: str | None = None, retry_after: int | None = None
    ) -> None:
        self.message = message or type(self).message
        self.param = param
        self.retry_after = retry_after
        super().__init__(f"{self.code}: {self.message}")

    @property
    def type(self) -> str:
        """The family of the error, derived from the HTTP status."""
        return _TYPES[self.status]

    def at(self, param: str) -> "DomainError":
        """Return the same error, naming the field it is about."""
        self.param = param
        return self

    def within(self, parent: str) -> "DomainError":
        """Return the same error, its field's path seen from one level further out (items, [2].amount)."""
        separator = "" if self.param is None or self.param.startswith("[") else "."
        self.param = f"{parent}{separator}{self.param or ''}"
        return self


class NotFound(DomainError):
    code = "not_found"
    status = 404
    message = "There is no such object."


class PermissionDenied(DomainError):
    code = "permission_denied"
    status = 403
    message = "This key or user may not do that."


class InvalidState(DomainError):
    code = "invalid_state"
    status = 409
    message = "The object is not in a state that allows this."


class TemporarilyUnavailable(DomainError):
    code = "temporarily_unavailable"
    status = 503
    message = "The system could not answer in time. Try again with the same key: nothing is done twice."

    def __init__(self, message: str | None = None, **kwargs: Any) -> None:
        super().__init__(message, **({"retry_after": 1} | kwargs))


def catalogue() -> Iterator[type[DomainError]]:
    """Yield every declared error class, in order of status and code."""

    def walk(cls: type[DomainError]) -> Iterator[type[DomainError]]:
        for sub in cls.__subclasses__():
            yield sub
            yield from walk(sub)

    yield from sorted(set(walk(DomainError)), key=lambda cls: (cls.status, cls.code))
