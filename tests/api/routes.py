"""The routes that Django knows, read from its own map of URLs."""

import re
from collections.abc import Iterator
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

__all__ = ["known_routes", "shape"]

_PLACE = re.compile(r"<[^>]*>")


def known_routes() -> set[str]:
    """Return the shape of every route outside the console, which has roles and tests of its own."""
    return {
        shape(path) for path in _paths("/", get_resolver().url_patterns) if not path.startswith("/admin/")
    }


def shape(path: str) -> str:
    """Return a route with its places for ids unnamed, so that two tables of routes can be compared."""
    return _PLACE.sub("<>", path)


def _paths(before: str, patterns: list[Any]) -> Iterator[str]:
    for each in patterns:
        here = before + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from _paths(here, each.url_patterns)
        elif isinstance(each, URLPattern) and "<path:rest>" not in here:
            yield here
