"""A payout that is not wanted any more, and one that is to go elsewhere: before anything was sent."""

from uuid import UUID

from core.errors import NotFound
from core.history import Changes
from core.ids import parse_public_id
from core.transactions import requires_transaction
from payouts.destinations.reading import usable_destination
from payouts.engine.approving import renew, send_to_review, withdraw_approval
from payouts.engine.books import release
from payouts.engine.facts import payout_fact
from payouts.engine.routes import choose_channel
from payouts.errors import PayoutNotCancelable
from payouts.locks import lock_payout
from payouts.models import Destination, Payout
from payouts.states import PAYOUT_CANCELABLE

__all__ = ["cancel_payout", "change_destination"]


@requires_transaction
def cancel_payout(*, merchant_id: UUID, reference: str, by: str, reason: str = "canceled") -> Payout:
    """Take a payout back that was not sent: the seller has the money again.

    It is not sent any more, or it was and this is refused: whoever sends it holds the same lock. Raises
    NotFound, PayoutNotCancelable.
    """
    payout = _locked(merchant_id, reference)
    if payout.status not in PAYOUT_CANCELABLE:
        raise PayoutNotCancelable()
    withdraw_approval(payout, by=by, reason=reason)
    changes = Changes()
    changes.move(payout, payout.to_canceled, why=reason, by=by, fact=payout_fact(payout, "canceled"))
    changes.last(lambda: release(payout, by=by))
    changes.save()
    return payout


@requires_transaction
def change_destination(*, merchant_id: UUID, reference: str, destination: str, by: str) -> Payout:
    """Have a payout that was not sent go to another account of the seller: somebody must say yes to that.

    Raises NotFound, PayoutNotCancelable when it was sent or waits for something else than a yes, and as
    `usable_destination`; PayoutChannelUnavailable.
    """
    payout = _locked(merchant_id, reference)
    if payout.status not in ("IN_REVIEW", "APPROVED"):
        raise PayoutNotCancelable()
    where = usable_destination(
        merchant_id=merchant_id,
        seller_id=payout.seller_id,
        currency=payout.currency,
        reference=destination,
    )
    channel = choose_channel(merchant_id=merchant_id, kind=where.kind, currency=payout.currency)
    payout.destination = Destination.objects.get(pk=where.id)
    payout.channel_id = channel.id
    payout.save(update_fields=["destination", "channel"])
    changes = Changes()
    if payout.status == "APPROVED":
        send_to_review(payout, changes, why="its destination was changed", maker=by)
    else:
        renew(payout, by=by)
    changes.save()
    return payout


def _locked(merchant_id: UUID, reference: str) -> Payout:
    key = parse_public_id(reference, "po") if len(reference) <= 64 else None
    if key is None:
        raise NotFound()
    return lock_payout(payout_id=key, merchant_id=merchant_id)
