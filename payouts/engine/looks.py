"""When a batch is sent again, and when the provider is asked about it."""

from datetime import datetime, timedelta

from core import clock
from core.retry import Retry, Strategy
from payouts.models import PayoutBatch

__all__ = ["SEND_AGAIN", "next_look", "next_sending", "postpone"]

# What provably was not sent is sent again until it is, or until somebody takes its payouts back.
SEND_AGAIN = Retry(Strategy.EXPONENTIAL, base=2, cap=300, limit=10_000)

_FIRST_LOOKS = (2, 4, 8, 15, 30)  # seconds
_OFTEN = 60  # looks, two hours of them


def next_look(batch: PayoutBatch) -> datetime:
    """When to ask about a batch again: seconds at first, minutes after that, then twice an hour."""
    if batch.asked < len(_FIRST_LOOKS):
        pause = _FIRST_LOOKS[batch.asked]
    else:
        pause = 120 if batch.asked < _OFTEN else 1800
    return clock.now() + timedelta(seconds=pause)


def next_sending(batch: PayoutBatch) -> datetime:
    """When to send again what never arrived."""
    pause = SEND_AGAIN.pause(batch.attempts + 1)
    return clock.now() + (pause or timedelta(hours=1))


def postpone(batch: PayoutBatch, *, error: str, is_news: bool) -> None:
    """Ask again later, without a change of state."""
    batch.asked = 0 if is_news else batch.asked + 1
    batch.due_at = next_look(batch)
    batch.leased_until, batch.attempts, batch.error = None, 0, error[:500]
    batch.updated_at = clock.now()
    batch.save(update_fields=["asked", "due_at", "leased_until", "attempts", "error", "updated_at"])
