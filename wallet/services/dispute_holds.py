"""The holds of disputes: rows that say why money is in a seller's dispute account.

The entries that move it belong to the dispute (BOOKS C2 to C5), so these functions move nothing; their
caller posts exactly what they note, in the same transaction.
"""

from uuid import UUID

from core import clock
from core.history import SYSTEM, Changes
from core.transactions import requires_transaction
from wallet.errors import HoldUnknown
from wallet.locks import lock_hold
from wallet.services.holds import insert_hold
from wallet.states import OPEN

__all__ = ["end_dispute_hold", "note_dispute_hold"]


@requires_transaction
def note_dispute_hold(
    *, merchant_id: UUID, wallet_id: UUID, subject: str, amount_minor: int, by: str = SYSTEM
) -> None:
    """Note that an amount is held for a dispute. Raises HoldConflict for a subject that is taken."""
    insert_hold(
        merchant_id=merchant_id,
        wallet_id=wallet_id,
        purpose="dispute",
        subject=subject,
        amount_minor=amount_minor,
        expires_at=None,
        by=by,
    )


@requires_transaction
def end_dispute_hold(*, merchant_id: UUID, subject: str, is_lost: bool, why: str, by: str = SYSTEM) -> None:
    """Note that a hold went to the buyer (`is_lost`) or back to the seller, whole.

    Raises HoldUnknown when there is none that is open.
    """
    hold = lock_hold(merchant_id=merchant_id, purpose="dispute", subject=subject)
    if hold is None or hold.state != OPEN:
        raise HoldUnknown()
    changes, on = Changes(), clock.today()
    if is_lost:
        changes.move(hold, hold.to_settled, why=why, by=by, settled_minor=hold.amount_minor, resolved_on=on)
    else:
        changes.move(hold, hold.to_released, why=why, by=by, resolved_on=on)
    changes.save()
