"""Celery's view of events: what beat starts now and then. The work itself is in the services."""

import logging

from celery import shared_task

from core.transactions import at_edge
from events.streams.watch import watch_stream

__all__ = ["watch"]

log = logging.getLogger(__name__)


@shared_task(name="events.watch_stream")
def watch(**_newer: object) -> None:
    """Notice an event stream that lags behind the feed."""
    if at_edge(watch_stream)():
        log.warning("the event stream lags behind the feed")
