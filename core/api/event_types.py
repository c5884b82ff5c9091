"""Every type of event that stores are told, gathered from the apps that tell them."""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from core.api.error_catalogue import project_apps
from core.api.schemas import Component, EventType

__all__ = ["EVENT_TYPE", "event_types", "events_told"]


@cache
def events_told() -> Mapping[str, EventType]:
    """Return what each type of event carries: the EVENTS of every app's `api.shapes`, where it has them.

    To be asked when the apps are loaded: it reads apps above the one that asks.
    """
    return {name: told for app in project_apps() for name, told in _events(app).items()}


@cache
def event_types() -> tuple[str, ...]:
    """Return the types that can be told, in alphabetical order."""
    return tuple(sorted(events_told()))


def _events(app: str) -> Mapping[str, EventType]:
    if find_spec(f"{app}.api") is None or find_spec(f"{app}.api.shapes") is None:
        return {}
    events: Mapping[str, EventType] = getattr(import_module(f"{app}.api.shapes"), "EVENTS", {})
    return events


class _Choice(Mapping[str, Any]):
    """The schema of a type. What it lists is known when it is read, later than when views name it."""

    def __getitem__(self, key: str) -> Any:
        return self._schema()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._schema())

    def __len__(self) -> int:
        return len(self._schema())

    def _schema(self) -> Mapping[str, Any]:
        return {
            "type": "string",
            "description": "A type of event that stores are told.",
            "enum": list(event_types()),
            "examples": ["payment.succeeded"],
        }


EVENT_TYPE = Component("event_type", _Choice())
