"""What happens to every request before and after anything else."""

import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from core import request_context
from core.api.measuring import note_request, route_of
from core.tracing import span

__all__ = ["FOR_PROGRAMS", "ProgramsPass", "RequestIdMiddleware"]

# The API, and where providers deliver: nobody signs in there, and no page is shown.
FOR_PROGRAMS = ("/v1/", "/psp/")


class RequestIdMiddleware:
    """Give every request an id of ours, show it in the answer and in every log line.

    A caller's own id is not taken over: two callers could send the same one, and it would enter the logs.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        begun = time.monotonic()
        identifier = request_context.open_new()
        try:
            with span("request") as trace:
                response = self.get_response(request)
                trace.rename(f"{request.method} {route_of(request)}")
                trace.tell(code=response.status_code)
        finally:
            request_context.close()
        response.headers["Request-Id"] = identifier
        note_request(request, begun=begun, code=response.status_code)
        return response


class ProgramsPass:
    """Take requests of programs past everything that stands behind this in MIDDLEWARE, to their view.

    Sessions, sign-in, messages and static files are for people. What else the middleware of pages does for
    every request is done here: an unknown host is refused, the answer has its length and may not be framed.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self._to_the_view = _innermost(get_response)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(FOR_PROGRAMS):
            return self.get_response(request)
        request.get_host()  # Raises DisallowedHost.
        response = self._to_the_view(request)
        headers = response.headers
        headers.setdefault("X-Frame-Options", settings.X_FRAME_OPTIONS)
        if not response.streaming and "Content-Length" not in headers:
            headers["Content-Length"] = str(len(response.content))
        return response


def _innermost(handler: Any) -> Callable[[HttpRequest], HttpResponse]:
    """Each middleware holds what is behind it as `get_response`; only what calls the view holds nothing."""
    while (behind := getattr(handler, "get_response", None)) is not None:
        handler = behind
    found: Callable[[HttpRequest], HttpResponse] = handler
    return found
