"""Spans: none and no import unless they are asked for; then of requests, rows and calls, with their ids."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from core import tracing
from core.checks import tracing_is_installed
from core.drain import Claim, Drain
from core.ids import uuid7
from core.log_context import note
from core.models import AlertNotice

ROOT = Path(__file__).parent.parent.parent
CARD = "4242424242424242"


class _Inner:
    """As much of an OpenTelemetry span as core.tracing uses."""

    def __init__(self, name: str) -> None:
        self.name, self.attributes = name, dict[str, Any]()

    def __enter__(self) -> "_Inner":
        return self

    def __exit__(self, *_: object) -> None: ...

    def update_name(self, name: str) -> None:
        self.name = name

    def set_attribute(self, name: str, value: Any) -> None:
        assert isinstance(value, str | bool | int | float), value
        self.attributes[name] = value


class _Tracer:
    def __init__(self) -> None:
        self.spans: list[_Inner] = []

    def start_as_current_span(
        self, name: str, *, record_exception: bool, set_status_on_exception: bool
    ) -> _Inner:
        assert not record_exception and not set_status_on_exception
        self.spans.append(_Inner(name))
        return self.spans[-1]


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[list[_Inner]]:
    settings.OTEL_ENDPOINT = "http://127.0.0.1:1"
    tracer = _Tracer()
    monkeypatch.setattr(tracing, "_tracer", lambda: tracer)
    yield tracer.spans


def test_nothing_is_imported_unless_it_is_asked_for() -> None:
    """Other libraries may look whether the API is there; what sends spans is ours to import."""
    code = (
        "import django; django.setup(); import sys; print([m for m in sys.modules if '.exporter.otlp' in m])"
    )
    said = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout
    assert said.strip() == "[]"


def test_no_span_is_made_where_it_is_off(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.OTEL_ENDPOINT = ""
    monkeypatch.setattr(tracing, "_tracer", lambda: pytest.fail("a tracer was made"))
    with tracing.span("x") as found:
        found.rename("y")
        found.tell(a=1)


def test_a_request_is_named_by_its_route_and_carries_its_id(spans: list[_Inner]) -> None:
    answer = Client().get(f"/v1/nothing/{CARD}")
    (found,) = spans
    assert found.name == "GET /v1/<path:rest>"
    assert found.attributes["quittance.request_id"] == answer.headers["Request-Id"]
    assert found.attributes["quittance.code"] == 404
    assert CARD not in str(found.attributes)


def test_a_row_of_a_drain_is_a_span_with_what_was_noted_of_it(spans: list[_Inner]) -> None:
    class Noting(Drain):
        name = "noting"
        model = AlertNotice

        def handle(self, claim: Claim) -> None:
            note(charge_id="chg_1", reference=CARD)

    Noting()._one(Claim(uuid7(), 1, 0))
    (found,) = spans
    assert found.name == "drain noting"
    assert found.attributes["quittance.charge_id"] == "chg_1"
    assert CARD not in found.attributes["quittance.reference"]


def test_an_error_is_named_and_not_quoted(spans: list[_Inner]) -> None:
    with pytest.raises(ValueError), tracing.span("x"):
        raise ValueError(f"card {CARD}")
    assert spans[0].attributes["quittance.error"] == "ValueError"
    assert CARD not in str(spans[0].attributes)


def test_a_start_without_the_packages_is_refused(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    monkeypatch.setattr("core.checks.is_installed", lambda: False)
    settings.OTEL_ENDPOINT = ""
    assert tracing_is_installed() == []
    settings.OTEL_ENDPOINT = "http://127.0.0.1:4318"
    assert [problem.id for problem in tracing_is_installed()] == ["core.E113"]


@pytest.mark.skipif(not tracing.is_installed(), reason="the packages of requirements-otel.txt are not here")
def test_the_real_packages_take_our_spans(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """Through the SDK and its exporter in memory; a call lies inside the work that makes it."""
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    settings.OTEL_ENDPOINT = "http://127.0.0.1:1"
    kept, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    monkeypatch.setattr(tracing, "_tracer", lambda: provider.get_tracer("test"))
    with tracing.span("outer", channel="card"), tracing.span("inner", number=3):
        pass
    inner, outer = kept.get_finished_spans()
    assert inner.parent is not None and inner.parent.span_id == outer.context.span_id
    assert dict(inner.attributes or {}) == {"quittance.number": 3}
