"""GET /metrics: for Prometheus, by token or from this machine. A scrape must not hurt whoever pays.

Each query has its own short time in the database, and no source is begun when the time of the page is over.
What was read is kept for a while, so that a second Prometheus costs nothing. A source that fails is missing
from the page and named in it, and the rest is there.
"""

import hmac
import ipaddress
import threading
import time
from collections.abc import Iterator

import structlog
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden
from django.views.decorators.http import require_GET
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from core.metrics import Family, Gauges, Sample, counted, registered_gauges

__all__ = ["OF_SCRAPES", "metrics", "read_gauges"]

log = structlog.get_logger(__name__)
_KEPT_SECONDS = 10.0
_BUDGET_SECONDS = 3.0
_SOURCE_MS = 500
_OK, _TOOK = "quittance_metrics_source_ok", "quittance_metrics_source_seconds"
# What the page says of itself.
OF_SCRAPES = (
    Family(_OK, "1 if the source could be read at the last look.", ("source",)),
    Family(_TOOK, "Seconds that the last look of the source took.", ("source",)),
)
# A request that came through a proxy has one of these; who is on this machine and asks directly has none.
_FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_VIA")


@require_GET
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer with all metrics as text; 403 for whoever has no token and is not on this machine."""
    if not _may_see(request):
        return HttpResponseForbidden("metrics are for the token or this machine alone\n", "text/plain")
    gauges = CollectorRegistry(auto_describe=False)
    gauges.register(_KEPT)
    return HttpResponse(generate_latest(counted()) + generate_latest(gauges), CONTENT_TYPE_LATEST)


def _may_see(request: HttpRequest) -> bool:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and settings.METRICS_TOKEN:
        return hmac.compare_digest(token.strip().encode(), settings.METRICS_TOKEN.encode())
    return _is_from_here(request)


def _is_from_here(request: HttpRequest) -> bool:
    """A proxy on this machine calls from the loopback address as well, for the whole world."""
    if settings.TRUSTED_PROXIES or any(name in request.META for name in _FORWARDED):
        return False
    try:
        return ipaddress.ip_address(str(request.META.get("REMOTE_ADDR") or "")).is_loopback
    except ValueError:
        return False


def read_gauges() -> list[tuple[Family, list[Sample]]]:
    """Look at every source once, each query within its time, until the time of all is over."""
    ends, found, told = time.monotonic() + _BUDGET_SECONDS, [], []
    for source in registered_gauges():
        begun = time.monotonic()
        samples = _read(source) if begun < ends else None
        told.append(Sample(_OK, samples is not None, (source.source,)))
        told.append(Sample(_TOOK, round(time.monotonic() - begun, 4), (source.source,)))
        for family in source.families:
            found.append((family, [each for each in samples or [] if each.name == family.name]))
    return [*found, *((family, [each for each in told if each.name == family.name]) for family in OF_SCRAPES)]


def _read(source: Gauges) -> list[Sample] | None:
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(_SOURCE_MS)])
            samples = list(source.read())
            transaction.set_rollback(True)  # Nothing was written; this also takes the time-out back.
        return samples
    except DatabaseError as error:
        log.warning("metrics_unreadable", source=source.source, error=str(error).strip())
    except Exception:
        log.exception("metrics_unreadable", source=source.source)
    return None


class _Kept(Collector):
    """The gauges as they were read last, at most ten seconds ago; two scrapes at once read them once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._read_at = 0.0
        self._families: list[tuple[Family, list[Sample]]] = []

    def collect(self) -> Iterator[Metric]:
        """Called by prometheus_client for each page."""
        with self._lock:
            if not self._families or time.monotonic() - self._read_at >= _KEPT_SECONDS:
                self._families = read_gauges()
                self._read_at = time.monotonic()
            families = self._families
        for family, samples in families:
            metric = GaugeMetricFamily(family.name, family.says, labels=family.labels)
            for sample in samples:
                metric.add_metric(sample.labels, sample.value)
            yield metric

    def forget(self) -> None:
        """Read again at the next page."""
        with self._lock:
            self._families = []


_KEPT = _Kept()
