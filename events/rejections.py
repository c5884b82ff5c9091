"""Deliveries that failed verification: counted, never stored, and cheap however many come."""

import logging
import threading
import time
from collections import OrderedDict

__all__ = ["PER_MINUTE", "count_rejection"]

log = logging.getLogger(__name__)

PER_MINUTE = 60
_MOST_SOURCES = 10_000
_WINDOW_SECONDS = 60.0
_lock = threading.Lock()
_windows: OrderedDict[tuple[str, str], tuple[float, int]] = OrderedDict()


def count_rejection(*, channel: str, source: str, code: str) -> bool:
    """Count one more; return True when this source sends more than 60 a minute to the channel.

    Only what failed verification is counted, so a flood from a shared address never shuts out genuine
    deliveries. The count is of this process.
    """
    now, key = time.monotonic(), (channel[:64], source[:64])
    with _lock:
        started, count = _windows.pop(key, (now, 0))
        if now - started >= _WINDOW_SECONDS:
            started, count = now, 0
        count += 1
        _windows[key] = (started, count)
        if len(_windows) > _MOST_SOURCES:
            _windows.popitem(last=False)
    if count <= 3 or count % 1000 == 0:
        log.warning(
            "webhook refused", extra={"channel": key[0], "source": key[1], "code": code, "count": count}
        )
    return count > PER_MINUTE
