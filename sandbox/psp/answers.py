"""What becomes of an answer on its way to the caller when a fault strikes."""

from __future__ import annotations

from sandbox.database import dump
from sandbox.faults import HANG_SECONDS, HANGING, KINDS, Fault
from sandbox.psp.errors import ApiError
from sandbox.server import Response, Wire

#: Faults inside the provider: execution has begun, and the failure is kept under the idempotency key.
EXECUTED = frozenset({"http_500"})

BAD_GATEWAY = (
    b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n"
    b"<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>proxy</center>\r\n</body>\r\n</html>\r\n"
)


def _body(type_: str, message: str, code: str | None = None) -> bytes:
    error = {"type": type_, "message": message, **({} if code is None else {"code": code})}
    return dump({"error": error}).encode()


UNAVAILABLE = _body("api_error", "The service is overloaded. Try again later.")
TOO_MANY = _body("invalid_request_error", "Too many requests. Back off exponentially.", "rate_limit")
IN_USE = _body(
    "idempotency_error", "A request with this key is still running. Try again.", "idempotency_key_in_use"
)
LOCKED = _body("invalid_request_error", "Another request is using this object. Try again.", "lock_timeout")


def spoiled(faults: list[Fault]) -> Fault | None:
    """The fault among these that spoils the answer."""
    return next((fault for fault in faults if KINDS[fault.kind] == "answer"), None)


def crash() -> ApiError:
    """The provider broke down after it had begun."""
    return ApiError(500, "api_error", "An unknown error occurred at the provider.", saved=True)


def spoil(response: Response, fault: Fault | None) -> Response:
    """Turn a good answer into what the fault makes of it; without a fault it stays as it is."""
    if fault is None or fault.kind in EXECUTED:
        return response
    if fault.kind in HANGING:
        response.wire = Wire("hang", fault.seconds(HANG_SECONDS))
    elif fault.kind == "connection_reset_after_body":
        response.wire = Wire("reset")
    elif fault.kind == "slow_drip":
        response.wire = Wire("drip", fault.seconds(5.0))
    elif fault.kind == "truncated_json":
        response.wire = Wire("truncate")
    elif fault.kind == "broken_json":
        response.body = response.body[: len(response.body) * 2 // 3] + b"<<<"
    elif fault.kind == "wrong_content_type":
        response.content_type = "text/html"
        response.body = b"<!doctype html><title>Welcome</title><p>Please log in to this network.</p>"
    else:
        _refuse(response, fault)
    return response


def _refuse(response: Response, fault: Fault) -> None:
    retry_after = fault.options.get("retry_after")
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    if fault.kind == "empty_500":
        response.status, response.body = 500, b""
    elif fault.kind == "http_502":
        response.status, response.body, response.content_type = 502, BAD_GATEWAY, "text/html"
    elif fault.kind == "http_503":
        response.status, response.body = 503, UNAVAILABLE
    elif fault.kind == "http_429":
        response.status, response.body = 429, TOO_MANY
        response.headers.setdefault("Retry-After", "1")
    elif fault.kind == "http_409":
        response.status = 409
        response.body = IN_USE if fault.options.get("key_in_use", True) else LOCKED
