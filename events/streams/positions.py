"""How far the feed was copied into a stream: claimed by one publisher, moved when the broker acknowledged."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Max
from django.db.models.functions import Now

from core import clock
from core.alerts import end_alert
from core.audit_trail import record_audit, required_reason
from core.models import OutboxEvent
from core.retry import Retry, Strategy
from core.transactions import requires_transaction
from events import locks
from events.facts import event_data
from events.models import StreamPosition
from events.types import EventData

__all__ = [
    "LOST",
    "PositionLost",
    "Turn",
    "advance",
    "claim",
    "events_after",
    "give_back",
    "has_work",
    "oldest_waiting",
    "put_off",
    "republish",
    "started_anew",
    "subject_of",
]

LOST = "event_stream_lost"
# Longer than any send of a batch takes; a publisher that was killed holds the stream up for so long.
LEASE_SECONDS = 30
_RETRY = Retry(Strategy.EXPONENTIAL, base=1.0, cap=60.0, limit=2**31)
_ERROR_MAX = 300


class PositionLost(Exception):
    """Another publisher took over, because our lease ended before our work did."""


@dataclass(frozen=True)
class Turn:
    """The right to publish from a place on, until the lease ends."""

    name: str
    fence: int
    published_seq: int
    starts_anew: bool


def subject_of(name: str) -> str:
    """Return what the alerts and the audit trail call a stream."""
    return f"stream:{name}"


@requires_transaction
def claim(*, name: str) -> Turn | None:
    """Take the turn to publish; None while another publisher has it, and in the pause after a failure."""
    row = locks.claim_stream(name=name, now=clock.now(), lease_seconds=LEASE_SECONDS)
    return Turn(name, row.fence, row.published_seq, row.starts_anew) if row else None


@requires_transaction
def advance(*, turn: Turn, published_seq: int) -> None:
    """Note what the broker acknowledged, and keep the turn. Raises PositionLost."""
    _write(
        turn,
        published_seq=published_seq,
        leased_until=Now() + timedelta(seconds=LEASE_SECONDS),
        attempts=0,
        error="",
        moved_at=clock.now(),
    )


@requires_transaction
def started_anew(*, turn: Turn) -> None:
    """Note that the stream was emptied as somebody asked, and keep the turn. Raises PositionLost."""
    _write(turn, starts_anew=False, leased_until=Now() + timedelta(seconds=LEASE_SECONDS))


@requires_transaction
def give_back(*, turn: Turn) -> None:
    """End the turn: there is nothing to publish, or no time. Raises PositionLost."""
    _write(turn, leased_until=None)


@requires_transaction
def put_off(*, turn: Turn, error: str) -> None:
    """End the turn after a failure: the next try comes after a pause that grows. Raises PositionLost."""
    row = locks.lock_stream(name=turn.name)
    attempts = row.attempts + 1
    pause = _RETRY.pause(attempts)
    assert pause is not None, "it is tried for ever"
    _write(turn, leased_until=None, attempts=attempts, due_at=clock.now() + pause, error=error[:_ERROR_MAX])


@requires_transaction
def republish(*, name: str, from_seq: int, actor: str, reason: str) -> int:
    """Have a stream emptied and filled again with every event from this place of the feed on.

    Returns the place that it goes on behind. A publisher that is at it loses its turn. Kafka forgets nothing:
    its topic gets the events once more. Written to the audit trail. Errors: ReasonRequired, NotFound (nothing
    was ever published to the stream).
    """
    reason = required_reason(reason)
    row = locks.lock_stream(name=name)
    before = OutboxEvent.objects.filter(published_seq__lt=from_seq).aggregate(last=Max("published_seq"))
    was, row.published_seq = row.published_seq, before["last"] or 0
    row.starts_anew, row.leased_until, row.due_at = True, None, clock.now()
    row.fence, row.attempts, row.error = row.fence + 1, 0, ""
    row.save()
    record_audit(
        actor=actor,
        action="event_stream.republish",
        subject=subject_of(name),
        reason=reason,
        detail={"from": from_seq, "was_at": was},
    )
    end_alert(LOST, subject=subject_of(name), resolution="The stream is filled again.")
    return row.published_seq


def events_after(*, published_seq: int, limit: int) -> list[EventData]:
    """Return the next events of the feed, of every merchant, in its order.

    Nothing appears behind what was read: places are given under one lock, and seen when they are committed.
    """
    rows = OutboxEvent.objects.filter(published_seq__gt=published_seq).order_by("published_seq")
    return [event_data(row) for row in rows[:limit]]


def has_work(*, name: str) -> bool:
    """Say whether anything waits for a stream: events, or a request to begin anew."""
    row = StreamPosition.objects.filter(pk=name).first() or StreamPosition(name=name)
    return row.starts_anew or OutboxEvent.objects.filter(published_seq__gt=row.published_seq).exists()


def oldest_waiting(*, name: str) -> tuple[datetime, str] | None:
    """Return since when the oldest event waits for a stream, and the last failure; None if none waits."""
    row = StreamPosition.objects.filter(pk=name).first() or StreamPosition(name=name)
    waiting = OutboxEvent.objects.filter(published_seq__gt=row.published_seq).order_by("published_seq")
    since = waiting.values_list("recorded_at", flat=True).first()
    return (since, row.error) if since else None


def _write(turn: Turn, **columns: object) -> None:
    held = StreamPosition.objects.filter(pk=turn.name, fence=turn.fence)
    if not held.update(**columns):
        raise PositionLost(turn.name)
