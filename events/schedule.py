"""When a delivery is tried again: ten tries over about three days."""

import random
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

__all__ = ["TRIES", "next_pause"]

# Seconds before the next try, after each one that failed.
_PAUSES = (5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400)
TRIES = len(_PAUSES) + 1
_LONGEST_ASKED_SECONDS = 86400
_JITTER = 0.1


def next_pause(*, failures: int, retry_after: str, now: datetime) -> timedelta | None:
    """Return how long to wait after the given number of failed tries, or None when that was the last one.

    Pauses vary by a tenth so that many failures do not come back at once. A longer Retry-After (seconds
    or a date, at most a day) is honoured.
    """
    if failures > len(_PAUSES):
        return None
    base = _PAUSES[failures - 1]
    seconds = base * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311 - jitter, no secret
    return timedelta(seconds=max(seconds, _asked(retry_after, now)))


def _asked(retry_after: str, now: datetime) -> float:
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return min(int(text), _LONGEST_ASKED_SECONDS) if len(text) <= 6 else _LONGEST_ASKED_SECONDS
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return 0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max((moment - now).total_seconds(), 0), _LONGEST_ASKED_SECONDS)
