"""Stripe's disputes: reading them, answering them with evidence and files, letting them stand."""

import io
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast
from urllib.parse import quote

import structlog

from channels.errors import UnsupportedAmount
from channels.selectors import from_stripe
from channels.services import call
from channels.types import CallRecord, ChannelData
from core.transactions import forbids_transaction
from payments.psp.contract import Outcome, OutcomeKind
from payments.psp.disputes import (
    AcceptDisputeRequest,
    DisputeStage,
    EvidenceFile,
    EvidenceRequest,
    PspDispute,
    PspMovement,
    PspReversal,
)
from payments.psp.stripe_objects import Unreadable, read_integer, read_reference, read_text
from payments.psp.stripe_outcomes import of_question, outcome_of

__all__ = ["EVIDENCE_KEY", "StripeDisputes", "read_dispute"]

log = structlog.get_logger(__name__)

# Where our name of an answer stands in the metadata of a Dispute.
EVIDENCE_KEY = "evidence_id"
# Our words to Stripe's, where they differ.
_FIELDS = {"explanation": "uncategorized_text", "case_file": "uncategorized_file"}
_STAGES = {
    "warning_needs_response": DisputeStage.INQUIRY,
    "warning_under_review": DisputeStage.INQUIRY_ANSWERED,
    "warning_closed": DisputeStage.INQUIRY_CLOSED,
    "needs_response": DisputeStage.NEEDS_RESPONSE,
    "under_review": DisputeStage.UNDER_REVIEW,
    "prevented": DisputeStage.PREVENTED,
    "won": DisputeStage.WON,
    "lost": DisputeStage.LOST,
}


class StripeDisputes:
    """The part of the adapter that is about disputes."""

    @forbids_transaction
    def query_dispute(self, *, channel: ChannelData, reference: str) -> Outcome:
        """Fetch the Dispute."""
        path = f"/v1/disputes/{quote(reference, safe='')}"
        exchange = call(
            channel=channel,
            kind="query_dispute",
            send=lambda client: client.raw_request("get", path),
            has_effect=False,
        )
        return of_question(_outcome(exchange, _known))

    @forbids_transaction
    def submit_evidence(self, *, channel: ChannelData, request: EvidenceRequest) -> Outcome:
        """Upload the files, then update the Dispute with everything and have it submitted."""
        evidence = {_FIELDS.get(name, name): text for name, text in request.texts.items()}
        calls: tuple[CallRecord, ...] = ()
        for each in request.files:
            uploaded, key = _upload(channel, each)
            calls += uploaded.calls
            if not key:
                return replace(uploaded, calls=calls)
            evidence[_FIELDS.get(each.part, each.part)] = key
        params = {
            "evidence": evidence,
            "submit": True,
            "metadata": {EVIDENCE_KEY: request.our_reference},
        }
        path = f"/v1/disputes/{quote(request.reference, safe='')}"
        exchange = call(
            channel=channel,
            kind="evidence",
            send=lambda client: client.raw_request("post", path, **params, idempotency_key=request.nonce),
        )
        outcome = _outcome(exchange, _answered_by(request.our_reference))
        return replace(outcome, calls=(*calls, *outcome.calls))

    @forbids_transaction
    def find_evidence(self, *, channel: ChannelData, request: EvidenceRequest) -> Outcome:
        """Fetch the Dispute and look whether it carries our answer."""
        known = self.query_dispute(channel=channel, reference=request.reference)
        if known.dispute is None:
            return known
        return replace(_answered_by(request.our_reference)(known.dispute), calls=known.calls)

    @forbids_transaction
    def accept_dispute(self, *, channel: ChannelData, request: AcceptDisputeRequest) -> Outcome:
        """Close the Dispute, which is to lose it."""
        path = f"/v1/disputes/{quote(request.reference, safe='')}/close"
        exchange = call(
            channel=channel,
            kind="accept_dispute",
            send=lambda client: client.raw_request("post", path, idempotency_key=request.nonce),
        )
        return _outcome(exchange, _lost)

    @forbids_transaction
    def find_acceptance(self, *, channel: ChannelData, request: AcceptDisputeRequest) -> Outcome:
        """Fetch the Dispute and look whether it is lost."""
        known = self.query_dispute(channel=channel, reference=request.reference)
        return known if known.dispute is None else replace(_lost(known.dispute), calls=known.calls)

    def read_dispute_event(self, *, payload: Mapping[str, Any]) -> PspDispute | None:
        """Return the Dispute of an event, as it stood when the event was made."""
        return _read_event(payload, "charge.dispute.", read_dispute)

    def read_reversal_event(self, *, payload: Mapping[str, Any]) -> PspReversal | None:
        """Return the reversal that an event tells of: a charge that failed after its money had moved."""
        return _read_event(payload, "charge.failed", _read_reversal)


