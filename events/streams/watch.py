"""What the event stream raises alerts about: it lags behind the feed, or the broker has lost it."""

from datetime import timedelta
from typing import Any

from django.conf import settings

from core import clock
from core.alerts import Alert, end_alert, raise_alert
from core.settings_store import Declared, get_setting
from core.transactions import requires_transaction
from events.streams.brokers import OFF
from events.streams.positions import LOST, oldest_waiting, subject_of

__all__ = ["ALERTS", "LAG", "watch_stream"]

_BEHIND = "event_stream_behind"
ALERTS = (
    Alert(
        _BEHIND,
        "The event stream lags behind",
        "Readers of the stream see nothing new. Webhooks and the feed are not affected, and nothing is lost.",
        timedelta(hours=1),
        page="admin:events_streamposition_changelist",
        query="",
    ),
    Alert(
        LOST,
        "The event stream has lost entries",
        "The broker lost what was published. All of it is in the feed and can be published again.",
        timedelta(hours=4),
        page="admin:events_streamposition_changelist",
        query="",
    ),
)


def _positive(value: Any) -> None:
    if value < 1:
        raise ValueError("at least one minute")


LAG = Declared(
    "events.stream_lag_minutes",
    "How long an event may wait for the event stream before people are told.",
    int,
    5,
    _positive,
)


@requires_transaction
def watch_stream() -> bool:
    """Raise or end the alert about the stream that the settings name; return whether it lags behind."""
    if settings.EVENT_STREAM == OFF:
        return False
    name = settings.EVENT_STREAM
    waiting = oldest_waiting(name=name)
    bound = timedelta(minutes=get_setting(name=LAG.name))
    if waiting is None or clock.now() - waiting[0] < bound:
        end_alert(_BEHIND, subject=subject_of(name), resolution="The stream has caught up.")
        return False
    since, error = waiting
    summary = f"Events wait since {since:%Y-%m-%d %H:%M} UTC. {error or 'No failure was noted.'}"
    raise_alert(_BEHIND, subject=subject_of(name), summary=summary)
    return True
