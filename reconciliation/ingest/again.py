"""A refused file is read again, because what was wrong was not in the file: its source was set up wrongly.

The same body cannot be sent a second time, since it is known; so this is the way to have it taken after all.
"""

from uuid import UUID

from core import clock
from core.audit_trail import record_audit, required_reason
from core.errors import InvalidState, NotFound
from core.history import move
from core.nudges import nudge
from core.transactions import requires_transaction
from reconciliation.ingest.declared import BATCH_MISSING, doubted
from reconciliation.ingest.receive import DRAIN
from reconciliation.locks import lock_file

__all__ = ["read_file_again"]


@requires_transaction
def read_file_again(*, file_id: UUID, by: str, reason: str, merchant_id: UUID | None = None) -> None:
    """Have a refused file staged from its stored body, with its source as it is set up now.

    One that lacks a payout of the provider's is taken this time, and contradicts the provider.

    Raises ReasonRequired, NotFound (also for another merchant's), and InvalidState unless it is refused and
    its lines are gone.
    """
    reason = required_reason(reason)
    file = lock_file(file_id=file_id)
    if merchant_id not in (None, file.merchant_id):
        raise NotFound()
    if file.status != "REFUSED" or file.due_at is not None:
        raise InvalidState("Only a refused file is read again.")
    refusal = file.refusal or {}
    declared = doubted(file.declared) if refusal.get("code") == BATCH_MISSING else file.declared
    why = f"to be read again: {reason}"
    move(file, file.to_received, why=why, by=by, due_at=clock.now(), declared=declared)
    record_audit(
        actor=by,
        action="settlement_file.read_again",
        subject=file.public_id,
        reason=reason,
        detail={"name": file.name, "refusal": refusal},
        merchant_id=file.merchant_id,
    )
    nudge(DRAIN)
