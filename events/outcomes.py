"""What a lane's answers mean for the deliveries and their endpoint."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q

from core import clock
from core.drain import Claim
from core.history import Changes
from core.rows import insert_rows
from core.transactions import at_edge
from events import locks
from events.models import DeliveryAttempt, WebhookDelivery, WebhookEndpoint
from events.notices import FAILING, GONE, endpoint_fact, tell_people
from events.schedule import TRIES, next_pause
from events.sender import Answer

__all__ = ["Try", "cancel_abandoned", "record"]

_GONE = 410
_SUCCESS_NOTED_EVERY = timedelta(minutes=1)
_CANCEL_BATCH = 500


@dataclass(frozen=True)
class Try:
    """One claimed delivery and what came of it; `answer` is None when the lane had no time left for it."""

    claim: Claim
    at: datetime
    answer: Answer | None

    @property
    def is_success(self) -> bool:
        """The endpoint answered 2xx."""
        return self.answer is not None and self.answer.status is not None and self.answer.status // 100 == 2

    @property
    def is_gone(self) -> bool:
        """The endpoint says that it does not want any further event."""
        return self.answer is not None and self.answer.status == _GONE

    @property
    def is_last(self) -> bool:
        """There is no further try after this one."""
        return self.answer is not None and self.claim.attempts + 1 >= TRIES


@at_edge
def record(*, endpoint_id: UUID, tries: Sequence[Try]) -> None:
    """Append every try; move the deliveries that are still ours; pause or disable the endpoint.

    A delivery that was claimed again meanwhile keeps its state: its new owner decides. The try happened
    all the same and stays as evidence.
    """
    now = clock.now()
    endpoint = None
    if any(each.is_gone or (each.is_last and not each.is_success) for each in tries):
        endpoint = locks.lock_endpoint(endpoint_id=endpoint_id)
    elif any(each.is_success for each in tries):
        _note_success(endpoint_id, now)
    rows = locks.lock_deliveries(ids=[each.claim.id for each in tries])
    changes = Changes()
    for each in tries:
        row = rows[each.claim.id]
        if row.fence == each.claim.fence and row.status == "PENDING":
            _settle(changes, row, each, now)
    insert_rows(
        [_attempt(rows[each.claim.id], each, each.answer) for each in tries if each.answer is not None]
    )
    if endpoint is not None:
        _judge(changes, endpoint, [(rows[each.claim.id], each) for each in tries], now)
    changes.save()


def cancel_abandoned(*, until: float) -> int:
    """Cancel what waits for disabled endpoints, until that moment of the monotonic clock; return how many."""
    canceled = 0
    while time.monotonic() < until:
        count = _cancel_batch()
        canceled += count
        if count < _CANCEL_BATCH:
            break
    return canceled


@at_edge
def _cancel_batch() -> int:
    rows = locks.lock_abandoned_deliveries(limit=_CANCEL_BATCH)
    changes = Changes()
    for row in rows:
        changes.move(row, row.to_canceled, why="the endpoint is disabled", finished_at=clock.now())
    changes.save()
    return len(rows)


def _settle(changes: Changes, row: WebhookDelivery, each: Try, now: datetime) -> None:
    if each.answer is None:
        row.leased_until = None
        row.save(update_fields=["leased_until"])
        return
    if each.is_success:
        changes.move(row, row.to_delivered, why=f"answered {each.answer.status}", finished_at=now)
        return
    pause = None
    if not each.is_gone:
        pause = next_pause(failures=row.attempts + 1, retry_after=each.answer.retry_after, now=now)
    if pause is None:
        changes.move(row, row.to_failed, why=each.answer.error, finished_at=now)
        return
    row.attempts += 1
    row.due_at, row.leased_until = now + pause, None
    row.save(update_fields=["attempts", "due_at", "leased_until"])


def _attempt(row: WebhookDelivery, each: Try, answer: Answer) -> DeliveryAttempt:
    return DeliveryAttempt(
        merchant_id=row.merchant_id,
        delivery_id=row.pk,
        number=row.earlier_attempts + each.claim.attempts + 1,
        http_status=answer.status,
        duration_ms=answer.duration_ms,
        body=answer.excerpt,
        error=answer.error,
        at=each.at,
    )


def _judge(
    changes: Changes,
    endpoint: WebhookEndpoint,
    tried: Sequence[tuple[WebhookDelivery, Try]],
    now: datetime,
) -> None:
    """Disable an endpoint that is gone; pause one that took nothing for as long as a delivery was tried."""
    if any(each.is_gone for _, each in tried):
        if endpoint.status != "DISABLED":
            fact = endpoint_fact(endpoint, "disabled")
            changes.move(endpoint, endpoint.to_disabled, why="answered 410", fact=fact)
            tell_people(endpoint, GONE, "answered 410 and was disabled")
        return
    if any(each.is_success for _, each in tried):
        _note_success(endpoint.pk, now)
        return
    oldest = min(row.begun_at for row, each in tried if each.is_last)
    if endpoint.status == "ENABLED" and (endpoint.last_success_at or oldest) <= oldest:
        fact = endpoint_fact(endpoint, "paused")
        changes.move(endpoint, endpoint.to_paused, why=f"took nothing in {TRIES} tries", fact=fact)
        tell_people(endpoint, FAILING, f"took nothing in {TRIES} tries and was paused")


def _note_success(endpoint_id: UUID, now: datetime) -> None:
    unknown_or_old = Q(last_success_at=None) | Q(last_success_at__lt=now - _SUCCESS_NOTED_EVERY)
    WebhookEndpoint.objects.filter(unknown_or_old, pk=endpoint_id).update(last_success_at=now)
