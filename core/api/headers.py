"""Headers that may stand in a request once: two of a kind arrive joined by a comma."""

from django.http import HttpRequest
from rest_framework.request import Request

from core.api.errors import MalformedRequest

__all__ = ["single_header"]


def single_header(request: HttpRequest | Request, name: str) -> str | None:
    """Return a header whose values never hold a comma, None without one. Raises MalformedRequest."""
    value: str | None = request.headers.get(name)
    if value is not None and "," in value:
        raise MalformedRequest(f"Send one {name} header, without a comma in it.")
    return value
