"""The drain that copies the feed into the event stream: in its order, at least once, one publisher at a time.

It is apart from the relay and from deliveries: a broker that is away delays the stream and nothing else.
"""

import time
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from uuid import UUID

import structlog
from django.conf import settings

from core.alerts import raise_alert
from core.drain import Drain
from core.failpoints import failpoint
from core.transactions import at_edge
from events.models import StreamPosition
from events.streams import positions
from events.streams.brokers import OFF, Broker, BrokerAway, OutOfStep, open_broker
from events.streams.entries import StreamEntry
from events.streams.positions import PositionLost, Turn
from events.types import EventData
from merchants.selectors import get_merchant

__all__ = ["StreamDrain"]

log = structlog.get_logger(__name__)
BATCH = 500
_KNOWN_MERCHANTS = 10_000


class StreamDrain(Drain):
    """Beat starts it every second; nobody nudges it, because whole seconds make whole batches."""

    name = "stream"
    model = StreamPosition

    def due_sql(self) -> str:
        """Nothing: which events wait for the stream depends on where it is (see events.metrics)."""
        return ""

    def run(self, *, seconds: float = 5.0) -> int:
        """Publish until nothing is left or the time is over; return how many events were acknowledged.

        The time is short: what fills a new stream with an old history must not keep deliveries waiting.
        """
        if settings.EVENT_STREAM == OFF:
            return 0
        name = settings.EVENT_STREAM
        # A second without events costs a read and no write.
        turn = at_edge(positions.claim)(name=name) if positions.has_work(name=name) else None
        if turn is None:
            return 0
        return _Publishing(turn).run(time.monotonic() + seconds)


class _Publishing:
    """One turn. `done` events were acknowledged so far."""

    def __init__(self, turn: Turn) -> None:
        self.turn, self.done = turn, 0

    def run(self, deadline: float) -> int:
        try:
            self._publish(open_broker(), deadline)
            at_edge(positions.give_back)(turn=self.turn)
        except (BrokerAway, OutOfStep) as error:
            log.warning("event stream: not published", stream=self.turn.name, error=str(error))
            self._put_off(error)
        except PositionLost:
            log.warning("event stream: another publisher took over", stream=self.turn.name)
        return self.done

    def _publish(self, broker: Broker, deadline: float) -> None:
        if self.turn.starts_anew:
            broker.empty()
            at_edge(positions.started_anew)(turn=self.turn)
        is_checked = self.turn.starts_anew
        while time.monotonic() < deadline:
            entries = _entries(self.turn.published_seq)
            if not entries:
                return
            if not is_checked:
                self._check(broker)
                is_checked = True
            failpoint("stream.before")
            broker.publish(entries)
            failpoint("stream.sent")
            at_edge(positions.advance)(turn=self.turn, published_seq=entries[-1].place)
            self.turn = replace(self.turn, published_seq=entries[-1].place)
            self.done += len(entries)

    def _check(self, broker: Broker) -> None:
        """Tell people when the broker has lost the stream; what is new is published all the same."""
        place = self.turn.published_seq
        if place and not broker.holds(place):
            at_edge(raise_alert)(
                positions.LOST,
                subject=positions.subject_of(self.turn.name),
                summary=f"The stream does not reach {place}, which was published: it has lost entries.",
                detail={"published_seq": place},
            )

    def _put_off(self, error: Exception) -> None:
        try:
            at_edge(positions.put_off)(turn=self.turn, error=str(error))
        except PositionLost:
            log.warning("event stream: another publisher took over", stream=self.turn.name)


def _entries(after: int) -> list[StreamEntry]:
    return list(_linked(positions.events_after(published_seq=after, limit=BATCH), after))


def _linked(events: Iterable[EventData], previous: int) -> Iterable[StreamEntry]:
    for event in events:
        mode = _mode(event.merchant_id) if event.merchant_id else ""
        entry = StreamEntry(event, mode, previous)
        yield entry
        previous = entry.place


@lru_cache(maxsize=_KNOWN_MERCHANTS)
def _mode(merchant_id: UUID) -> str:
    """A merchant never changes its mode."""
    return get_merchant(merchant_id=merchant_id).mode
