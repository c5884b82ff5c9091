"""Calls that prove nothing: counted by where they come from, refused when there are many, told to people."""

import threading
import time
from collections import OrderedDict
from datetime import timedelta

import structlog
from django.db import DatabaseError

from core.alerts import Alert, open_subjects, raise_alert
from core.client_address import network_of
from core.limits.limiter import take
from core.limits.policy import bucket_of
from core.transactions import at_edge

__all__ = ["ALERTS", "count_failed_key", "count_failure"]

log = structlog.get_logger(__name__)

_TRIED = "keys_tried"
ALERTS = (
    Alert(
        _TRIED,
        "Keys are being tried",
        "Many requests without a valid API key come from one address: a store with an old key, or somebody"
        " who tries keys.",
        timedelta(hours=4),
    ),
)
# Whoever has many addresses must not fill the table of cases.
_MOST_OPEN = 20
_OTHERS = "address:others"
_AGAIN_SECONDS = 600.0
_MOST = 1000
_lock = threading.Lock()
_told: OrderedDict[str, float] = OrderedDict()


def count_failure(*, setting: str, source: str, what: str = "") -> int | None:
    """Count one more of a source; return the seconds it must wait if that is too many, else None.

    `source` is an address; all of an IPv6 /64 are one. Only failures are counted and refused, so that a flood
    from a shared address shuts nobody out who has a good key or signature.
    """
    subject = f"{what}:{network_of(source)}" if what else network_of(source)
    bucket = bucket_of(setting=setting, subject=subject)
    if bucket is None:
        return None
    taken = take(buckets=[bucket])
    return None if taken.is_allowed else taken.retry_after


def count_failed_key(*, source: str) -> int | None:
    """Count a request without a valid API key as `count_failure` does; raise the alert when it is too many.

    Must not be called in a transaction.
    """
    wait = count_failure(setting="failed_keys", source=source)
    if wait is not None and _is_news(network_of(source)):
        _tell(network_of(source))
    return wait


def _is_news(source: str) -> bool:
    now = time.monotonic()
    with _lock:
        if now - _told.get(source, -_AGAIN_SECONDS) < _AGAIN_SECONDS:
            return False
        _told[source] = now
        _told.move_to_end(source)
        if len(_told) > _MOST:
            _told.popitem(last=False)
    return True


def _tell(source: str) -> None:
    log.warning("too many requests without a valid key", source=source)
    try:
        at_edge(_raise)(source)
    except DatabaseError as error:
        # The request is refused in any case; the next one of this source that is news tells.
        log.error("the alert about tried keys could not be raised", error=str(error))


def _raise(source: str) -> None:
    is_full = len(open_subjects(_TRIED)) >= _MOST_OPEN
    raise_alert(
        _TRIED,
        subject=_OTHERS if is_full else f"address:{source}",
        summary=f"More requests without a valid key than the limit allows, from {source}",
        detail={"source": source},
    )
