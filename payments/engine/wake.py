"""When a provider answers again after a failure, everything that waits for its word is asked about now."""

from uuid import UUID

from core import clock
from core.nudges import nudge
from core.transactions import requires_transaction
from payments.locks import lock_waiting_operations
from payments.models import PspOperation

__all__ = ["wake_channel"]


@requires_transaction
def wake_channel(*, channel_id: UUID) -> int:
    """Make the channel's UNKNOWN and PENDING operations due; return how many. Leaves locked ones alone."""
    ids = lock_waiting_operations(channel_id=channel_id)
    if ids:
        PspOperation.objects.filter(id__in=ids).update(due_at=clock.now())
        nudge("operations")
    return len(ids)
