"""When to try again: one strategy per kind of error, with the answer kept in the database as `due_at`."""

import random
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

__all__ = ["Retry", "Strategy"]


class Strategy(StrEnum):
    """How the pause grows with each try."""

    IMMEDIATE = "immediate"
    FIXED = "fixed"
    INCREMENTAL = "incremental"
    EXPONENTIAL = "exponential"
    CANCEL = "cancel"


@dataclass(frozen=True)
class Retry:
    """A retry rule: `base` and `cap` in seconds, `limit` tries in all."""

    strategy: Strategy
    base: float = 1.0
    cap: float = 60.0
    limit: int = 10

    def pause(self, attempts: int, *, retry_after: float | None = None) -> timedelta | None:
        """Return how long to wait after the `attempts`-th failed try, or None when there is no next try.

        A server's Retry-After is honoured when it is longer; exponential pauses have full jitter, so
        that many failures at once do not come back at once.
        """
        if self.strategy is Strategy.CANCEL or attempts >= self.limit:
            return None
        seconds = {
            Strategy.IMMEDIATE: 0.0,
            Strategy.FIXED: self.base,
            Strategy.INCREMENTAL: self.base * attempts,
            Strategy.EXPONENTIAL: self.base * 2 ** min(attempts - 1, 32),
        }[self.strategy]
        seconds = min(seconds, self.cap)
        if self.strategy is Strategy.EXPONENTIAL:
            seconds = random.uniform(self.base / 2, max(seconds, self.base))  # noqa: S311 - jitter, no secret
        return timedelta(seconds=max(seconds, retry_after or 0.0))
