"""What a provider says of one payout, from whichever mouth: an answer, a callback, a report or a person.

Ranks make the order in which it comes indifferent: what is paid was accepted, what came back was paid; what
comes late and is less than what is known changes nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from core import clock
from core.errors import InvalidState
from core.history import SYSTEM, Changes
from core.transactions import requires_transaction
from payouts.destinations.deciding import reject_destination
from payouts.engine import books
from payouts.engine.conflicts import difference, raise_conflict
from payouts.engine.facts import payout_fact
from payouts.models import Payout, PayoutAttempt
from payouts.policy import policy_of
from payouts.providers.contract import News, NewsKind, PayoutFailure

__all__ = ["ENDED", "Postings", "apply_news", "doubt", "not_sent", "refuse"]

# The provider is asked nothing more about an attempt in one of these; what is paid may still come back.
ENDED = ("PAID", "REFUSED", "RETURNED", "CANCELED")
_REFUSED = PayoutFailure("payout_refused", "The bank refused the payout.")
_RETURNED = PayoutFailure("payout_returned", "The bank sent the money back.")


@dataclass
class Postings:
    """What follows when everything else is written: wallet by wallet, as all who lock wallets do.

    `bad` are the destinations to which nothing more goes, by key, with the merchant and why.
    """

    by_wallet: list[tuple[UUID, UUID, Callable[[], None]]] = field(default_factory=list)
    bad: dict[UUID, tuple[UUID, str]] = field(default_factory=dict)

    def add(self, payout: Payout, post: Callable[[], None]) -> None:
        """Post this for a payout, last."""
        self.by_wallet.append((payout.wallet_id, payout.id, post))

    def give_to(self, changes: Changes) -> None:
        """Have the changes do them last, in order."""
        for destination_id, (merchant_id, why) in sorted(self.bad.items()):
            _reject(merchant_id, destination_id, why)
        for _, _, post in sorted(self.by_wallet, key=lambda each: each[:2]):
            changes.last(post)
        self.by_wallet, self.bad = [], {}


@requires_transaction
def apply_news(
    attempt: PayoutAttempt, news: News, changes: Changes, postings: Postings, *, by: str = SYSTEM
) -> bool:
    """Note what the provider says of a locked attempt and its locked payout; say whether it was new.

    An amount, a currency or a reference that is not ours changes nothing and opens a case.
    """
    payout = attempt.payout
    if differs := difference(attempt, news):
        raise_conflict(payout, attempt, news, differs=differs)
        return False
    before = attempt.status
    if news.kind is NewsKind.REFUSED:
        if before != "REFUSED":
            refuse(attempt, news.failure or _REFUSED, changes, postings, news=news, by=by)
    elif news.kind in (NewsKind.ACCEPTED, NewsKind.PAID, NewsKind.RETURNED):
        _accept(attempt, news, changes, postings, by=by)
        if news.kind is not NewsKind.ACCEPTED:
            _pay(attempt, news, changes, postings, by=by)
        if news.kind is NewsKind.RETURNED:
            _return(attempt, news, changes, postings, by=by)
    return attempt.status != before


def _accept(attempt: PayoutAttempt, news: News, changes: Changes, postings: Postings, *, by: str) -> None:
    payout = attempt.payout
    if attempt.status not in ("SENT", "UNKNOWN"):
        return
    if attempt.status == "UNKNOWN" and news.kind is not NewsKind.ACCEPTED:
        return  # Straight to its end.
    said: dict[str, Any] = {"provider_reference": news.provider_reference, "arrival_date": news.arrival_date}
    changes.move(attempt, attempt.to_accepted, why="the provider has it", by=by, at=news.occurred_at, **said)
    changes.move(
        payout,
        payout.to_sent,
        why="the provider has it",
        by=by,
        at=news.occurred_at,
        fact=payout_fact(payout, "sent"),
        sent_at=attempt.sent_at or clock.now(),
        **said,
    )
    postings.add(payout, lambda: books.post_sent(payout))


def _pay(attempt: PayoutAttempt, news: News, changes: Changes, postings: Postings, *, by: str) -> None:
    payout = attempt.payout
    if attempt.status not in ("UNKNOWN", "ACCEPTED") or (
        news.kind is NewsKind.RETURNED and attempt.status == "ACCEPTED"
    ):
        return
    if payout.status == "UNKNOWN":
        postings.add(payout, lambda: books.post_sent(payout))
    changes.move(
        attempt,
        attempt.to_paid,
        why="the provider says that it is paid",
        by=by,
        at=news.occurred_at,
        provider_reference=news.provider_reference,
    )
    changes.move(
        payout,
        payout.to_paid,
        why="the provider says that it is paid",
        by=by,
        at=news.occurred_at,
        fact=payout_fact(payout, "paid"),
        paid_at=news.occurred_at or clock.now(),
        sent_at=attempt.sent_at or clock.now(),
        provider_reference=news.provider_reference,
    )


def _return(attempt: PayoutAttempt, news: News, changes: Changes, postings: Postings, *, by: str) -> None:
    payout, failure = attempt.payout, news.failure or _RETURNED
    if attempt.status not in ("ACCEPTED", "PAID"):
        return
    policy = policy_of(merchant_id=payout.merchant_id, currency=payout.currency)
    at = news.occurred_at or clock.now()
    changes.move(attempt, attempt.to_returned, why=failure.message, by=by, at=at, failure=_shown(failure))
    changes.move(
        payout,
        payout.to_returned,
        why=failure.message,
        by=by,
        at=at,
        fact=payout_fact(payout, "returned"),
        returned_at=at,
        failure=_shown(failure),
        return_fee_minor=policy.return_fee_of(payout.amount_minor),
    )
    postings.add(payout, lambda: books.post_returned(payout, attempt))
    _judge(payout, failure, postings)


@requires_transaction
def refuse(
    attempt: PayoutAttempt,
    failure: PayoutFailure,
    changes: Changes,
    postings: Postings,
    *,
    news: News | None = None,
    by: str = SYSTEM,
    never_sent: bool = False,
) -> None:
    """Note that an attempt pays nobody, for good: its payout FAILED, and the seller has the money again."""
    payout = attempt.payout
    at = news.occurred_at if news else None
    had_left = payout.status == "SENT"
    changes.move(
        attempt,
        attempt.to_refused,
        why=failure.message,
        by=by,
        at=at,
        failure=_shown(failure),
        provider_reference=news.provider_reference if news else None,
        never_sent=never_sent,
    )
    fact = payout_fact(payout, "failed")
    changes.move(
        payout, payout.to_failed, why=failure.message, by=by, at=at, fact=fact, failure=_shown(failure)
    )
    postings.add(payout, lambda: books.post_rejected(payout) if had_left else books.release(payout, by=by))
    _judge(payout, failure, postings)


def doubt(attempt: PayoutAttempt, changes: Changes, *, why: str) -> None:
    """Note that an attempt was sent and that nobody knows what came of it."""
    payout = attempt.payout
    if attempt.status == "SENT":
        changes.move(attempt, attempt.to_unknown, why=why)
    if payout.status == "EXECUTING":
        changes.move(payout, payout.to_unknown, why=why)


def not_sent(attempt: PayoutAttempt, changes: Changes, *, why: str) -> None:
    """Note that an attempt provably never arrived: it may be sent again, or its payout taken back."""
    payout = attempt.payout
    changes.move(attempt, attempt.to_not_sent, why=why)
    changes.move(payout, payout.to_approved, why=why)


def _judge(payout: Payout, failure: PayoutFailure, postings: Postings) -> None:
    """Where the account itself is bad, nothing more goes there."""
    if failure.is_of_destination:
        postings.bad[payout.destination_id] = (payout.merchant_id, failure.message)


def _reject(merchant_id: UUID, destination_id: UUID, why: str) -> None:
    try:
        reject_destination(
            merchant_id=merchant_id, destination_id=destination_id, by=SYSTEM, reason=f"the bank says: {why}"
        )
    except InvalidState:
        return  # Somebody rejected or removed it before: nothing goes there as it is.


def _shown(failure: PayoutFailure) -> dict[str, Any]:
    return {
        "code": failure.code,
        "message": failure.message,
        "provider_code": failure.provider_code or None,
    }
