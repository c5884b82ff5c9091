"""Every `failure.code` of an order, and what it means to the store; buyers are shown the message instead."""

from collections.abc import Mapping

from core.api.schemas import FailureCode
from payments.engine.assessment import RISK_FAILURE
from payments.engine.balance import SHORT
from payments.engine.closing import failure_of
from payments.engine.refunds.outcomes import REFUND_FAILURE
from payments.psp.declines import DECLINES

__all__ = ["FAILURES"]

# Where the message says less than there is to know, because the buyer reads it.
_BEHIND_THE_MESSAGE = {
    "card_declined": "The bank refused the card and gave no reason, or one that has no code of its own.",
    "fraud_suspected": "The bank or the provider suspects fraud: a card reported lost or stolen, say.",
    "risk_declined": "Our risk rules, a slow check or a reviewer refused it; nothing was sent.",
    "card_attempts_exceeded": "The same card was used too often, with whatever tokens; it was not charged.",
    "amount_not_supported": "The provider does not take payments of this amount: often one below its least.",
    "refund_failed": "Of a refund: the buyer did not get it, and the seller has the money again.",
    "rejected_by_provider": "The provider turned the request away for another reason than the card.",
}
_SECRET = ("fraud_suspected", "risk_declined")
# Without a refusal by the provider: it could not be reached, or the payment was closed there.
_CLOSED = ("psp_unavailable", "payment_canceled", "card_attempts_exceeded")


def _told() -> Mapping[str, tuple[str, bool]]:
    ours = {
        str(each["code"]): (str(each["message"]), bool(each["retryable"]))
        for each in (RISK_FAILURE, SHORT, REFUND_FAILURE)
    }
    closed = {code: failure_of(None, code=code) for code in _CLOSED}
    return DECLINES | ours | {code: (each["message"], each["retryable"]) for code, each in closed.items()}


FAILURES: Mapping[str, FailureCode] = {
    code: FailureCode(_BEHIND_THE_MESSAGE.get(code, message), retryable, code in _SECRET)
    for code, (message, retryable) in _told().items()
}
