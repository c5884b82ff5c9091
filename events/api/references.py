"""From the ids in addresses and queries to keys."""

from uuid import UUID

from core.api.errors import InvalidParameter
from core.errors import NotFound
from core.ids import parse_public_id

__all__ = ["endpoint_key", "event_key", "read_event"]


def endpoint_key(reference: str) -> UUID:
    """Return the key of a whe_… id. Raises NotFound."""
    return _key(reference, "whe")


def event_key(reference: str) -> UUID:
    """Return the key of an evt_… id. Raises NotFound."""
    return _key(reference, "evt")


def read_event(text: str | None, *, name: str) -> UUID | None:
    """Return the key of an evt_… id in a query. Raises InvalidParameter."""
    if text is None:
        return None
    key = parse_public_id(text, "evt")
    if key is None:
        raise InvalidParameter("Send an event's id (evt_…).", param=name)
    return key


def _key(reference: str, prefix: str) -> UUID:
    key = parse_public_id(reference, prefix)
    if key is None:
        raise NotFound()
    return key
