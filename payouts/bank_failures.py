"""A seller's account at a provider could not pay the seller's own bank: what a person should know.

The payout to that account was made and stays made: the money lies in the seller's account there. It is the
seller's again with us only when the transfer is reversed, which tells itself. Until somebody decides, a case
is open.
"""

from datetime import timedelta

import structlog

from core.cases import open_case
from core.transactions import requires_transaction
from events.types import InboundEvent
from payouts.providers.stripe_transfers import Unreadable, read_bank_payout

__all__ = ["KIND", "on_bank_failure"]

log = structlog.get_logger(__name__)

KIND = "seller_bank_payout_failed"
_DUE = timedelta(days=2)


@requires_transaction
def on_bank_failure(*, delivery: InboundEvent) -> None:
    """Open a case for a failed payout of a connected account; once, however often it is told.

    A payout of our own account to our bank has no `account`, and is none of pay-out's.
    """
    if not delivery.account:
        return
    data = delivery.payload.get("data")
    try:
        payout = read_bank_payout(data.get("object") if isinstance(data, dict) else None)
    except Unreadable as error:
        log.warning("event_unreadable", event_id=delivery.event_id, error=str(error))
        return
    # By what people recognise it: the whole of it is as private as any account.
    account = f"…{delivery.account[-4:]}"
    why = payout.failure_code or "no reason given"
    open_case(
        kind=KIND,
        subject=f"stripe:{payout.reference}",
        summary=f"The bank of the seller's account {account} did not take a payout: {why}",
        due_in=_DUE,
        detail={"account": account, "payout": payout.reference, "failure_code": payout.failure_code},
        value_minor=payout.amount_minor,
        currency=payout.currency,
        merchant_id=delivery.merchant_id,
    )
