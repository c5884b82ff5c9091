"""Whether a seller is known well enough to be paid out."""

from uuid import UUID

from core import clock
from core.errors import InvalidState
from core.fsm import TransitionNotAllowed
from core.history import move
from core.transactions import requires_transaction
from merchants import locks
from merchants.facts import seller_data, seller_fact
from merchants.models import Seller
from merchants.selectors import terms_at
from merchants.types import SellerData

__all__ = ["reinstate_seller", "reject_kyc", "submit_kyc", "suspend_seller", "verify_kyc"]


@requires_transaction
def submit_kyc(*, merchant_id: UUID, seller_id: UUID, why: str, by: str) -> SellerData:
    """UNVERIFIED or REJECTED → PENDING. Raises NotFound, InvalidState."""
    row = locks.lock_seller(merchant_id=merchant_id, seller_id=seller_id)
    return _move(row, "to_pending", event="seller.kyc_submitted", why=why, by=by)


@requires_transaction
def verify_kyc(*, merchant_id: UUID, seller_id: UUID, why: str, by: str) -> SellerData:
    """PENDING → VERIFIED: payouts may leave. Raises NotFound, InvalidState (a suspension has its own end)."""
    row = locks.lock_seller(merchant_id=merchant_id, seller_id=seller_id)
    _require(row, "PENDING")
    return _move(row, "to_verified", event="seller.verified", why=why, by=by)


@requires_transaction
def reject_kyc(*, merchant_id: UUID, seller_id: UUID, why: str, by: str) -> SellerData:
    """PENDING → REJECTED. Raises NotFound, InvalidState."""
    row = locks.lock_seller(merchant_id=merchant_id, seller_id=seller_id)
    return _move(row, "to_rejected", event="seller.rejected", why=why, by=by)


@requires_transaction
def suspend_seller(*, merchant_id: UUID, seller_id: UUID, why: str, by: str) -> SellerData:
    """VERIFIED → SUSPENDED: nothing leaves until reinstated. Raises NotFound, InvalidState."""
    row = locks.lock_seller(merchant_id=merchant_id, seller_id=seller_id)
    return _move(row, "to_suspended", event="seller.suspended", why=why, by=by)


@requires_transaction
def reinstate_seller(*, merchant_id: UUID, seller_id: UUID, why: str, by: str) -> SellerData:
    """SUSPENDED → VERIFIED. Raises NotFound, InvalidState."""
    row = locks.lock_seller(merchant_id=merchant_id, seller_id=seller_id)
    _require(row, "SUSPENDED")
    return _move(row, "to_verified", event="seller.reinstated", why=why, by=by)


def _require(row: Seller, state: str) -> None:
    if row.kyc_status != state:
        raise InvalidState(f"The seller is {row.kyc_status}, not {state}.")


def _move(row: Seller, transition: str, *, event: str, why: str, by: str) -> SellerData:
    terms = terms_at(merchant_id=row.merchant_id, seller_id=row.pk, at=clock.now())
    try:
        move(row, getattr(row, transition), why=why, by=by, fact=seller_fact(row, terms, event))
    except TransitionNotAllowed:
        raise InvalidState(f"A seller that is {row.kyc_status} does not allow this.") from None
    return seller_data(row, terms)
