"""One call to a provider from beginning to end: switch, breaker, client, deadline, evidence."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import structlog
from django.conf import settings

from channels.breaker import breaker_for
from channels.client import client_for
from channels.client_transport import Attempt, Recording, current_recording
from channels.errors import LineClosed
from channels.metrics import note_breaker, note_call, note_refused
from channels.redaction import redact, redact_text
from channels.rows import Line, line_by_id
from channels.types import CallRecord, ChannelData, Exchange
from core.tracing import span
from core.transactions import forbids_transaction

__all__ = ["call", "deadline"]

log = structlog.get_logger(__name__)

_patience: ContextVar[float | None] = ContextVar("patience", default=None)


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Give the calls inside less time than PSP_DEADLINE: a person is waiting for the page."""
    token = _patience.set(seconds)
    try:
        yield
    finally:
        _patience.reset(token)


@forbids_transaction
def call(
    *,
    channel: ChannelData,
    kind: str,
    send: Callable[[Any], Any],
    has_effect: bool = True,
    over: Callable[[Line], Any] = client_for,
    seconds: float | None = None,
) -> Exchange:
    """Call the provider through the channel's SDK client and keep the evidence.

    `send` gets the client and makes one request with it. Nothing is raised for what went wrong on the
    way: the error is in the result, and `sent` says whether the request can have arrived. A channel that
    is switched off still answers questions (`has_effect=False`), or nothing open could ever be resolved.
    `over` makes what `send` is given, where that is not the channel's client; `seconds` is another deadline
    than PSP_DEADLINE.
    """
    breaker = breaker_for(channel.id)
    try:
        line = line_by_id(channel.id)
        if has_effect and not line.channel.is_enabled:
            raise LineClosed("the channel is switched off")
        client = over(line)
        wait = breaker.admit()
        if wait is not None:
            raise LineClosed("the channel failed too often; it is left alone for a while", retry_after=wait)
    except Exception as error:
        # Whatever it was, the provider has not heard of it.
        note_refused(channel=channel.name, kind=kind)
        if not isinstance(error, LineClosed):
            log.exception("channel_unusable", channel_id=str(channel.id), kind=kind)
        return Exchange(result=None, error=error, sent=False, calls=())
    recording = Recording(ends=time.monotonic() + (seconds or _seconds()), request_id=_request_id())
    token = current_recording.set(recording)
    result: Any = None
    failure: Exception | None = None
    health: bool | None = None
    try:
        try:
            with span(f"call {kind}", channel=channel.name, provider=channel.provider):
                result = send(client)
        except Exception as error:
            failure = error
        health = _health(recording.attempts, failure, seconds or settings.PSP_SLOW_CALL)
    finally:
        current_recording.reset(token)
        breaker.record(health)
        note_breaker(breaker, channel=channel.name)
        note_call(channel=channel.name, kind=kind, attempts=recording.attempts)
    if failure is not None and health is not True:
        log.warning("call_failed", channel_id=str(channel.id), kind=kind, error=redact_text(repr(failure)))
    return Exchange(
        result=result,
        error=failure,
        sent=_sent(recording.attempts),
        calls=tuple(_evidence(channel, kind, recording, attempt, failure) for attempt in recording.attempts),
    )


def _seconds() -> float:
    patience = _patience.get()
    longest: float = settings.PSP_DEADLINE
    return longest if patience is None else min(patience, longest)


def _request_id() -> str:
    return str(structlog.contextvars.get_contextvars().get("request_id", ""))[:64]


def _sent(attempts: list[Attempt]) -> bool | None:
    """True as soon as one request was written whole, False only if none can have begun."""
    marks = [attempt.bytes_sent for attempt in attempts]
    if True in marks:
        return True
    return None if None in marks else False


def _health(attempts: list[Attempt], failure: Exception | None, slow: float) -> bool | None:
    """Judge the line by its last request: True good, False bad, None says nothing about it."""
    if not attempts:
        return None
    last = attempts[-1]
    if last.http_code == 429:
        return None  # It is alive, and says itself when to come again.
    if last.error or last.http_code is None or last.http_code >= 500:
        return False
    if last.http_code < 300 and failure is not None:
        return False  # A success that cannot be read.
    return last.seconds < slow


def _evidence(
    channel: ChannelData, kind: str, recording: Recording, attempt: Attempt, failure: Exception | None
) -> CallRecord:
    error = attempt.error or ("" if failure is None else f"{type(failure).__name__}: {failure}")
    return CallRecord(
        channel_id=channel.id,
        merchant_id=channel.merchant_id,
        kind=kind,
        request_digest=attempt.digest,
        bytes_sent=attempt.bytes_sent,
        http_status=attempt.http_code,
        body=redact(attempt.body),
        error=redact_text(error),
        duration_ms=round(attempt.seconds * 1000),
        request_id=recording.request_id,
        psp_request_id=attempt.psp_request_id,
        at=attempt.at,
    )
