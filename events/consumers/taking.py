"""How a consumer takes events exactly once: the effect and the memory of it are one commit.

The stream makes it quick, the feed makes it complete. What comes over the stream is remembered by the event's
id, so a repeat changes nothing. Now and then the consumer settles: it reads the feed, takes what the stream
never brought (it may have been lost), and forgets the single ids, because everything up to there is taken.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol
from uuid import UUID

import structlog
from django.db import InterfaceError, OperationalError, transaction

from core import clock
from core.audit_trail import record_audit, required_reason
from core.dead_letters import bury, drop
from core.models import DeadLetter, OutboxEvent
from core.transactions import requires_transaction
from events import locks
from events.facts import event_data
from events.models import ConsumedEvent, StreamConsumer
from events.streams.positions import events_after
from events.types import EventData

__all__ = [
    "Consumer",
    "Settled",
    "begin_again",
    "consumers",
    "get_consumer",
    "queue_of",
    "register_consumer",
    "replay_event",
    "settle_portion",
    "take",
]

log = structlog.get_logger(__name__)
# Other readers of the consumer wait for a portion, and no longer than the lock time-out.
PORTION = 200
_CONSUMERS: dict[str, "Consumer"] = {}


class Consumer(Protocol):
    """What somebody wants of events. Both methods run inside the transaction that remembers the event."""

    name: ClassVar[str]
    types: ClassVar[frozenset[str]]

    def apply(self, event: EventData) -> None:
        """Do what the event means. Whatever it raises hands the event to a person as a dead letter."""

    def forget(self) -> None:
        """Undo the effect of all events, because they are about to be taken again from the first."""


@dataclass(frozen=True)
class Settled:
    """How far a consumer is complete, and how many events the stream had not brought it."""

    published_seq: int
    missed: int
    is_complete: bool


def register_consumer(consumer: Consumer) -> None:
    """Make a consumer known; apps call it in `ready()`. Raises ValueError for a name that is taken."""
    if _CONSUMERS.setdefault(consumer.name, consumer) is not consumer:
        raise ValueError(f"two consumers are called {consumer.name}")


def consumers() -> list[str]:
    """Return the names of all consumers."""
    return sorted(_CONSUMERS)


def get_consumer(name: str) -> Consumer:
    """Return a consumer. Raises KeyError for an unknown name."""
    return _CONSUMERS[name]


@requires_transaction
def take(*, consumer: Consumer, events: Iterable[EventData]) -> int:
    """Apply those of the events that the consumer wants and has not taken; return how many."""
    wanted = [event for event in events if event.type in consumer.types]
    if not wanted:
        return 0
    position = locks.lock_consumer(name=consumer.name)
    new = _not_taken(position, wanted)
    ConsumedEvent.objects.bulk_create(
        ConsumedEvent(consumer=position, event_id=event.id, published_seq=event.published_seq or 0)
        for event in new
    )
    _apply_all(consumer, new)
    return len(new)


@requires_transaction
def settle_portion(*, consumer: Consumer) -> Settled:
    """Take those of the next events of the feed that the stream did not bring; be complete up to there."""
    position = locks.lock_consumer(name=consumer.name)
    events = events_after(published_seq=position.settled_seq, limit=PORTION)
    missed = _not_taken(position, [event for event in events if event.type in consumer.types])
    _apply_all(consumer, missed)
    if events:
        position.settled_seq = events[-1].published_seq or position.settled_seq
        ConsumedEvent.objects.filter(consumer=position, published_seq__lte=position.settled_seq).delete()
    is_complete = len(events) < PORTION
    if is_complete:
        position.settled_at = clock.now()
    position.save(update_fields=["settled_seq", "settled_at"])
    return Settled(position.settled_seq, len(missed), is_complete)


@requires_transaction
def begin_again(*, consumer: Consumer, actor: str, reason: str) -> None:
    """Forget everything that was taken; settling then takes the whole feed anew. Errors: ReasonRequired.

    What the consumer shows is incomplete until that is done. Its dead letters are dropped, because their
    events are taken again as well. Written to the audit trail.
    """
    reason = required_reason(reason)
    position = locks.lock_consumer(name=consumer.name)
    for letter in DeadLetter.objects.filter(queue=queue_of(consumer), status="OPEN"):
        drop(dead_letter_id=letter.pk, actor=actor, reason=reason)
    consumer.forget()
    ConsumedEvent.objects.filter(consumer=position).delete()
    was, position.settled_seq, position.settled_at = position.settled_seq, 0, None
    position.save(update_fields=["settled_seq", "settled_at"])
    record_audit(
        actor=actor,
        action="event_consumer.rebuild",
        subject=f"consumer:{consumer.name}",
        reason=reason,
        detail={"was_at": was},
    )


@requires_transaction
def replay_event(letter: DeadLetter) -> None:
    """Apply an event that a person sends back after applying it had failed."""
    consumer = get_consumer(letter.queue.partition(":")[2])
    locks.lock_consumer(name=consumer.name)
    consumer.apply(event_data(OutboxEvent.objects.get(pk=letter.detail["event_id"])))


def queue_of(consumer: Consumer) -> str:
    """Return the queue under which a consumer's dead letters are shown."""
    return f"consumer:{consumer.name}"


def _not_taken(position: StreamConsumer, events: Sequence[EventData]) -> list[EventData]:
    """Return the events that the consumer has not taken, each once."""
    mine = ConsumedEvent.objects.filter(consumer=position, event_id__in=[event.id for event in events])
    taken = set(mine.values_list("event_id", flat=True))
    new: dict[UUID, EventData] = {}
    for event in events:
        if event.id not in taken and (event.published_seq or 0) > position.settled_seq:
            new.setdefault(event.id, event)
    return list(new.values())


def _apply_all(consumer: Consumer, events: Sequence[EventData]) -> None:
    """Apply them together, and when one of them fails, each by itself: a good portion costs one savepoint."""
    try:
        with transaction.atomic():
            for event in events:
                consumer.apply(event)
    except (OperationalError, InterfaceError):
        raise  # The database is in trouble, not the event: the whole portion is tried again.
    except Exception as error:
        log.warning("consumer: one of a portion fails", consumer=consumer.name, error=type(error).__name__)
        for event in events:
            _apply(consumer, event)


def _apply(consumer: Consumer, event: EventData) -> None:
    try:
        with transaction.atomic():
            consumer.apply(event)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        # What cannot be applied now cannot be applied the next time either, and must not stop the others.
        bury(
            queue=queue_of(consumer),
            subject=event.public_id,
            error=f"{type(error).__name__}: {error}",
            attempts=1,
            detail={"event_id": str(event.id), "type": event.type},
            merchant_id=event.merchant_id,
        )
