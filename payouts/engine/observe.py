"""News of payouts that nobody asked for: callbacks of providers, lines of the bank, people."""

from datetime import datetime
from uuid import UUID

from channels.selectors import get_channel
from core.alerts import raise_alert
from core.errors import NotFound
from core.history import SYSTEM, Changes
from core.ids import parse_public_id
from core.transactions import requires_transaction
from events.types import InboundEvent
from payouts.engine.conflicts import UNKNOWN_REFERENCE
from payouts.engine.locks import lock_one_sending
from payouts.engine.news import Postings, apply_news
from payouts.engine.outcome import close_if_ended
from payouts.models import Payout, PayoutAttempt
from payouts.providers.contract import News, NewsKind, PayoutFailure, provider_for

__all__ = ["on_payout_event", "record_paid", "record_return"]


@requires_transaction
def on_payout_event(*, delivery: InboundEvent) -> None:
    """Apply a verified callback of a provider; any number of times and in any order.

    A sending is stored before it leaves, so that what is told of another one is not ours: a case is opened.
    """
    channel = get_channel(channel_id=delivery.channel_id)
    for news in provider_for(delivery.provider).read(channel, delivery.payload):
        found = PayoutAttempt.objects.filter(merchant_id=delivery.merchant_id, reference=news.reference)
        attempt = found.filter(batch__channel_id=delivery.channel_id).first()
        if attempt is None:
            _unknown(delivery, news)
        else:
            _apply(attempt, news, by=f"psp:{channel.name}")


@requires_transaction
def record_paid(
    *,
    merchant_id: UUID,
    reference: str,
    amount_minor: int | None = None,
    currency: str | None = None,
    at: datetime | None = None,
    by: str = SYSTEM,
) -> Payout:
    """Note that there is evidence that a payout was paid: a line of the bank, or a person who has seen it.

    `reference` is the payout's po_… id, the reference of one of its sendings, or the provider's. Posts
    nothing but what sending it should have posted. Raises NotFound.
    """
    news = News(
        reference="", kind=NewsKind.PAID, amount_minor=amount_minor, currency=currency, occurred_at=at
    )
    return _record(merchant_id, reference, news, by=by)


@requires_transaction
def record_return(
    *,
    merchant_id: UUID,
    reference: str,
    code: str = "payout_returned",
    message: str = "The bank sent the money back.",
    provider_code: str = "",
    is_of_destination: bool = False,
    amount_minor: int | None = None,
    currency: str | None = None,
    at: datetime | None = None,
    by: str = SYSTEM,
) -> Payout:
    """Note that the money of a payout came back: the seller has it again, less the fee of the policy (O6b).

    `reference` as in `record_paid`. Again it changes nothing. Raises NotFound.
    """
    failure = PayoutFailure(code, message, provider_code, is_of_destination)
    news = News(
        reference="",
        kind=NewsKind.RETURNED,
        amount_minor=amount_minor,
        currency=currency,
        failure=failure,
        occurred_at=at,
    )
    return _record(merchant_id, reference, news, by=by)


def _record(merchant_id: UUID, reference: str, news: News, *, by: str) -> Payout:
    attempt = _find(merchant_id, reference)
    if attempt is None:
        raise NotFound()
    return _apply(attempt, news, by=by)


def _find(merchant_id: UUID, reference: str) -> PayoutAttempt | None:
    mine = PayoutAttempt.objects.filter(merchant_id=merchant_id)
    if payout_id := parse_public_id(reference, "po"):
        return mine.filter(payout_id=payout_id).order_by("-pk").first()
    return mine.filter(reference=reference).first() or mine.filter(provider_reference=reference).first()


def _apply(attempt: PayoutAttempt, news: News, *, by: str) -> Payout:
    scope = lock_one_sending(attempt=attempt)
    [locked] = scope.attempts
    changes, postings = Changes(), Postings()
    apply_news(locked, news, changes, postings, by=by)
    postings.give_to(changes)
    close_if_ended(scope.batch, scope.attempts, changes)
    changes.save()
    return locked.payout


def _unknown(delivery: InboundEvent, news: News) -> None:
    raise_alert(
        UNKNOWN_REFERENCE,
        subject=f"{delivery.channel_id}:{news.reference}"[:80],
        summary=f"{delivery.provider} tells of {news.reference}, which we never sent: {news.kind}",
        detail={"event_id": str(delivery.id), "reference": news.reference, "said": str(news.kind)},
        value_minor=news.amount_minor,
        currency=news.currency or "",
        merchant_id=delivery.merchant_id,
    )
