"""The buyer is back from the provider: ask now what became of the payment, instead of at the next look."""

from datetime import timedelta
from uuid import UUID

from django.db.models import F
from django.db.models.functions import Greatest

from core import clock
from core.nudges import nudge
from core.transactions import requires_transaction
from payments.locks import lock_waiting_of_checkout
from payments.models import PspOperation

__all__ = ["hurry_checkout"]

# Anybody who knows the address may come back as often as they like; the provider is asked no oftener.
_JUST_LOOKED = timedelta(seconds=2)


@requires_transaction
def hurry_checkout(*, checkout_id: UUID) -> int:
    """Make the checkout's paying operations that wait for the provider's word due; return how many.

    A hint and nothing else: it changes no state. Leaves alone what is locked, what is due anyway, and what
    was looked at a moment ago. The look it asks for comes on top of the schedule, so that whoever repeats the
    hint for minutes cannot wear out our own looks and leave the payment to one an hour.
    """
    now = clock.now()
    ids = lock_waiting_of_checkout(checkout_id=checkout_id, looked_before=now - _JUST_LOOKED, due_after=now)
    if ids:
        spared = Greatest(F("asked") - 1, 0)
        PspOperation.objects.filter(id__in=ids).update(due_at=now, asked=spared)
        nudge("operations")
    return len(ids)
