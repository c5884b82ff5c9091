"""What an operation answers: its success, and every error with the codes that can come."""

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

from core.api import errors as api
from core.api.openapi.operation import Operation
from core.api.openapi.samples import sample
from core.api.schemas import Component, Schema, closed, constant, integer, nullable, shape, text
from core.api.slow_bodies import BodyTooSlow
from core.card_data import CardDataForbidden
from core.errors import DomainError, NotFound, PermissionDenied, TemporarilyUnavailable
from core.idempotency import (
    IdempotencyInProgress,
    IdempotencyKeyInvalid,
    IdempotencyKeyRequired,
    IdempotencyKeyReused,
)

__all__ = [
    "ALWAYS",
    "WITH_BODY",
    "WITH_KEY",
    "WITH_NEEDED_KEY",
    "WITH_PATH",
    "WITH_SCOPE",
    "answers_of",
]

JSON = "application/json"
_MEANING: Mapping[int, str] = {
    200: "Done.",
    201: "Created.",
    204: "Done; there is nothing to show.",
    400: "The request could not be read.",
    401: "Who calls is not known.",
    403: "The caller may not do that.",
    404: "Not found, or not yours.",
    406: "No answer has that form.",
    408: "The body came too slowly.",
    409: "The state of things does not allow it.",
    413: "The body is too large.",
    415: "The body has another form than JSON.",
    422: "The request was read, and cannot be done.",
    429: "Not now; try again after Retry-After.",
    500: "Our fault.",
    503: "Not available for a moment; try again after Retry-After.",
}
# Whatever is asked.
ALWAYS: tuple[type[DomainError], ...] = (
    api.MalformedRequest,
    api.UnknownParameter,
    api.InvalidParameter,
    api.NotAcceptable,
    api.InvalidString,
    CardDataForbidden,
    api.RateLimited,
    api.Overloaded,
    api.InternalError,
    TemporarilyUnavailable,
)
WITH_SCOPE: tuple[type[DomainError], ...] = (PermissionDenied,)
WITH_PATH: tuple[type[DomainError], ...] = (NotFound,)
WITH_BODY: tuple[type[DomainError], ...] = (
    BodyTooSlow,
    api.BodyTooLarge,
    api.UnsupportedMediaType,
    api.UnknownField,
    api.MissingField,
    api.InvalidField,
)
WITH_KEY: tuple[type[DomainError], ...] = (
    IdempotencyKeyInvalid,
    IdempotencyInProgress,
    IdempotencyKeyReused,
)
WITH_NEEDED_KEY: tuple[type[DomainError], ...] = (IdempotencyKeyRequired,)


_COUNT = integer(minimum=0, maximum=2**31 - 1)


def _header(name: str, about: str, schema: Schema, *, required: bool = True) -> dict[str, Component]:
    described = {"description": about, "required": required, "schema": schema}
    return {name: Component(name, described, kind="headers")}


_REQUEST_ID = _header(
    "Request-Id", "Ours, for every request; name it when you ask us about one.", text(minLength=1)
)
_REPLAYED = _header(
    "Idempotent-Replayed",
    "The answer was stored before: nothing was done a second time.",
    constant("true"),
    required=False,
)
_RETRY_AFTER = _header(
    "Retry-After", "After how many seconds to try again.", integer(minimum=1, maximum=86_400)
)
_LIMITS = {
    **_header("RateLimit-Limit", "How many calls fit at once.", _COUNT, required=False),
    **_header("RateLimit-Remaining", "How many calls are left now.", _COUNT, required=False),
    **_header("RateLimit-Reset", "In how many seconds all of them are free again.", _COUNT, required=False),
    **_header("RateLimit-Policy", "The limits that count this call.", text(), required=False),
}
_SCHEME = _header("WWW-Authenticate", "The scheme to use.", constant("Bearer"))
_HEADERS: Mapping[int, dict[str, Component]] = {401: _SCHEME, 429: _RETRY_AFTER, 503: _RETRY_AFTER}


def answers_of(operation: Operation, errors: Iterable[type[DomainError]], *, is_once: bool) -> dict[str, Any]:
    """Return the responses of an operation by status, the success first."""
    ordered = sorted(set(errors), key=lambda error: (error.status, error.code))
    refused = {
        str(int(status)): _refusal(status, list(group))
        for status, group in groupby(ordered, key=lambda error: error.status)
    }
    return {str(int(operation.status)): _success(operation, is_once=is_once), **refused}


def _success(operation: Operation, *, is_once: bool) -> dict[str, Any]:
    headers = _REQUEST_ID | _LIMITS | (_REPLAYED if is_once else {})
    answer: dict[str, Any] = {"description": _MEANING[operation.status], "headers": headers}
    content: dict[str, Any] = {}
    if operation.returns is not None:
        content[JSON] = {"schema": operation.returns, "example": sample(operation.returns)}
    for kind, about in operation.files.items():
        file = {"type": "string", "description": about, "contentMediaType": kind}
        content[kind] = {"schema": about if isinstance(about, Component) else file}
    if content:
        answer["content"] = content
    return answer


def _refusal(status: int, errors: list[type[DomainError]]) -> Component | dict[str, Any]:
    said = "\n".join(f"- `{error.code}`: {error.message}" for error in errors)
    answer = {
        "description": f"{_MEANING[status]}\n\n{said}",
        "headers": _REQUEST_ID | _LIMITS | _HEADERS.get(status, {}),
        "content": {JSON: {"schema": _error(errors), "example": _example(errors[0])}},
    }
    # Most statuses have one code, and then they are the same everywhere.
    return Component(errors[0].code, answer, kind="responses") if len(errors) == 1 else answer


def _example(error: type[DomainError]) -> dict[str, Any]:
    return {
        "error": {
            "type": error().type,
            "code": error.code,
            "message": error.message,
            "param": None,
            "doc_url": f"https://pay.example/docs/errors#{error.code}",
            "request_id": "req_01m8p46qhyfjcrqc6tap134v4y",
        }
    }


def _error(errors: list[type[DomainError]]) -> Schema:
    """The envelope, closed to the codes that can come here."""
    codes = {"code": {"enum": [error.code for error in errors]}}
    return {"allOf": [_ENVELOPE, {"properties": {"error": {"properties": codes}}}]}


_ENVELOPE = shape(
    "error",
    "Why a request was refused.",
    {
        "error": closed(
            {
                "type": text("The family of the error."),
                "code": text("Decide by this one: it does not change.", pattern="^[a-z_]+$"),
                "message": text("For people; it may change."),
                "param": nullable(text("The JSON path of the field, or the name of the parameter.")),
                "doc_url": text("Where the code is explained.", format="uri"),
                "request_id": text("The same as in Request-Id."),
            },
            required=("type", "code", "message", "param", "doc_url", "request_id"),
        )
    },
)
