"""People look into a batch: have the provider asked now, or read the file that was sent."""

from hashlib import sha256
from uuid import UUID

from channels.selectors import get_channel
from core import clock
from core.audit_trail import record_audit, required_reason
from core.errors import InvalidState, NotFound
from core.nudges import nudge
from core.transactions import requires_transaction
from payouts.engine.instruction import order_of
from payouts.engine.locks import lock_sending
from payouts.locks import lock_batch
from payouts.models import PayoutBatch
from payouts.providers.contract import Message, provider_for

__all__ = ["ask_about_batch", "read_batch_file"]

_ASKED = ("UNKNOWN", "SUBMITTED")


@requires_transaction
def ask_about_batch(*, batch_id: UUID, by: str, reason: str) -> None:
    """Have the provider asked about a batch now and not when its turn comes; it sends nothing.

    Raises ReasonRequired, NotFound, and InvalidState unless there is something to be asked.
    """
    reason = required_reason(reason)
    batch = lock_batch(batch_id=batch_id)
    if batch.status not in _ASKED or batch.due_at is None:
        raise InvalidState("There is nothing to ask about this batch.")
    batch.due_at = batch.updated_at = clock.now()
    batch.save(update_fields=["due_at", "updated_at"])
    _record(batch, "payout_batch.ask", by, reason)
    nudge("payout_batches")


@requires_transaction
def read_batch_file(*, batch_id: UUID, by: str) -> Message:
    """Return the file of a batch, made again as it was sent, and note who read it: it holds whole accounts.

    Raises NotFound, also where the batch is no file, and InvalidState when what is made now is not, byte for
    byte, what was sent.
    """
    scope = lock_sending(batch_id=batch_id)
    batch = scope.batch
    if batch.file_name is None or batch.sha256 is None:
        raise NotFound()
    channel = get_channel(channel_id=batch.channel_id)
    message = provider_for(channel.provider).message(channel, order_of(batch, scope.attempts))
    if message is None or sha256(message.content).digest() != bytes(batch.sha256):
        raise InvalidState("The file cannot be made again as it was sent. Call whoever runs the system.")
    _record(batch, "payout_batch.read_file", by, "")
    return message


def _record(batch: PayoutBatch, action: str, by: str, reason: str) -> None:
    record_audit(
        actor=by,
        action=action,
        subject=batch.public_id,
        reason=reason,
        detail={"reference": batch.reference, "file_name": batch.file_name or ""},
        merchant_id=batch.merchant_id,
    )
