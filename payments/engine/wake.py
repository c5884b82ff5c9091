"""Ask now instead of later: a provider answers again after a failure, or a buyer is waiting at our page.

Where nothing else is said to a provider, one question now and then finds out that it answers.
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import F
from django.db.models.functions import Greatest

from core import clock
from core.nudges import nudge
from core.transactions import requires_transaction
from payments.locks import lock_probes, lock_waiting_of, lock_waiting_operations
from payments.models import PspOperation

__all__ = ["hurry_checkout", "hurry_top_up", "probe_silent_channels", "wake_channel"]

# A provider that answers one kind of call and fails another alternates between good and bad; without a
# pause every pair of answers would wake everything again.
_JUST_LOOKED = timedelta(seconds=5)
# A page that is loaded again and again must not make us ask again and again.
_JUST_ASKED = timedelta(seconds=2)


@requires_transaction
def wake_channel(*, channel_id: UUID) -> int:
    """Make the channel's UNKNOWN and PENDING operations due; return how many.

    Leaves alone what is locked and what was looked at a moment ago.
    """
    return _make_due(lock_waiting_operations(channel_id=channel_id, looked_before=clock.now() - _JUST_LOOKED))


@requires_transaction
def hurry_checkout(*, checkout_id: UUID) -> int:
    """Have the provider asked about a checkout's payments now, because somebody waits; return how many.

    Only payments whose outcome is open, and none that was looked at a moment ago. The look it asks for comes
    on top of the schedule, so that whoever repeats the hint for minutes cannot wear out our own looks and
    leave the payment to one an hour.
    """
    return _hurry(checkout_id=checkout_id)


@requires_transaction
def hurry_top_up(*, top_up_id: UUID) -> int:
    """Have the provider asked about a top-up now; as `hurry_checkout`."""
    return _hurry(top_up_id=top_up_id)


def _hurry(**which: UUID) -> int:
    now = clock.now()
    ids = lock_waiting_of(looked_before=now - _JUST_ASKED, due_after=now, **which)
    return _make_due(ids, asked=Greatest(F("asked") - 1, 0))


def _make_due(ids: list[UUID], **columns: Any) -> int:
    if ids:
        PspOperation.objects.filter(id__in=ids).update(due_at=clock.now(), **columns)
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
    return _make_due(ids)
