"""What events tell Prometheus: how long facts wait for the stream."""

from collections.abc import Iterator

from django.conf import settings

from core import clock
from core.metrics import Family, Gauges, Sample
from events.streams.positions import oldest_waiting

__all__ = ["GAUGES"]


def _stream() -> Iterator[Sample]:
    if settings.EVENT_STREAM == "off":
        return
    found = oldest_waiting(name=settings.EVENT_STREAM)
    seconds = max(0.0, (clock.now() - found[0]).total_seconds()) if found else 0.0
    yield Sample("quittance_stream_lag_seconds", seconds, (settings.EVENT_STREAM,))


GAUGES = (
    Gauges(
        "events_stream",
        (Family("quittance_stream_lag_seconds", "Age of the oldest event not in the stream.", ("stream",)),),
        _stream,
    ),
)
