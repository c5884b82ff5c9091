"""When a provider answers again after a failure, everything that waits for its word is asked about now."""

from datetime import timedelta
from uuid import UUID

from core import clock
from core.nudges import nudge
from core.transactions import requires_transaction
from payments.locks import lock_waiting_operations
from payments.models import PspOperation

__all__ = ["wake_channel"]

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
