"""What came of a call to Stripe: one of the five outcomes, from an answer or from an error."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any

import structlog

from channels.errors import LineClosed
from channels.services import redact_text
from channels.types import Exchange
from core import clock
from core.errors import DomainError
from payments.psp.contract import Outcome, OutcomeKind, PspObject, PspStatus
from payments.psp.stripe_declines import decline_of, rejection_of
from payments.psp.stripe_objects import Unreadable, read_intent

__all__ = [
    "of_captured",
    "of_closed",
    "of_closed_question",
    "of_confirmed",
    "of_created",
    "of_question",
    "of_state",
    "outcome_of",
]

log = structlog.get_logger(__name__)

_KEY_IN_USE_SECONDS = 1.0
_LONGEST_WAIT = 600.0
# Wrong arguments, a missing key, a provider without a client, credentials that cannot be decrypted.
_OUR_MISTAKES = (TypeError, ValueError, LookupError, AttributeError, DomainError)

# The object was elsewhere already; how it stands is in the error itself.
_ELSEWHERE = ("payment_intent_unexpected_state", "charge_expired_for_capture")
# How an object may stand after a bank refused to pay.
_REFUSED_IN = (PspStatus.DECLINED, PspStatus.REGISTERED, PspStatus.CANCELED)

Meaning = Callable[[PspObject], Outcome]


def outcome_of(
    exchange: Exchange,
    *,
    read: Callable[[Any], PspObject] = read_intent,
    meaning: Meaning,
    refused_in: Collection[PspStatus] = _REFUSED_IN,
) -> Outcome:
    """Return the outcome of a call; `meaning` says what the object's state is worth to who asked.

    A bank's refusal is believed where the object stands as in `refused_in`. Never raises: whatever cannot be
    understood was sent and is therefore unknown.
    """
    try:
        if exchange.error is None:
            outcome = meaning(read(exchange.result.data))
        else:
            outcome = _of_error(exchange.error, exchange.sent, meaning, refused_in)
    except Exception as error:
        if not isinstance(error, Unreadable):
            log.exception("answer_not_understood")
        outcome = Outcome(kind=OutcomeKind.UNKNOWN, error=f"the answer cannot be read: {error}"[:500])
    return replace(outcome, calls=exchange.calls)


def of_question(outcome: Outcome) -> Outcome:
    """What a refused question proves: nothing about the object."""
    if outcome.kind is OutcomeKind.DECLINED and outcome.object is None:
        return replace(outcome, kind=OutcomeKind.UNKNOWN, decline=None)
    return outcome


def of_created(seen: PspObject) -> Outcome:
    """Whatever its state: it exists."""
    return Outcome(kind=OutcomeKind.SUCCEEDED, object=seen)


def of_state(seen: PspObject) -> Outcome:
    """Say how the object stands."""
    if seen.status in (PspStatus.REQUIRES_ACTION, PspStatus.PROCESSING):
        return Outcome(kind=OutcomeKind.PENDING, object=seen)
    if seen.status is PspStatus.DECLINED:
        return Outcome(kind=OutcomeKind.DECLINED, object=seen, decline=seen.decline, error=_why(seen))
    return Outcome(kind=OutcomeKind.SUCCEEDED, object=seen)


def of_confirmed(seen: PspObject) -> Outcome:
    """Say how the object stands, where an untouched one contradicts that it was to pay."""
    if seen.status is PspStatus.REGISTERED:
        return Outcome(kind=OutcomeKind.UNKNOWN, object=seen, error="confirmed, and nothing was acted upon")
    return of_state(seen)


def of_captured(seen: PspObject) -> Outcome:
    """Say what became of the order to take what is authorised."""
    if seen.status is PspStatus.CAPTURED:
        return Outcome(kind=OutcomeKind.SUCCEEDED, object=seen)
    if seen.status is PspStatus.PROCESSING:
        return Outcome(kind=OutcomeKind.PENDING, object=seen)
    if seen.status is PspStatus.AUTHORIZED:
        return Outcome(OutcomeKind.UNKNOWN, object=seen, error="to be captured, and nothing was acted upon")
    return Outcome(OutcomeKind.DECLINED, object=seen, decline=seen.decline, error=f"it is {seen.status}")


def of_closed(seen: PspObject) -> Outcome:
    """Say whether the object can still charge."""
    if seen.status in (PspStatus.CANCELED, PspStatus.EXPIRED):
        return Outcome(kind=OutcomeKind.SUCCEEDED, object=seen)
    return Outcome(kind=OutcomeKind.DECLINED, object=seen, error=f"cannot be closed, it is {seen.status}")


def of_closed_question(seen: PspObject) -> Outcome:
    """Say whether the object was closed; that it was not tells nothing of what is still under way."""
    closed = of_closed(seen)
    return closed if closed.kind is OutcomeKind.SUCCEEDED else replace(closed, kind=OutcomeKind.UNKNOWN)


def _of_error(
    error: Exception, sent: bool | None, meaning: Meaning, refused_in: Collection[PspStatus]
) -> Outcome:
    if sent is False:
        # A mistake of ours is not cured by another try; a database or a line that is down is.
        permanent = isinstance(error, _OUR_MISTAKES)
        wait = error.retry_after if isinstance(error, LineClosed) else None
        return Outcome(OutcomeKind.NOT_SENT, error=_words(error), permanent=permanent, retry_after=wait)
    status: int | None = getattr(error, "http_status", None)
    body: Any = getattr(error, "json_body", None)
    detail = body.get("error") if isinstance(body, Mapping) else None
    if status is None or not isinstance(detail, Mapping):
        return Outcome(OutcomeKind.UNKNOWN, error=_words(error))
    if status == 402:
        return _of_decline(detail, _why_refused(status, detail), refused_in)
    return _of_refusal(status, detail, getattr(error, "headers", None) or {}, meaning)


def _of_refusal(
    status: int, detail: Mapping[str, Any], headers: Mapping[str, Any], meaning: Meaning
) -> Outcome:
    code, kind = str(detail.get("code") or ""), str(detail.get("type") or "")
    why = _why_refused(status, detail)
    if status == 429 or code == "rate_limit":
        return Outcome(OutcomeKind.NOT_SENT, error=why, retry_after=_retry_after(headers))
    if status in (401, 403):
        return Outcome(OutcomeKind.NOT_SENT, error=why, permanent=True)
    if kind == "idempotency_error" and status in (400, 422):
        return Outcome(OutcomeKind.UNKNOWN, error=why, conflict=True)
    if status == 409:
        wait = _retry_after(headers) or _KEY_IN_USE_SECONDS
        return Outcome(OutcomeKind.UNKNOWN, error=why, retry_after=wait)
    if code in _ELSEWHERE:
        return meaning(read_intent(detail.get("payment_intent")))
    if status == 404 and not str(detail.get("param") or "").startswith(("payment_method", "customer")):
        return Outcome(OutcomeKind.UNKNOWN, error=why)  # That it is not found proves nothing.
    if status in (400, 404):
        return Outcome(OutcomeKind.DECLINED, decline=rejection_of(detail), error=why)
    return Outcome(OutcomeKind.UNKNOWN, error=why)


def _why_refused(status: int, detail: Mapping[str, Any]) -> str:
    # The provider's sentence may name the method that was refused; histories and stores must not learn it.
    return redact_text(
        f"{status} {detail.get('type') or ''} {detail.get('code') or ''}: {detail.get('message')}"
    )


def _of_decline(detail: Mapping[str, Any], why: str, refused_in: Collection[PspStatus]) -> Outcome:
    intent = detail.get("payment_intent")
    seen = None if intent is None else read_intent(intent)
    if seen is not None and seen.status not in refused_in:
        return Outcome(
            OutcomeKind.UNKNOWN, object=seen, error=f"a refusal that says {seen.status}: {why}"[:500]
        )
    return Outcome(OutcomeKind.DECLINED, object=seen, decline=decline_of(detail), error=why)


def _retry_after(headers: Mapping[str, Any]) -> float | None:
    """Read Retry-After: seconds or a date; nonsense is as good as nothing."""
    text = str(headers.get("retry-after") or "")
    if text.isascii() and text.isdigit():
        seconds: float = int(text[:9])
    else:
        try:
            when = parsedate_to_datetime(text)
        except ValueError:
            return None
        seconds = ((when if when.tzinfo else when.replace(tzinfo=UTC)) - clock.now()).total_seconds()
    return min(max(seconds, 0.0), _LONGEST_WAIT)


def _why(seen: PspObject) -> str:
    return "declined" if seen.decline is None else f"declined: {seen.decline.decline_code}"


def _words(error: Exception) -> str:
    return redact_text(f"{type(error).__name__}: {error}")
