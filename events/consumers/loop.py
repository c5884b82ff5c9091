"""A consumer at work: read, take, say that it is done; and settle with the feed now and then."""

import threading
import time

import structlog
from django.db import InterfaceError, OperationalError, close_old_connections

from core.failpoints import failpoint
from core.transactions import at_edge, forbids_transaction
from events.consumers.taking import Consumer, Settled, settle_portion, take
from events.streams.brokers import BrokerAway, Received, StreamReader
from events.streams.entries import UnreadableEntry, read_entry
from events.types import EventData

__all__ = ["Work", "settle"]

log = structlog.get_logger(__name__)
_SETTLE_SECONDS = 60.0
_WAIT_SECONDS = 1.0
_PAUSE_SECONDS = 2.0


@forbids_transaction
def settle(*, consumer: Consumer, stop: threading.Event | None = None) -> int:
    """Make a consumer complete up to the newest event, a portion at a time; return how many it had missed."""
    missed = 0
    while stop is None or not stop.is_set():
        portion: Settled = at_edge(settle_portion)(consumer=consumer)
        missed += portion.missed
        if portion.is_complete:
            break
    return missed


class Work:
    """One process of a consumer, until `stop` is set. Neither the broker nor the database need be there."""

    def __init__(self, consumer: Consumer, reader: StreamReader, stop: threading.Event) -> None:
        self.consumer, self.reader, self.stop = consumer, reader, stop
        self.taken = 0
        self._in_hand: list[Received] = []
        self._settled_at: float | None = None

    def run(self) -> int:
        """Work until told to stop; return how many events were taken."""
        try:
            while not self.stop.is_set():
                self._turn()
        finally:
            self.reader.close()
        return self.taken

    def _turn(self) -> None:
        try:
            self._settle_if_due()
            self.once()
        except (BrokerAway, OperationalError, InterfaceError) as error:
            log.warning("consumer waits", consumer=self.consumer.name, error=str(error))
            self.stop.wait(_PAUSE_SECONDS)
        finally:
            close_old_connections()

    def once(self) -> int:
        """Take what the stream has now, or what could not be taken the last time; return how many entries."""
        self._in_hand = received = self._in_hand or self.reader.read(wait_seconds=_WAIT_SECONDS)
        if received:
            events = [event for each in received if (event := _event(each))]
            failpoint("consumer.received")
            self.taken += at_edge(take)(consumer=self.consumer, events=events)
            failpoint("consumer.taken")
            self.reader.done(received)
        self._in_hand = []
        return len(received)

    def _settle_if_due(self) -> None:
        now = time.monotonic()
        if self._settled_at is None or now - self._settled_at >= _SETTLE_SECONDS:
            missed = settle(consumer=self.consumer, stop=self.stop)
            if missed:
                log.info("consumer took events from the feed", consumer=self.consumer.name, missed=missed)
            self._settled_at = now
            self.taken += missed


def _event(received: Received) -> EventData | None:
    try:
        return read_entry(received.fields, received.body)
    except UnreadableEntry as error:
        # Nobody but us should write there. It must not stop what comes behind it.
        log.error("event stream: an entry is no event", error=str(error), mark=str(received.mark))
        return None
