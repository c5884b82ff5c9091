"""The bytes of a request's body, bounded in size and in time."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest

from core.api.errors import BodyTooLarge, MalformedRequest
from core.api.slow_bodies import read_in_time
from core.api.strict_json import MAX_BYTES

__all__ = ["declared_length", "whole_body"]


def declared_length(environ: Mapping[str, Any]) -> int:
    """Return the Content-Length, 0 without one. Raises MalformedRequest."""
    try:
        return int(environ.get("CONTENT_LENGTH") or 0)
    except ValueError:
        raise MalformedRequest("Content-Length is not a number.") from None


def whole_body(request: HttpRequest) -> bytes:
    """Read the body before anybody parses it, who then finds these same bytes.

    Raises BodyTooLarge, BodyTooSlow, MalformedRequest.
    """
    if declared_length(request.META) > MAX_BYTES:
        raise BodyTooLarge()
    with read_in_time(request.META):
        return request.body
