"""What Prometheus is told: what each process counts itself, and what is read from the database when asked.

Counters and histograms live in the memory of a process; with PROMETHEUS_MULTIPROC_DIR every process of a
machine keeps its own in a file there, and whichever web process is asked adds them up. Gauges about work and
money are read from the database, where they are true for all machines, by `Gauges` that apps register.

prometheus_client alone, without django-prometheus: that one measures views by name and wraps the database,
and needs a Django below 6.1; we measure by class of call, and read queues.
"""

import os
import platform
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, values
from prometheus_client.multiprocess import MultiProcessCollector

__all__ = [
    "Family",
    "Gauges",
    "Sample",
    "counted",
    "counter",
    "histogram",
    "latest",
    "metric_names",
    "register_gauges",
    "registered_gauges",
]

_HOST = platform.node().replace("_", "-")
# Milliseconds for what the database answers, up to the longest call to a provider.
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0)


@dataclass(frozen=True)
class Family:
    """One metric: its name, what it says (with the unit), and its labels in order."""

    name: str
    says: str
    labels: tuple[str, ...] = ()


class Sample(NamedTuple):
    """One value of a family. Amounts are whole minor units."""

    name: str
    value: float
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Gauges:
    """Families that one look into the database fills: along an index, never over a whole table."""

    source: str
    families: tuple[Family, ...]
    read: Callable[[], Iterable[Sample]]


_OURS = CollectorRegistry()
_GAUGES: dict[str, Gauges] = {}
_IN_PROCESS: dict[str, tuple[str, ...]] = {}


def _share_with_other_processes() -> None:
    """Names of hosts in those of the files: containers that share the folder have the same process ids."""
    Path(settings.METRICS_DIR).mkdir(parents=True, exist_ok=True)
    values.ValueClass = values.MultiProcessValue(lambda: f"{_HOST}-{os.getpid()}")  # type: ignore[no-untyped-call]


if settings.METRICS_DIR:
    _share_with_other_processes()


def counter(name: str, says: str, *labels: str) -> Counter:
    """Declare a counter of this process; its name ends with _total."""
    made = Counter(name, says, labels, registry=_OURS)
    _IN_PROCESS[name] = (name,)
    return made


def histogram(name: str, says: str, *labels: str) -> Histogram:
    """Declare a histogram of seconds of this process."""
    made = Histogram(name, says, labels, registry=_OURS, buckets=BUCKETS)
    _IN_PROCESS[name] = tuple(f"{name}_{part}" for part in ("bucket", "sum", "count"))
    return made


def latest(name: str, says: str, *labels: str) -> Gauge:
    """Declare a moment, in seconds of the epoch, of which the latest of all processes counts.

    Nothing else that a process only remembers can be a gauge: one that died would go on saying it.
    """
    made = Gauge(name, says, labels, registry=_OURS, multiprocess_mode="max")
    _IN_PROCESS[name] = (name,)
    return made


def register_gauges(*sources: Gauges) -> None:
    """Make sources known; apps call it in `ready()`. Raises ValueError for a name that is taken."""
    for each in sources:
        if _GAUGES.setdefault(each.source, each) != each:
            raise ValueError(f"two sources of metrics are called {each.source}")
    names = [family.name for each in _GAUGES.values() for family in each.families]
    if len(set(names)) != len(names):
        raise ValueError("two metrics have the same name")


def registered_gauges() -> list[Gauges]:
    """Return all sources, by name."""
    return [_GAUGES[name] for name in sorted(_GAUGES)]


def counted() -> CollectorRegistry:
    """Return what the processes have counted: those of the machine, or this one alone."""
    if not settings.METRICS_DIR:
        return _OURS
    together = CollectorRegistry()
    MultiProcessCollector(together, path=settings.METRICS_DIR)  # type: ignore[no-untyped-call]
    return together


def metric_names() -> Iterator[str]:
    """Yield every name that a query may use; dashboards and alert rules are checked against it."""
    for names in _IN_PROCESS.values():
        yield from names
    for each in _GAUGES.values():
        yield from (family.name for family in each.families)
