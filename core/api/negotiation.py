"""Which form an answer has. There is only one, so the question is whether the caller takes it."""

from typing import Any

from rest_framework.negotiation import DefaultContentNegotiation

__all__ = ["JsonNegotiation"]

_TAKES_IT = frozenset(["*/*", "application/json", "application/json, */*"])


class JsonNegotiation(DefaultContentNegotiation):
    """Answers what nearly every caller says without taking it apart; the framework judges the rest."""

    def select_renderer(self, request: Any, renderers: Any, format_suffix: Any = None) -> Any:
        """Return the renderer and its media type. Raises NotAcceptable."""
        if format_suffix is None and request.headers.get("Accept", "*/*") in _TAKES_IT:
            return renderers[0], renderers[0].media_type
        return super().select_renderer(request, renderers, format_suffix)
