"""Deliveries that failed verification: counted, never stored, and cheap however many come."""

import logging
import threading
from collections import OrderedDict

from core.client_address import network_of
from core.limits.failures import count_failure

__all__ = ["count_rejection"]

log = logging.getLogger(__name__)

_MOST_SOURCES = 10_000
_lock = threading.Lock()
_seen: OrderedDict[tuple[str, str], int] = OrderedDict()


def count_rejection(*, channel: str, source: str, code: str) -> int | None:
    """Count one more; return the seconds to wait when this source sends too many to the channel, else None.

    Only what failed verification is counted, so a flood from a shared address never shuts out genuine
    deliveries. The limit is the setting `limits.bad_webhooks`.
    """
    key = (channel[:64], network_of(source))
    count = _number(key)
    if count <= 3 or count % 1000 == 0:
        log.warning(
            "webhook refused", extra={"channel": key[0], "source": key[1], "code": code, "count": count}
        )
    return count_failure(setting="bad_webhooks", source=source, what=key[0])


def _number(key: tuple[str, str]) -> int:
    """How many this process has seen of a source, for the log: a flood is a few lines in it."""
    with _lock:
        count = _seen.pop(key, 0) + 1
        _seen[key] = count
        if len(_seen) > _MOST_SOURCES:
            _seen.popitem(last=False)
    return count
