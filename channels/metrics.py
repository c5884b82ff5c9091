"""What is counted of the calls to providers: how they ended, how long they took, which lines are closed."""

from channels.breaker import Breaker
from channels.client_transport import Attempt
from core import clock
from core.metrics import counter, histogram, latest
from core.prometheus_rules import Rule

__all__ = ["RULES", "note_breaker", "note_call", "note_refused"]

_CALLS = counter(
    "quittance_provider_calls_total",
    "Calls to providers by outcome: 2xx, 3xx, 4xx, 429, 5xx, no_answer, not_sent, refused (by us).",
    *("channel", "kind", "outcome"),
)
_SECONDS = histogram(
    "quittance_provider_call_seconds", "How long requests to providers took, in seconds.", "channel", "kind"
)
_CLOSED_UNTIL = latest(
    "quittance_breaker_open_until_seconds",
    "Until when a process leaves a channel alone, in seconds of the epoch; open while it is ahead.",
    "channel",
)


def note_refused(*, channel: str, kind: str) -> None:
    """Count a call that did not go out: switched off, or failed too often."""
    _CALLS.labels(channel, kind, "refused").inc()


def note_call(*, channel: str, kind: str, attempts: list[Attempt]) -> None:
    """Count a call by its last request, and the time of each of its requests."""
    _CALLS.labels(channel, kind, _outcome(attempts)).inc()
    for attempt in attempts:
        _SECONDS.labels(channel, kind).observe(attempt.seconds)


def note_breaker(breaker: Breaker, *, channel: str) -> None:
    """Say until when this process leaves the channel alone."""
    if left := breaker.seconds_left:
        _CLOSED_UNTIL.labels(channel).set(clock.now().timestamp() + left)


def _outcome(attempts: list[Attempt]) -> str:
    if not attempts or attempts[-1].bytes_sent is False:
        return "not_sent"
    code = attempts[-1].http_code
    if code is None:
        return "no_answer"
    return "429" if code == 429 else f"{code // 100}xx"


RULES = (
    Rule(
        "channel_left_alone",
        "max by (channel) (quittance_breaker_open_until_seconds) > time()",
        minutes=2,
        says="Calls over {{ $labels.channel }} failed so often that it is left alone.",
    ),
    Rule(
        "provider_failing",
        'sum by (channel) (rate(quittance_provider_calls_total{outcome=~"5xx|no_answer|not_sent"}[5m]))'
        ' / sum by (channel) (rate(quittance_provider_calls_total{outcome!="refused"}[5m])) > 0.1',
        minutes=5,
        says="More than a tenth of the calls over {{ $labels.channel }} get no answer.",
    ),
)
