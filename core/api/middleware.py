"""What happens to every request before and after anything else."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from core import request_context

__all__ = ["RequestIdMiddleware"]


class RequestIdMiddleware:
    """Give every request an id of ours, show it in the answer and in every log line.

    A caller's own id is not taken over: two callers could send the same one, and it would enter the logs.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        identifier = request_context.open_new()
        try:
            response = self.get_response(request)
        finally:
            request_context.close()
        response.headers["Request-Id"] = identifier
        return response
