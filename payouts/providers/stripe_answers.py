"""What came of a call about a Transfer: an outcome of the contract, from an answer or from an error."""

from collections.abc import Callable, Mapping
from typing import Any

import structlog

from channels.services import redact_text
from channels.types import Exchange
from payouts.providers.contract import BatchKind, BatchOutcome, Instruction, News, NewsKind, PayoutFailure
from payouts.providers.stripe_transfers import Unreadable, find_transfers, news_of, read_transfer

__all__ = ["is_kept_refusal_for_funds", "of_asking", "of_sending", "refused", "unknown"]

log = structlog.get_logger(__name__)

_FUNDS = "balance_insufficient"
# Refused for now and for a reason of ours: the seller waits, and the same instruction is sent again.
_NOT_NOW = frozenset([_FUNDS, "transfers_not_allowed", "rate_limit", "lock_timeout"])
_NO_ACCOUNT = PayoutFailure(
    "destination_invalid", "The account does not exist, or is not connected to us.", is_of_destination=True
)
_CLOSED_ACCOUNT = PayoutFailure(
    "destination_blocked", "The account cannot be paid at the moment.", is_of_destination=True
)
_OF_ACCOUNT = {
    "account_invalid": _NO_ACCOUNT,
    "insufficient_capabilities_for_transfer": _CLOSED_ACCOUNT,
}


def of_sending(exchange: Exchange, instruction: Instruction) -> BatchOutcome:
    """Return the outcome of creating a Transfer. Never raises: what cannot be understood is unknown."""

    def taken(data: Any) -> BatchOutcome:
        transfer = read_transfer(data)
        if (transfer.our_reference, transfer.account) != _ours(instruction):
            raise Unreadable("the answer is about another transfer")
        return _taken(news_of(transfer), transfer.reference)

    return _outcome(exchange, taken, lambda error: _of_refusal(error, instruction))


def of_asking(exchange: Exchange, instruction: Instruction) -> BatchOutcome:
    """Return the outcome of listing the Transfers of a reference. Never raises."""

    def found(data: Any) -> BatchOutcome:
        transfers = find_transfers(data, instruction.reference)
        if not transfers:
            return BatchOutcome(BatchKind.ABSENT, error="there is no transfer of this reference")
        if len(transfers) > 1:
            log.error("payout_sent_twice", reference=instruction.reference, count=len(transfers))
            return unknown(f"there are {len(transfers)} transfers of this reference")
        if (transfers[0].our_reference, transfers[0].account) != _ours(instruction):
            return unknown("the transfer of this reference went to another account")
        return _taken(news_of(transfers[0]), transfers[0].reference)

    return _outcome(exchange, found, lambda error: unknown(_words(error)))


def is_kept_refusal_for_funds(exchange: Exchange) -> bool:
    """Say whether this is what an earlier try was told: Stripe keeps a refusal with its idempotency key."""
    error = exchange.error
    headers = getattr(error, "headers", None) or {}
    code = _detail(error).get("code") if error is not None else None
    return code == _FUNDS and str(headers.get("idempotent-replayed", "")).lower() == "true"


def refused(reference: str, failure: PayoutFailure, error: str = "") -> BatchOutcome:
    """Return a refusal for good."""
    news = News(reference, NewsKind.REFUSED, failure=failure)
    return BatchOutcome(BatchKind.REFUSED, (news,), error or failure.message, failure)


def unknown(error: str) -> BatchOutcome:
    """Return that nobody knows."""
    return BatchOutcome(BatchKind.UNKNOWN, error=error[:500])


def _ours(instruction: Instruction) -> tuple[str, str]:
    return instruction.reference, instruction.details["account"]


def _taken(news: tuple[News, ...], reference: str) -> BatchOutcome:
    return BatchOutcome(BatchKind.TAKEN, news, provider_reference=reference)


def _outcome(
    exchange: Exchange,
    read: Callable[[Any], BatchOutcome],
    refuse: Callable[[Exception], BatchOutcome],
) -> BatchOutcome:
    try:
        if exchange.error is None:
            return read(exchange.result.data)
        if exchange.sent is False:
            return BatchOutcome(BatchKind.NOT_SENT, error=_words(exchange.error))
        return refuse(exchange.error)
    except Exception as error:
        if not isinstance(error, Unreadable):
            log.exception("answer_not_understood")
        return unknown(f"the answer cannot be read: {error}")


def _of_refusal(error: Exception, instruction: Instruction) -> BatchOutcome:
    """Tell apart: not now, not to this account, not at all, and nobody knows."""
    status: int | None = getattr(error, "http_status", None)
    detail = _detail(error)
    code, why = str(detail.get("code") or ""), _words(error)
    if status is None or not detail or detail.get("type") == "idempotency_error":
        # The reference is known there, with another instruction or one under way: it is asked about.
        return unknown(why)
    if code in _OF_ACCOUNT or detail.get("param") == "destination":
        return refused(instruction.reference, _failure(code, _OF_ACCOUNT.get(code, _NO_ACCOUNT)), why)
    if status in (401, 403, 429) or code in _NOT_NOW:
        return BatchOutcome(BatchKind.NOT_SENT, error=why)
    if status in (400, 402):
        failure = PayoutFailure("refused_by_provider", "The provider refused the payment.")
        return refused(instruction.reference, _failure(code, failure), why)
    return unknown(why)


def _failure(code: str, failure: PayoutFailure) -> PayoutFailure:
    return PayoutFailure(failure.code, failure.message, code[:64], failure.is_of_destination)


def _detail(error: Exception | None) -> Mapping[str, Any]:
    body: Any = getattr(error, "json_body", None)
    detail = body.get("error") if isinstance(body, Mapping) else None
    return detail if isinstance(detail, Mapping) else {}


def _words(error: Exception) -> str:
    detail, status = _detail(error), getattr(error, "http_status", None)
    if status is None or not detail:
        return redact_text(f"{type(error).__name__}: {error}")
    return redact_text(
        f"{status} {detail.get('type') or ''} {detail.get('code') or ''}: {detail.get('message')}"
    )
