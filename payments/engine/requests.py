"""What is said to a provider for each kind of operation: the first time, and when in doubt."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from channels.types import CallRecord, ChannelData
from core import clock
from core.ids import public_id
from core.transactions import forbids_transaction
from payments.engine.disputes.questions import accept_request, evidence_request
from payments.engine.endings import is_unwanted
from payments.engine.hosted import page_request
from payments.engine.operations import GIVE_UP_AFTER
from payments.engine.payables import description_of, metadata_of, payable_id, return_hop
from payments.engine.saved import customer_of
from payments.locks import ChargeScope
from payments.models import PaymentMethodToken, PspOperation
from payments.psp.contract import (
    AttachRequest,
    CancelRequest,
    CaptureRequest,
    ConfirmRequest,
    CustomerRequest,
    Decline,
    DetachRequest,
    Outcome,
    OutcomeKind,
    PageRequest,
    PspAdapter,
    PspStatus,
    RefundRequest,
    RegisterRequest,
    adapter_for,
)
from payments.psp.disputes import AcceptDisputeRequest, DisputeStage, EvidenceRequest

__all__ = ["Question", "call_for", "question_for"]

# Providers may forget a key when its time is up; from this long before that we ask, and send nothing.
_RETENTION_MARGIN = timedelta(hours=1)
# A buyer does not wait longer than this for what was never acted upon: it is closed, not sent once more.
# A closing, a refund or a capture is sent for as long as the provider knows its key, an answer for ever.
_PATIENCE = dict.fromkeys(
    ("expire", "refund", "capture", "void", "evidence", "accept_dispute"), timedelta.max
)
_DISPOSALS = ("capture", "void")
_ANSWERABLE = (DisputeStage.INQUIRY, DisputeStage.NEEDS_RESPONSE)

Request = (
    RegisterRequest
    | PageRequest
    | ConfirmRequest
    | CaptureRequest
    | CancelRequest
    | RefundRequest
    | CustomerRequest
    | AttachRequest
    | DetachRequest
    | EvidenceRequest
    | AcceptDisputeRequest
)


@dataclass(frozen=True)
class Question:
    """One operation in the provider's words.

    `again`: it may have arrived already. `asks`: then there is something at the provider to ask about,
    under `reference`. `may_send`: the provider still remembers the nonce, so that sending it again has no
    second effect, and somebody still waits for it and wants it.
    """

    kind: str
    request: Request
    reference: str
    again: bool
    asks: bool
    may_send: bool


def question_for(
    scope: ChargeScope, operation: PspOperation, channel: ChannelData, *, again: bool
) -> Question:
    """Build the request of a locked operation, so that the call needs no database."""
    memory = adapter_for(channel.provider).key_retention - _RETENTION_MARGIN
    age = clock.now() - operation.first_sent_at if operation.first_sent_at else timedelta(0)
    is_disposal = operation.kind in _DISPOSALS
    reference = (scope.charge.psp_reference or "") if is_disposal else scope.charge.provider_reference
    return Question(
        kind=operation.kind,
        request=_request(scope, operation, channel),
        reference=reference,
        again=again,
        asks=again and (operation is scope.paying or is_disposal) and bool(reference),
        may_send=age < min(memory, _PATIENCE.get(operation.kind, GIVE_UP_AFTER))
        and not (operation.kind == "confirm" and is_unwanted(scope)),
    )


def _request(scope: ChargeScope, operation: PspOperation, channel: ChannelData) -> Request:
    if operation.kind == "register" and scope.charge.is_hosted:
        return page_request(scope, operation, channel.provider)
    return _REQUESTS[operation.kind](scope, operation)


@forbids_transaction
def call_for(adapter: PspAdapter, channel: ChannelData, question: Question) -> Outcome:
    """Send the operation, or, where it may have arrived, find out first. Never raises."""
    if question.kind == "detach":
        return _detach(adapter, channel, question)
    if question.kind in ("evidence", "accept_dispute") and question.again:
        return _find_answer(adapter, channel, question)
    if question.kind == "refund" and question.again:
        return _find_refund(adapter, channel, question)
    if not question.asks:
        if question.again and not question.may_send:
            return _forgotten()
        return _send(adapter, channel, question)
    known = adapter.query(channel=channel, reference=question.reference)
    before = PspStatus.AUTHORIZED if question.kind in _DISPOSALS else PspStatus.REGISTERED
    untouched = known.object is not None and known.object.status is before
    if not untouched or not question.may_send:
        return known
    # The provider has not acted on it. Under the same nonce this is the same request, not a second one.
    again = _send(adapter, channel, question)
    return replace(again, calls=(*known.calls, *again.calls))


def _find_refund(adapter: PspAdapter, channel: ChannelData, question: Question) -> Outcome:
    request: Any = question.request
    known = adapter.find_refund(channel=channel, request=request)
    if known.object is not None or not question.may_send or request.refund_reference:
        return known
    # Not to be found proves nothing; under the same nonce this is the same refund, not a second one.
    again = _send(adapter, channel, question)
    return replace(again, calls=(*known.calls, *again.calls))


def _find_answer(adapter: PspAdapter, channel: ChannelData, question: Question) -> Outcome:
    """Look at the dispute itself: it says whether it is answered, so an answer cannot be given twice."""
    request: Any = question.request
    find = adapter.find_evidence if question.kind == "evidence" else adapter.find_acceptance
    known = find(channel=channel, request=request)
    if known.dispute is None or known.kind in (OutcomeKind.SUCCEEDED, OutcomeKind.DECLINED):
        return known
    if known.dispute.stage not in _ANSWERABLE:
        return replace(
            known, kind=OutcomeKind.DECLINED, error=f"it is {known.dispute.stage} without our answer"
        )
    again = _send(adapter, channel, question)
    return replace(again, calls=(*known.calls, *again.calls))


def _detach(adapter: PspAdapter, channel: ChannelData, question: Question) -> Outcome:
    """Ask before a second try, and after a refusal: the method may have been taken away by then.

    One that was seen still to be the buyer's is detached however old the nonce is: that cannot be done twice.
    """
    request: Any = question.request
    before: tuple[CallRecord, ...] = ()
    if question.again:
        known = adapter.find_method(channel=channel, request=request)
        if known.object is None or known.kind is OutcomeKind.SUCCEEDED:
            return known
        before = known.calls
    sent = _send(adapter, channel, question)
    if sent.kind is OutcomeKind.DECLINED:
        seen = adapter.find_method(channel=channel, request=request)
        end = seen if seen.kind is OutcomeKind.SUCCEEDED else sent
        sent = replace(end, calls=(*sent.calls, *seen.calls))
    return replace(sent, calls=(*before, *sent.calls))


def _send(adapter: PspAdapter, channel: ChannelData, question: Question) -> Outcome:
    request: Any = question.request
    is_page = isinstance(question.request, PageRequest)
    doors: dict[str, Callable[..., Outcome]] = {
        "register": adapter.open_page if is_page else adapter.register,
        "confirm": adapter.confirm,
        "capture": adapter.capture,
        "void": adapter.cancel,
        "expire": adapter.cancel,
        "refund": adapter.refund,
        "customer": adapter.create_customer,
        "attach": adapter.attach,
        "detach": adapter.detach,
        "evidence": adapter.submit_evidence,
        "accept_dispute": adapter.accept_dispute,
    }
    return doors[question.kind](channel=channel, request=request)


def _forgotten() -> Outcome:
    """Too old to be sent again, and what it would have made cannot move money."""
    return Outcome(
        kind=OutcomeKind.DECLINED,
        object=None,
        decline=Decline(
            code="psp_unavailable",
            message="The payment provider could not be reached.",
            decline_code="",
            retryable=True,
        ),
        error="too old to be sent again",
    )


def _register(scope: ChargeScope, operation: PspOperation) -> RegisterRequest:
    return RegisterRequest(
        nonce=operation.nonce,
        our_reference=public_id("chg", scope.charge.id),
        amount_minor=operation.amount_minor,
        currency=operation.currency,
        capture="manual" if scope.payable.capture == "manual" else "automatic",
        description=description_of(scope.payable),
        metadata=metadata_of(scope.payable),
        token=scope.payable.token,
        return_url=return_hop(scope.payable),
        customer_reference=customer_of(scope.payable, scope.charge.channel_id),
    )


def _confirm(scope: ChargeScope, operation: PspOperation) -> ConfirmRequest:
    return ConfirmRequest(
        nonce=operation.nonce,
        reference=scope.charge.psp_reference or "",
        token=scope.payable.token,
        return_url=return_hop(scope.payable),
    )


def _expire(scope: ChargeScope, operation: PspOperation) -> CancelRequest:
    return CancelRequest(nonce=operation.nonce, reference=scope.charge.provider_reference)


def _capture(scope: ChargeScope, operation: PspOperation) -> CaptureRequest:
    return CaptureRequest(
        nonce=operation.nonce,
        reference=scope.charge.psp_reference or "",
        amount_minor=operation.amount_minor,
        currency=operation.currency,
    )


def _void(scope: ChargeScope, operation: PspOperation) -> CancelRequest:
    return CancelRequest(nonce=operation.nonce, reference=scope.charge.psp_reference or "")


def _refund(scope: ChargeScope, operation: PspOperation) -> RefundRequest:
    return RefundRequest(
        nonce=operation.nonce,
        our_reference=public_id("op", operation.id),
        reference=scope.charge.psp_reference or "",
        amount_minor=operation.amount_minor,
        currency=operation.currency,
        refund_reference=operation.psp_reference or "",
    )


def _customer(scope: ChargeScope, operation: PspOperation) -> CustomerRequest:
    return CustomerRequest(nonce=operation.nonce, our_reference=payable_id(scope.payable))


def _attach(scope: ChargeScope, operation: PspOperation) -> AttachRequest:
    return AttachRequest(
        nonce=operation.nonce,
        customer_reference=customer_of(scope.payable, scope.charge.channel_id),
        token=scope.payable.token,
    )


def _detach_request(scope: ChargeScope, operation: PspOperation) -> DetachRequest:
    saved = PaymentMethodToken.objects.get(charge=scope.charge)
    return DetachRequest(nonce=operation.nonce, token=saved.psp_token)


_REQUESTS: dict[str, Callable[[ChargeScope, PspOperation], Request]] = {
    "register": _register,
    "confirm": _confirm,
    "capture": _capture,
    "void": _void,
    "expire": _expire,
    "refund": _refund,
    "customer": _customer,
    "attach": _attach,
    "detach": _detach_request,
    "evidence": evidence_request,
    "accept_dispute": accept_request,
}
