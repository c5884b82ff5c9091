"""How often one card may be tried at a merchant's, whatever tokens it comes in.

What card a token is, only the provider knows. It says so when the payment is registered there, and the card
is counted in the transaction that records that answer, before the order to move money exists: an attempt
counts once, whoever dies when, and with or without Redis. Where a token is made reusable, the provider tries
the card out already in attaching it, so that it is looked at before that.
"""

from dataclasses import replace
from uuid import UUID

from django.db import connection

from channels.types import CallRecord, ChannelData
from core.limits.attempts import attempt_buckets
from core.limits.buckets import Bucket
from core.limits.counters import charge
from core.transactions import at_edge, forbids_transaction, requires_transaction
from payments.engine.closing import failure_of
from payments.locks import lock_operation
from payments.models import PaymentEvent, TopUp
from payments.psp.contract import AttachRequest, Decline, DetachRequest, Outcome, OutcomeKind, PspAdapter
from risk.types import CardFacts

__all__ = ["TOO_OFTEN", "count_card", "look_before_attach"]

TOO_OFTEN = failure_of(None, code="card_attempts_exceeded")

_COUNTED, _REFUSED = "counted", "refused"
# Any fingerprint will do to learn whether a limit is set at all.
_NOBODY = "-"


@requires_transaction
def count_card(payable: PaymentEvent | TopUp, channel: ChannelData, card: CardFacts | None) -> bool:
    """Count an attempt of a locked checkout or top-up with this card; False when there were too many.

    Several charges of a checkout are one attempt: what was said of the first is said of the others. A card of
    which the provider tells no fingerprint is not counted here; its token was, at the door. The card's count
    is locked until the transaction ends, after all rows that it locks.
    """
    if payable.card_attempt:
        return payable.card_attempt == _COUNTED
    if card is None or not card.fingerprint:
        return True
    is_allowed = all(charge(bucket).is_allowed for bucket in _buckets(channel, card.fingerprint))
    if payable.save_method or payable.multi_order_policy == "best_effort":
        payable.card_attempt = _COUNTED if is_allowed else _REFUSED
        payable.save(update_fields=["card_attempt"])
    return is_allowed


@forbids_transaction
def look_before_attach(
    adapter: PspAdapter, channel: ChannelData, request: AttachRequest, *, operation_id: UUID, known: str
) -> Outcome | tuple[CallRecord, ...]:
    """Count the card of a token that is about to be attached: the refusal, or the evidence of the look.

    `known` is what was said of the attempt before; then nobody is asked. Nor is anybody where the merchant
    has no limit. What the provider cannot show is attached, which it will refuse as well.
    """
    calls: tuple[CallRecord, ...] = ()
    if not known and list(_buckets(channel, _NOBODY)):
        connection.close()  # A provider that hangs must not hold our database connections.
        look = DetachRequest(nonce=request.nonce, token=request.token)
        seen = adapter.find_method(channel=channel, request=look)
        calls = seen.calls
        if seen.object is not None and seen.object.card is not None:
            known = _count_of_operation(operation_id, channel, seen.object.card)
            connection.close()
    return replace(_refusal(), calls=calls) if known == _REFUSED else calls


@at_edge
def _count_of_operation(operation_id: UUID, channel: ChannelData, card: CardFacts) -> str:
    scope = lock_operation(operation_id=operation_id)
    assert scope is not None, "operations are never deleted"
    count_card(scope.payable, channel, card)
    return scope.payable.card_attempt


def _buckets(channel: ChannelData, fingerprint: str) -> list[Bucket]:
    subjects = {"card_fingerprint": fingerprint}
    return list(attempt_buckets(merchant_id=channel.merchant_id, mode=channel.mode, subjects=subjects))


def _refusal() -> Outcome:
    told = Decline(TOO_OFTEN["code"], TOO_OFTEN["message"], "", TOO_OFTEN["retryable"])
    return Outcome(OutcomeKind.DECLINED, decline=told, error="too many attempts with this card")
