"""Spans for OpenTelemetry, where OTEL_EXPORTER_OTLP_ENDPOINT is set; elsewhere nothing is imported or made.

A span carries the ids that the log lines of its work carry (core.log_context), hidden in the same way. The
text of errors is not sent: it may quote a body. Whoever calls us may not choose our traces, so no
`traceparent` is read, and none is sent to providers.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from typing import Any

import structlog
from django.conf import settings

from core.card_data import hide_card_numbers
from core.redaction import hide_secrets

__all__ = ["Span", "is_installed", "span"]


class Span:
    """What is being measured; does nothing where tracing is off."""

    def __init__(self, inner: Any = None) -> None:
        self._inner = inner

    def rename(self, name: str) -> None:
        """Say what it was, where that is known only at its end."""
        if self._inner is not None:
            self._inner.update_name(name)

    def tell(self, **attributes: object) -> None:
        """Add attributes: numbers and truths as they are, everything else as text without secrets."""
        if self._inner is not None:
            for name, value in attributes.items():
                self._inner.set_attribute(f"quittance.{name}", _plain(value))


_OFF = Span()


@contextmanager
def span(name: str, **attributes: object) -> Iterator[Span]:
    """Measure what happens inside; with the ids that are bound to its log lines at its end."""
    tracer = _tracer() if settings.OTEL_ENDPOINT else None
    if tracer is None:
        yield _OFF
        return
    with tracer.start_as_current_span(name, record_exception=False, set_status_on_exception=False) as inner:
        found = Span(inner)
        found.tell(**attributes)
        try:
            yield found
        except BaseException as error:
            found.tell(error=type(error).__name__)
            raise
        finally:
            found.tell(**structlog.contextvars.get_contextvars())


def is_installed() -> bool:
    """Say whether the packages of requirements-otel.txt are there."""
    try:
        return all(
            find_spec(name) is not None
            for name in ("opentelemetry.sdk.trace", "opentelemetry.exporter.otlp.proto.http")
        )
    except ModuleNotFoundError:
        return False


@cache
def _tracer() -> Any:
    """Made at the first span, in the process that serves: threads that export do not survive a fork."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": "quittance"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider.get_tracer("quittance")


def _plain(value: object) -> object:
    if isinstance(value, bool | int | float):
        return value
    return hide_card_numbers(hide_secrets(str(value)))
