"""Channel rows for the hot path: read at most once a second in each process."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from channels.models import Channel
from channels.types import ChannelData
from core.errors import NotFound

__all__ = ["Line", "enabled_of", "forget", "line_by_id", "line_by_name", "to_data"]

# As long as this a channel that was switched off may still be used by a process that has just looked.
_SECONDS = 1.0


@dataclass(frozen=True)
class Line:
    """A channel with what is needed to call its provider; it does not leave this app."""

    channel: ChannelData
    credentials: Mapping[str, Any] = field(repr=False)
    credentials_version: int
    base_url: str


_lock = threading.Lock()
_seen: dict[UUID | str, tuple[float, Line]] = {}
_enabled: dict[UUID, tuple[float, tuple[ChannelData, ...]]] = {}


def line_by_id(channel_id: UUID) -> Line:
    """Return the channel as it was at most a second ago. Raises NotFound."""
    return _cached(channel_id, {"pk": channel_id})


def line_by_name(name: str) -> Line:
    """Return the channel of this name, as it was at most a second ago. Raises NotFound."""
    return _cached(name, {"name": name})


def enabled_of(merchant_id: UUID) -> tuple[ChannelData, ...]:
    """Return the merchant's channels that were switched on at most a second ago, oldest first."""
    with _lock:
        found = _enabled.get(merchant_id)
    if found is not None and time.monotonic() - found[0] < _SECONDS:
        return found[1]
    rows = Channel.objects.filter(merchant_id=merchant_id, is_enabled=True).defer("credentials")
    channels = tuple(to_data(row) for row in rows.order_by("pk"))
    with _lock:
        _enabled[merchant_id] = (time.monotonic(), channels)
    return channels


def forget() -> None:
    """Read every row again when it is next asked for."""
    with _lock:
        _seen.clear()
        _enabled.clear()


def to_data(row: Channel) -> ChannelData:
    """Return what others may see of a channel."""
    return ChannelData(
        id=row.pk,
        merchant_id=row.merchant_id,
        name=row.name,
        provider=row.provider,
        mode=row.mode,
        is_enabled=row.is_enabled,
        capabilities=row.capabilities,
        max_in_flight=row.max_in_flight,
    )


def _cached(key: UUID | str, condition: dict[str, Any]) -> Line:
    with _lock:
        found = _seen.get(key)
    if found is not None and time.monotonic() - found[0] < _SECONDS:
        return found[1]
    row = Channel.objects.filter(**condition).first()
    if row is None:
        raise NotFound()
    line = Line(
        channel=to_data(row),
        credentials=row.credentials,
        credentials_version=row.credentials_version,
        base_url=row.base_url,
    )
    with _lock:
        _seen[key] = (time.monotonic(), line)
    return line
