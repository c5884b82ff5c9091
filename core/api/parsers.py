"""The only body parser: JSON in UTF-8, bounded before it is read."""

from collections.abc import Mapping
from typing import IO, Any

from rest_framework.parsers import BaseParser

from core.api.bodies import declared_length
from core.api.errors import BodyTooLarge, UnsupportedMediaType
from core.api.slow_bodies import read_in_time
from core.api.strict_json import MAX_BYTES, read_object

__all__ = ["StrictJSONParser"]


class StrictJSONParser(BaseParser):
    """Turn a request's body into a dictionary, or raise the precise refusal."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Return the JSON object in the body (see core.api.strict_json.read_object)."""
        request = (parser_context or {})["request"]
        # The framework matches by pattern, so that a request of type */* would come through.
        if request._request.content_type != self.media_type:
            raise UnsupportedMediaType()
        charset = request._request.content_params.get("charset", "utf-8")
        if charset.strip('"').lower() not in ("utf-8", "utf8"):
            raise UnsupportedMediaType()
        if request.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise UnsupportedMediaType()
        if declared_length(request.META) > MAX_BYTES:
            raise BodyTooLarge()
        with read_in_time(request._request.META):
            raw = stream.read(MAX_BYTES + 1)
        if len(raw) > MAX_BYTES:
            raise BodyTooLarge()
        return read_object(raw)
