"""What becomes of a destination: a second person finds it to be the seller's, or not; or it is removed."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from core import clock
from core.approvals import FourEyesRequired
from core.audit_trail import is_person, record_audit, required_reason
from core.errors import InvalidState, NotFound
from core.fsm import TransitionNotAllowed
from core.history import Changes
from core.transactions import requires_transaction
from merchants.selectors import get_seller
from payouts.destinations.facts import destination_data, destination_fact
from payouts.destinations.notices import notice_settled
from payouts.destinations.types import DestinationData
from payouts.locks import lock_destination, lock_destinations
from payouts.models import Destination

__all__ = ["make_default", "reject_destination", "remove_destination", "verify_destination"]


@requires_transaction
def verify_destination(*, merchant_id: UUID, destination_id: UUID, by: str, reason: str) -> DestinationData:
    """UNVERIFIED → VERIFIED, by a person who did not add it.

    `reason` says what showed that it is the seller's. The cool-down goes on. Raises NotFound, ReasonRequired,
    FourEyesRequired, InvalidState.
    """
    reason = required_reason(reason)
    row = lock_destination(merchant_id=merchant_id, destination_id=destination_id)
    if not is_person(by) or by == row.added_by:
        raise FourEyesRequired
    return _move(row, row.to_verified, "verified", reason, by, verified_by=by, verified_at=clock.now())


@requires_transaction
def reject_destination(*, merchant_id: UUID, destination_id: UUID, by: str, reason: str) -> DestinationData:
    """UNVERIFIED or VERIFIED → REJECTED: one person is enough to stop money.

    What is approved and not sent is blocked when its turn comes. Raises NotFound, ReasonRequired,
    InvalidState.
    """
    reason = required_reason(reason)
    row = lock_destination(merchant_id=merchant_id, destination_id=destination_id)
    return _move(row, row.to_rejected, "rejected", reason, by)


@requires_transaction
def remove_destination(
    *,
    merchant_id: UUID,
    destination_id: UUID,
    by: str,
    seller_id: UUID | None = None,
    reason: str = "removed",
) -> DestinationData:
    """Take a destination away, whatever was asked for already: nothing is sent there any more.

    It always works: payouts to it that were not sent are blocked at the gate, and those that were keep it.
    One that is gone stays gone, and nobody is told again. Raises NotFound, also for another seller's.
    """
    row = lock_destination(merchant_id=merchant_id, destination_id=destination_id)
    if seller_id not in (None, row.seller_id):
        raise NotFound()
    if row.status == "REMOVED":
        return destination_data(row, _account_of(row))
    return _move(row, row.to_removed, "removed", required_reason(reason), by, removed_at=clock.now())


@requires_transaction
def make_default(*, merchant_id: UUID, destination_id: UUID, by: str) -> DestinationData:
    """Have payouts of its currency go to a verified destination. Raises NotFound, InvalidState."""
    seen = Destination.objects.filter(merchant_id=merchant_id, pk=destination_id).first()
    if seen is None:
        raise NotFound()
    rows = lock_destinations(merchant_id=merchant_id, seller_id=seen.seller_id)
    row = next((each for each in rows if each.pk == destination_id), None)
    if row is None or row.status != "VERIFIED":
        raise InvalidState("Only a verified destination is made the default.")
    if not row.is_default:
        for each in rows:
            if each.is_default and each.currency == row.currency:
                each.is_default = False
                each.save(update_fields=["is_default"])
        row.is_default = True
        row.save(update_fields=["is_default"])
        _record(row, "destination.make_default", by, "")
    return destination_data(row, _account_of(row))


def _move(
    row: Destination, transition: Callable[..., None], what: str, reason: str, by: str, **columns: Any
) -> DestinationData:
    account = _account_of(row)
    changes = Changes()
    try:
        changes.move(row, transition, why=reason, by=by, fact=destination_fact(row, account, what), **columns)
    except TransitionNotAllowed:
        raise InvalidState(f"A destination that is {row.status} does not allow this.") from None
    changes.save()
    _record(row, f"destination.{_VERBS[what]}", by, reason)
    notice_settled(row, f"{what}: {reason}"[:500])
    return destination_data(row, account)


_VERBS = {"verified": "verify", "rejected": "reject", "removed": "remove"}


def _account_of(row: Destination) -> str:
    return get_seller(merchant_id=row.merchant_id, seller_id=row.seller_id).seller_account


def _record(row: Destination, action: str, by: str, reason: str) -> None:
    record_audit(
        actor=by,
        action=action,
        subject=row.public_id,
        reason=reason,
        detail={"kind": row.kind, "last4": row.last4},
        merchant_id=row.merchant_id,
    )
