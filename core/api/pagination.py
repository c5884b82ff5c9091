"""Lists: newest first, by a cursor that cannot be guessed or carried to another list."""

import base64
import binascii
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.utils.crypto import salted_hmac

from core.api.errors import InvalidParameter

__all__ = [
    "DEFAULT_LIMIT",
    "MAX_LIMIT",
    "Page",
    "list_object",
    "list_scope",
    "read_cursor",
    "read_limit",
    "write_cursor",
]

T = TypeVar("T")
DEFAULT_LIMIT = 20
MAX_LIMIT = 100
_MAC_BYTES = 12


@dataclass(frozen=True)
class Page(Generic[T]):
    """One page of a list; `last` is the key to continue after, if there is more."""

    items: Sequence[T]
    last: UUID | None


def read_limit(text: str | None) -> int:
    """Return the page size asked for, 1 to 100, 20 if not asked. Raises InvalidParameter."""
    if text is None:
        return DEFAULT_LIMIT
    if not text.isascii() or not text.isdigit() or len(text) > 3 or not 1 <= int(text) <= MAX_LIMIT:
        raise InvalidParameter(f"limit is a number from 1 to {MAX_LIMIT}.", param="limit")
    return int(text)


def list_scope(name: str, owner: UUID, query: Mapping[str, str]) -> str:
    """Return what a cursor belongs to: a list, whose it is, and the filters it was asked with.

    The page size is not part of it: the next page may be larger.
    """
    filters = {name: text for name, text in query.items() if name not in ("limit", "cursor")}
    return f"{name}:{owner}:{json.dumps(filters, sort_keys=True)}"


def write_cursor(scope: str, last: UUID) -> str:
    """Return the cursor that continues the list `scope` (see `list_scope`) after a row."""
    return base64.urlsafe_b64encode(last.bytes + _mac(scope, last)).decode().rstrip("=")


def read_cursor(scope: str, text: str | None) -> UUID | None:
    """Return the key a cursor of this list stands for. Raises InvalidParameter for any other text."""
    if text is None:
        return None
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (ValueError, binascii.Error):
        raw = b""
    if len(raw) == 16 + _MAC_BYTES:
        last = UUID(bytes=raw[:16])
        if hmac.compare_digest(raw[16:], _mac(scope, last)):
            return last
    raise InvalidParameter("The cursor is not one of this list.", param="cursor")


def list_object(page: Page[T], *, scope: str, render: Callable[[T], dict[str, Any]]) -> dict[str, Any]:
    """Return the JSON object of a page."""
    return {
        "object": "list",
        "data": [render(item) for item in page.items],
        "has_more": page.last is not None,
        "next_cursor": write_cursor(scope, page.last) if page.last else None,
    }


def _mac(scope: str, last: UUID) -> bytes:
    return salted_hmac(f"cursor:{scope}", last.bytes, algorithm="sha256").digest()[:_MAC_BYTES]
