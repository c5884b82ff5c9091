"""Making operations, and when to look at one again."""

from datetime import datetime, timedelta

from core import clock
from core.history import SYSTEM, Changes
from core.ids import public_id, uuid7
from core.retry import Retry, Strategy
from core.rows import new_row
from core.transactions import requires_transaction
from payments.models import Charge, PspOperation

__all__ = [
    "GIVE_UP_AFTER",
    "SEND_AGAIN",
    "is_asked_rarely",
    "new_operation",
    "next_look",
    "postpone",
    "start_operation",
]

# Something that provably was not sent is sent again for a quarter of an hour; after that the buyer is told
# that the provider cannot be reached, which is safe because nothing ever arrived.
GIVE_UP_AFTER = timedelta(minutes=15)
SEND_AGAIN = Retry(Strategy.EXPONENTIAL, base=1, cap=15, limit=10_000)

_FIRST_LOOKS = (1, 2, 4, 8)  # seconds
_OFTEN = 120  # looks, half an hour of them


def new_operation(charge: Charge, kind: str, *, amount_minor: int | None = None) -> PspOperation:
    """Return an unsaved operation on a charge, due now, with the nonce it will always be sent under.

    It is about the charge's whole amount, unless `amount_minor` says another one.
    """
    key = uuid7()
    created_at = clock.now()
    operation = new_row(
        PspOperation,
        id=key,
        merchant_id=charge.merchant_id,
        charge_id=charge.id,
        channel_id=charge.channel_id,
        kind=kind,
        amount_minor=charge.amount_minor if amount_minor is None else amount_minor,
        currency=charge.amount_currency,
        nonce=public_id("op", key),
        due_at=created_at,
        created_at=created_at,
        updated_at=created_at,
    )
    operation.charge = charge
    return operation


@requires_transaction
def start_operation(
    charge: Charge,
    kind: str,
    changes: Changes,
    *,
    amount_minor: int | None = None,
    why: str = "follows from the last step",
    by: str = SYSTEM,
) -> PspOperation:
    """Begin an operation on a locked charge: what follows from its last step, or what somebody asks for."""
    operation = new_operation(charge, kind, amount_minor=amount_minor)
    operation.fence = 1  # Whoever inserts it may send it at once, as if it had claimed it.
    changes.begin(operation, why=why, by=by)
    changes.insert([operation])
    return operation


def next_look(operation: PspOperation) -> datetime:
    """When to ask about an operation again: seconds at first, minutes after an hour, then hours."""
    asked = operation.asked
    if asked < len(_FIRST_LOOKS):
        pause = _FIRST_LOOKS[asked]
    elif asked < _OFTEN:
        pause = 15
    elif asked < 200:
        pause = 300
    else:
        pause = 3600
    return clock.now() + timedelta(seconds=pause)


def postpone(operation: PspOperation, *, error: str) -> None:
    """Nothing new is known: look again later, without a change of state."""
    operation.due_at = next_look(operation)
    operation.note_answer()
    operation.leased_until = None
    operation.error = error[:500]
    operation.updated_at = clock.now()
    operation.save(update_fields=["due_at", "leased_until", "error", "asked", "attempts", "updated_at"])


def is_asked_rarely(operation: PspOperation) -> bool:
    """Say whether the operation has been without an outcome so long that minutes lie between two looks."""
    return operation.status == "UNKNOWN" and operation.asked >= _OFTEN
