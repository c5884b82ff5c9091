"""How long requests take and how they are answered, by class of call."""

import time

from django.http import HttpRequest

from core.metrics import counter, histogram

__all__ = ["note_request", "route_of"]

_SECONDS = histogram("quittance_request_seconds", "How long requests took, in seconds.", "call", "method")
_REQUESTS = counter("quittance_requests_total", "Requests answered.", "call", "method", "code")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_AREAS = (("/v1/", "api"), ("/psp/", "webhook"), ("/pay/", "page"), ("/admin/", "console"))


def note_request(request: HttpRequest, *, begun: float, code: int) -> None:
    """Count a request that has been answered; `begun` is on the monotonic clock.

    A class of call is money, write, read or list in the API, else the area: webhook, page, console, other.
    """
    # Whatever a caller sends as its method would be a line of its own.
    method = request.method if request.method in _METHODS else "other"
    call = _call(request)
    _SECONDS.labels(call, method).observe(time.monotonic() - begun)
    _REQUESTS.labels(call, method, str(code)).inc()


def route_of(request: HttpRequest) -> str:
    """Return the pattern that the path matched, without what the caller put into it."""
    matched = request.resolver_match
    return f"/{matched.route}" if matched else "unknown"


def _call(request: HttpRequest) -> str:
    matched = request.resolver_match
    class_of = getattr(getattr(matched.func, "cls", None), "class_of", None) if matched else None
    if class_of is not None:
        return str(class_of(str(request.method)))
    return next((name for start, name in _AREAS if request.path_info.startswith(start)), "other")