def read_dispute(data: Any) -> PspDispute:
    """Return a Dispute in our words. Raises Unreadable."""
    if not isinstance(data, Mapping) or data.get("object") != "dispute":
        raise Unreadable("not a Dispute")
    stage = _STAGES.get(read_text(data, "status"))
    if stage is None:
        raise Unreadable(f"unknown status {data['status']!r}")
    currency = read_text(data, "currency").upper()
    details = data.get("evidence_details")
    details = details if isinstance(details, Mapping) else {}
    method = data.get("payment_method_details")
    card = method.get("card") if isinstance(method, Mapping) else None
    code = card.get("network_reason_code") if isinstance(card, Mapping) else None
    moved = data.get("balance_transactions")
    if not isinstance(moved, list):
        raise Unreadable("balance_transactions is not a list")
    metadata = data.get("metadata")
    mark = metadata.get(EVIDENCE_KEY) if isinstance(metadata, Mapping) else None
    due_by, submissions = details.get("due_by"), details.get("submission_count")
    return PspDispute(
        reference=read_text(data, "id"),
        payment_reference=read_reference(data.get("payment_intent")),
        stage=stage,
        amount_minor=_minor(data, "amount", currency),
        currency=currency,
        reason=str(data.get("reason") or "")[:64],
        network_reason_code=str(code or "")[:32],
        opened_at=_moment(data.get("created")),
        evidence_due_at=_moment(due_by) if type(due_by) is int and due_by > 0 else None,
        submissions=submissions if type(submissions) is int and 0 <= submissions < 1000 else 0,
        evidence_mark=mark if isinstance(mark, str) else "",
        # The provider's own order is not promised; two of one second stand as they came.
        movements=tuple(sorted((_movement(each) for each in moved), key=lambda each: each.moved_at)),
    )


def _movement(data: Any) -> PspMovement:
    if not isinstance(data, Mapping) or data.get("object") != "balance_transaction":
        raise Unreadable("not a BalanceTransaction")
    amount, fee = data.get("amount"), data.get("fee")
    if type(amount) is not int or type(fee) is not int or not 0 < abs(amount) < 10**15:
        raise Unreadable("a movement without an amount")
    is_withdrawal = amount < 0
    if (fee < 0) is is_withdrawal and fee:
        raise Unreadable("a fee that goes the other way than its movement")
    currency = read_text(data, "currency").upper()
    return PspMovement(
        reference=read_text(data, "id"),
        is_withdrawal=is_withdrawal,
        amount_minor=_minor({"amount": abs(amount)}, "amount", currency),
        fee_minor=_minor({"fee": abs(fee)}, "fee", currency),
        currency=currency,
        moved_at=_moment(data.get("created")),
    )


def _read_reversal(data: Any) -> PspReversal | None:
    if not isinstance(data, Mapping) or data.get("object") != "charge":
        raise Unreadable("not a Charge")
    movement = read_reference(data.get("failure_balance_transaction"))
    if not movement or data.get("captured") is not True:
        return None  # A try that failed at once: no money had moved.
    currency = read_text(data, "currency").upper()
    return PspReversal(
        payment_reference=read_reference(data.get("payment_intent")),
        reference=movement,
        amount_minor=_minor(data, "amount_captured", currency),
        currency=currency,
        reason=str(data.get("failure_message") or data.get("failure_code") or "")[:200],
    )


def _read_event(payload: Mapping[str, Any], prefix: str, read: Callable[[Any], Any]) -> Any:
    if not str(payload.get("type") or "").startswith(prefix):
        return None
    data = payload.get("data")
    try:
        return read(data.get("object") if isinstance(data, Mapping) else None)
    except Unreadable as error:
        log.warning("event_unreadable", event_id=payload.get("id"), error=str(error))
        return None


def _upload(channel: ChannelData, file: EvidenceFile) -> tuple[Outcome, str]:
    """Return what came of an upload, and the file's id where it is there."""

    def send(client: Any) -> Any:
        content = io.BytesIO(file.content)
        content.name = file.name
        return client.raw_request(
            "post",
            "/v1/files",
            base="files",
            content_type="multipart/form-data",
            idempotency_key=file.nonce,
            purpose="dispute_evidence",
            file=content,
        )

    found: list[str] = []

    def read(data: Any) -> Any:
        found.append(read_text(data, "id"))
        return None

    exchange = call(channel=channel, kind="file", send=send)
    outcome = outcome_of(exchange, read=read, meaning=cast(Any, lambda _: Outcome(OutcomeKind.SUCCEEDED)))
    return outcome, found[0] if found and outcome.kind is OutcomeKind.SUCCEEDED else ""


def _outcome(exchange: Any, meaning: Callable[[PspDispute], Outcome]) -> Outcome:
    return outcome_of(exchange, read=cast(Any, read_dispute), meaning=cast(Any, meaning))


def _known(seen: PspDispute) -> Outcome:
    return Outcome(OutcomeKind.SUCCEEDED, dispute=seen)


def _answered_by(our_reference: str) -> Callable[[PspDispute], Outcome]:
    def meaning(seen: PspDispute) -> Outcome:
        if seen.evidence_mark == our_reference and seen.submissions:
            return Outcome(OutcomeKind.SUCCEEDED, dispute=seen)
        return Outcome(OutcomeKind.UNKNOWN, dispute=seen, error="the dispute does not carry our answer")

    return meaning


def _lost(seen: PspDispute) -> Outcome:
    if seen.stage is DisputeStage.LOST:
        return Outcome(OutcomeKind.SUCCEEDED, dispute=seen)
    return Outcome(OutcomeKind.UNKNOWN, dispute=seen, error=f"it is {seen.stage}")


def _minor(data: Mapping[str, Any], name: str, currency: str) -> int:
    try:
        return from_stripe(read_integer(data, name), currency)
    except UnsupportedAmount as error:
        raise Unreadable(str(error)) from error


def _moment(value: Any) -> datetime:
    if type(value) is not int or not 0 < value < 10**11:
        raise Unreadable("a moment that is none")
    return datetime.fromtimestamp(value, UTC)
