"""People ask for a payout, or take one back, and say why."""

from uuid import UUID

from core.audit_trail import record_audit, required_reason
from core.errors import NotFound
from core.ids import public_id
from core.money import parse_amount
from core.transactions import requires_transaction
from merchants.selectors import find_seller
from merchants.types import SellerData
from payouts.engine.canceling import cancel_payout
from payouts.engine.locks import lock_requests
from payouts.engine.request import request_payout
from payouts.models import Payout

__all__ = ["ask_for_payout", "take_payout_back"]


@requires_transaction
def ask_for_payout(
    *,
    merchant_id: UUID,
    seller: str,
    amount: str,
    currency: str,
    destination: str | None,
    form_id: str,
    reason: str,
    maker: str,
) -> UUID:
    """Ask for a payout of a seller's money, given by account or sel_… id; return its key.

    `amount` is a decimal string in `currency`. The same `form_id` again, from a second click, returns what
    the first one asked for. Raises ReasonRequired, NotFound, InvalidAmount, and as `request_payout`.
    """
    reason = required_reason(reason)
    asked: SellerData = find_seller(merchant_id=merchant_id, reference=seller)
    lock_requests(seller_id=asked.id)
    run = f"console:{form_id}"[:64]
    known = Payout.objects.filter(merchant_id=merchant_id, run=run, seller_id=asked.id).first()
    if known is not None:
        return known.id
    payout = request_payout(
        merchant_id=merchant_id,
        seller=asked.public_id,
        amount_minor=parse_amount(amount, currency),
        currency=currency,
        destination=destination,
        origin="console",
        by=maker,
        run=run,
    )
    record_audit(
        actor=maker,
        action="payout.request",
        subject=payout.public_id,
        reason=reason,
        detail={"seller": asked.public_id, "amount_minor": payout.amount_minor, "currency": currency},
        merchant_id=merchant_id,
    )
    return payout.id


@requires_transaction
def take_payout_back(*, payout_id: UUID, by: str, reason: str) -> None:
    """Cancel a payout that was not sent: the seller has the money again.

    Raises ReasonRequired, NotFound, PayoutNotCancelable.
    """
    reason = required_reason(reason)
    merchant_id = Payout.objects.filter(pk=payout_id).values_list("merchant_id", flat=True).first()
    if merchant_id is None:
        raise NotFound()
    reference = public_id("po", payout_id)
    cancel_payout(merchant_id=merchant_id, reference=reference, by=by, reason=reason)
    record_audit(actor=by, action="payout.cancel", subject=reference, reason=reason, merchant_id=merchant_id)
