"""What is kept of a seller's money as a rolling reserve may pay for what is taken back from that seller."""

from uuid import UUID

from core import clock
from core.history import SYSTEM, Changes
from core.transactions import requires_transaction
from wallet.errors import AmountExceedsHold, HoldUnknown
from wallet.locks import lock_tranche
from wallet.services.holds import insert_hold

__all__ = ["draw_on_tranche", "tranche_of"]


@requires_transaction
def tranche_of(*, merchant_id: UUID, subject: str) -> int:
    """Lock the tranche that is kept of a subject, and return how much it holds, in minor units; 0 for none.

    Call it before the wallets are locked.
    """
    hold = lock_tranche(merchant_id=merchant_id, subject=subject)
    return hold.amount_minor if hold else 0


@requires_transaction
def draw_on_tranche(*, merchant_id: UUID, subject: str, amount_minor: int, by: str = SYSTEM) -> None:
    """Take an amount out of a subject's tranche; the caller's entry debits the reserve by as much.

    What is left is kept on as a tranche of its own until the same date. Raises HoldUnknown when nothing is
    kept, AmountExceedsHold when it is less.
    """
    hold = lock_tranche(merchant_id=merchant_id, subject=subject)
    if hold is None:
        raise HoldUnknown()
    left = hold.amount_minor - amount_minor
    if amount_minor <= 0 or left < 0:
        raise AmountExceedsHold(param="amount_minor")
    changes = Changes()
    changes.move(
        hold,
        hold.to_settled,
        why="paid for what was taken back",
        by=by,
        settled_minor=amount_minor,
        resolved_on=clock.today(),
    )
    changes.save()
    if left:
        insert_hold(
            merchant_id=merchant_id,
            wallet_id=hold.wallet_id,
            purpose="reserve",
            subject=_next(subject, hold.subject),
            amount_minor=left,
            expires_at=hold.expires_at,
            by=by,
        )


def _next(subject: str, latest: str) -> str:
    """The name of what is left: the subject itself comes first, then subject:2, subject:3, …"""
    number = latest.removeprefix(subject).removeprefix(":")
    return f"{subject}:{int(number or 1) + 1}"
