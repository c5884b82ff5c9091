"""How others read what providers and banks say."""

from reconciliation.sources.reading import find_source, get_source, list_sources

__all__ = ["find_source", "get_source", "list_sources"]
