"""A provider says something of a payout that cannot be: nothing is posted, and a person looks at it."""

from datetime import timedelta

from core.alerts import Alert, raise_alert
from core.money import format_minor
from core.transactions import requires_transaction
from payouts.models import Payout, PayoutAttempt
from payouts.providers.contract import News, NewsKind

__all__ = ["CONFLICT", "CONFLICT_ALERT", "UNKNOWN_REFERENCE", "difference", "raise_conflict"]

CONFLICT = "payout_conflict"
UNKNOWN_REFERENCE = "payout_unknown_reference"
CONFLICT_ALERT = (
    Alert(
        CONFLICT,
        "A provider contradicts us about a payout",
        "Nothing is posted for it until a person has looked: money may have left that we know nothing of.",
        timedelta(hours=4),
        severity="critical",
    ),
    Alert(
        UNKNOWN_REFERENCE,
        "A provider tells of a payout that we never sent",
        "Somebody else may be paying out of the account.",
        timedelta(hours=1),
        severity="critical",
    ),
)
_NEVER_AFTER = {
    "PAID": (NewsKind.REFUSED,),
    "RETURNED": (NewsKind.REFUSED,),
    "REFUSED": (NewsKind.ACCEPTED, NewsKind.PAID, NewsKind.RETURNED),
    "CANCELED": (NewsKind.ACCEPTED, NewsKind.PAID, NewsKind.RETURNED),
    "CREATED": (NewsKind.ACCEPTED, NewsKind.PAID, NewsKind.RETURNED, NewsKind.REFUSED),
    "NOT_SENT": (NewsKind.ACCEPTED, NewsKind.PAID, NewsKind.RETURNED, NewsKind.REFUSED),
}


def difference(attempt: PayoutAttempt, news: News) -> str:
    """Return in what the provider's word differs from ours, or what cannot follow; empty if in nothing."""
    payout = attempt.payout
    if news.amount_minor is not None and news.amount_minor != payout.amount_minor:
        return f"it says {news.amount_minor} minor units"
    if news.currency is not None and news.currency.upper() != payout.currency:
        return f"it says {news.currency}"
    if news.provider_reference and attempt.provider_reference not in (None, news.provider_reference):
        return f"it was {attempt.provider_reference} and is now {news.provider_reference}"
    if news.kind in _NEVER_AFTER.get(attempt.status, ()) and not _is_of_before(attempt, news):
        return f"it says {news.kind} of what is {attempt.status}"
    if news.provider_reference and attempt.provider_reference is None and _is_taken(attempt, news):
        return f"{news.provider_reference} is the reference of another payout"
    return ""


@requires_transaction
def raise_conflict(payout: Payout, attempt: PayoutAttempt, news: News, *, differs: str) -> None:
    """Open the case of a payout about which the provider contradicts us, with what is at risk."""
    amount = f"{format_minor(payout.amount_minor, payout.currency)} {payout.currency}"
    raise_alert(
        CONFLICT,
        subject=payout.public_id,
        summary=f"Payout of {amount}: {differs}",
        detail={
            "payout_id": str(payout.id),
            "reference": attempt.reference,
            "said": str(news.kind),
            "provider_reference": news.provider_reference,
            "amount_minor": news.amount_minor,
            "currency": news.currency,
        },
        value_minor=payout.amount_minor,
        currency=payout.currency,
        merchant_id=payout.merchant_id,
    )


def _is_of_before(attempt: PayoutAttempt, news: News) -> bool:
    """Whether it may have been said before the refusal and comes late: what was taken on can be refused."""
    return news.kind is NewsKind.ACCEPTED and attempt.status == "REFUSED" and attempt.sent_at is not None


def _is_taken(attempt: PayoutAttempt, news: News) -> bool:
    others = PayoutAttempt.objects.filter(
        merchant_id=attempt.merchant_id, provider_reference=news.provider_reference
    )
    return others.exclude(pk=attempt.pk).exists()
