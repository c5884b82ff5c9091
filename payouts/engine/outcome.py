"""How a call about a batch ended, and everything that follows from it: in one commit."""

from collections.abc import Sequence

from core.failpoints import failpoint
from core.history import Changes
from core.transactions import requires_transaction
from payouts.engine.gates import closed_gate, look_around
from payouts.engine.locks import BatchScope
from payouts.engine.looks import next_look, next_sending, postpone
from payouts.engine.news import ENDED, Postings, apply_news, doubt, not_sent, refuse
from payouts.models import PayoutAttempt, PayoutBatch
from payouts.providers.contract import BatchKind, BatchOutcome, News, NewsKind, PayoutFailure

__all__ = ["apply_outcome", "close_if_ended"]

_REFUSED = PayoutFailure("payout_refused", "The bank refused the payout.")
_STOPPED = PayoutFailure("payout_stopped", "The payout was stopped before anything was sent.")


@requires_transaction
def apply_outcome(scope: BatchScope, outcome: BatchOutcome, changes: Changes, *, asked: bool) -> bool:
    """Record how sending a locked batch, or asking about it, ended; say whether it may be sent again at once.

    That is so only where the provider proves that it never had it, and then under the same references. A
    question that did not arrive says nothing about the batch.
    """
    kind = BatchKind.UNKNOWN if asked and outcome.kind is BatchKind.NOT_SENT else outcome.kind
    postings = Postings()
    is_news = _tell(scope, outcome.news, changes, postings)
    again = False
    if kind is BatchKind.TAKEN:
        _taken(scope, outcome, changes, postings, is_news=is_news)
    elif kind is BatchKind.REFUSED:
        _refused(scope, outcome, changes, postings)
    elif kind is BatchKind.NOT_SENT and all(each.status == "SENT" for each in _waiting(scope)):
        _not_sent(scope, outcome, changes)
    elif kind is BatchKind.ABSENT and scope.batch.status == "UNKNOWN" and _all_unknown(scope):
        again = _absent(scope, changes, postings)
    else:
        _unknown(scope, outcome, changes, is_news=is_news)
    postings.give_to(changes)
    close_if_ended(scope.batch, scope.attempts, changes)
    return again


def close_if_ended(batch: PayoutBatch, attempts: Sequence[PayoutAttempt], changes: Changes) -> None:
    """Close a locked batch when the provider has told of every payout in it.

    `attempts` are those that the caller may have changed; the others are as the database has them, because
    nobody changes one without the lock of its batch.
    """
    if batch.status not in ("SUBMITTED", "REFUSED") or any(each.status not in ENDED for each in attempts):
        return
    others = PayoutAttempt.objects.filter(batch_id=batch.id).exclude(pk__in=[each.pk for each in attempts])
    if not others.exclude(status__in=ENDED).exists():
        changes.move(batch, batch.to_closed, why="every payout in it has ended")


def _tell(scope: BatchScope, news: Sequence[News], changes: Changes, postings: Postings) -> bool:
    by_reference = {each.reference: each for each in scope.attempts}
    is_new = False
    for each in news:
        attempt = by_reference.get(each.reference)
        if attempt is not None and each.kind is not NewsKind.UNKNOWN:
            is_new |= apply_news(attempt, each, changes, postings)
            failpoint(f"payouts.outcome_row.{attempt.position}")
    return is_new


def _waiting(scope: BatchScope) -> list[PayoutAttempt]:
    return [each for each in scope.attempts if each.status in ("SENT", "UNKNOWN", "ACCEPTED")]


def _all_unknown(scope: BatchScope) -> bool:
    """Whether nobody has said anything of any of them: else the provider has the batch, whatever it says."""
    return all(each.status in ("UNKNOWN", "CANCELED", "REFUSED") for each in scope.attempts)


def _taken(
    scope: BatchScope, outcome: BatchOutcome, changes: Changes, postings: Postings, *, is_news: bool
) -> None:
    """The provider has all of it: what it said nothing else of, it has accepted."""
    told = {each.reference for each in outcome.news}
    for attempt in scope.attempts:
        if attempt.status not in ("SENT", "UNKNOWN"):
            continue
        if attempt.reference in told:
            doubt(attempt, changes, why="the provider does not know yet, or contradicts us")
        else:
            news = News(reference=attempt.reference, kind=NewsKind.ACCEPTED)
            is_news |= apply_news(attempt, news, changes, postings)
    batch = scope.batch
    if batch.status == "SUBMITTED":
        postpone(batch, error="", is_news=is_news)
        return
    changes.move(
        batch,
        batch.to_submitted,
        why="the provider has it",
        due_at=next_look(batch),
        provider_reference=outcome.provider_reference,
    )


def _refused(scope: BatchScope, outcome: BatchOutcome, changes: Changes, postings: Postings) -> None:
    failure = outcome.failure or _REFUSED
    for attempt in _waiting(scope):
        refuse(attempt, failure, changes, postings)
    batch, why = scope.batch, outcome.error or failure.message
    if batch.status in ("SUBMITTING", "UNKNOWN", "SUBMITTED"):
        changes.move(batch, batch.to_refused, why=why, error=why)


def _not_sent(scope: BatchScope, outcome: BatchOutcome, changes: Changes) -> None:
    batch, why = scope.batch, outcome.error or "it provably never arrived"
    for attempt in _waiting(scope):
        not_sent(attempt, changes, why=why)
    changes.move(batch, batch.to_not_sent, why=why, error=why, due_at=next_sending(batch))


def _absent(scope: BatchScope, changes: Changes, postings: Postings) -> bool:
    """Nothing was sent, for certain: what may still leave does so, under the same references."""
    around = look_around([each.payout for each in scope.attempts])
    for attempt in _waiting(scope):
        gate = closed_gate(attempt.payout, around)
        if gate is not None:
            refuse(attempt, _STOPPED, changes, postings, never_sent=True)
    if _waiting(scope):
        return True
    batch, why = scope.batch, "nothing of it may leave any more"
    changes.move(batch, batch.to_refused, why=why, error=why, is_empty=True)
    return False


def _unknown(scope: BatchScope, outcome: BatchOutcome, changes: Changes, *, is_news: bool) -> None:
    batch, why = scope.batch, outcome.error or "no trustworthy answer"
    for attempt in _waiting(scope):
        doubt(attempt, changes, why=why)
    if batch.status == "SUBMITTING":
        changes.move(batch, batch.to_unknown, why=why, error=why, due_at=next_look(batch))
    elif batch.status in ("UNKNOWN", "SUBMITTED"):  # An answer may come late to one that has ended.
        postpone(batch, error=why, is_news=is_news)
