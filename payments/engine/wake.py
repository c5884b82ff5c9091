"""When a provider answers again after a failure, everything that waits for its word is asked about now.

Where nothing else is said to it, one question now and then finds out that it does.
"""

from datetime import timedelta
from uuid import UUID

from django.conf import settings

from core import clock
from core.nudges import nudge
from core.transactions import requires_transaction
from payments.locks import lock_probes, lock_waiting_operations
from payments.models import PspOperation

__all__ = ["probe_silent_channels", "wake_channel"]

# A provider that answers one kind of call and fails another alternates between good and bad; without a
# pause every pair of answers would wake everything again.
_JUST_LOOKED = timedelta(seconds=5)


@requires_transaction
def wake_channel(*, channel_id: UUID) -> int:
    """Make the channel's UNKNOWN and PENDING operations due; return how many.

    Leaves alone what is locked and what was looked at a moment ago.
    """
    now = clock.now()
    ids = lock_waiting_operations(channel_id=channel_id, looked_before=now - _JUST_LOOKED)
    if ids:
        PspOperation.objects.filter(id__in=ids).update(due_at=now)
        nudge("operations")
    return len(ids)


@requires_transaction
def probe_silent_channels() -> int:
    """Make one UNKNOWN operation due on each channel that was asked nothing for a while; return how many.

    After an hour of silence an operation is looked at every few minutes only; the provider's return is to
    be noticed all the same. A breaker rests for less long than the pause, so that the question gets out.
    """
    now = clock.now()
    pause = timedelta(seconds=settings.PSP_BREAKER_REST + 1)
    ids = lock_probes(silent_since=now - pause, idle_until=now + pause)
    if ids:
        PspOperation.objects.filter(id__in=ids).update(due_at=now)
        nudge("operations")
    return len(ids)
