"""Who wants to know about which events of providers. Apps subscribe in `ready()`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from events.types import InboundEvent

__all__ = ["Handler", "find_handler", "subscribe", "subscribers"]


class Handler(Protocol):
    """What a subscriber does; runs in the transaction that marks its work as done."""

    def __call__(self, *, delivery: InboundEvent) -> None: ...


@dataclass(frozen=True)
class _Subscription:
    provider: str
    prefix: str
    name: str
    handler: Callable[..., None]


_SUBSCRIPTIONS: dict[str, _Subscription] = {}


def subscribe(provider: str, prefix: str, name: str, handler: Handler) -> None:
    """Have `handler(delivery=…)` called for every event of the provider whose type begins with `prefix`.

    `name` stands in the database, so it never changes. The handler must be idempotent and must not
    depend on the order of events. It raises NotYet when its own row is not here yet. Raises ValueError
    when another subscription has the name.
    """
    wanted = _Subscription(provider, prefix, name, handler)
    if _SUBSCRIPTIONS.setdefault(name, wanted) != wanted:
        raise ValueError(f"two subscribers are called {name}")


def subscribers(provider: str, event_type: str) -> list[str]:
    """Return the names of those who want this type of event, sorted."""
    return sorted(
        each.name
        for each in _SUBSCRIPTIONS.values()
        if each.provider == provider and event_type.startswith(each.prefix)
    )


def find_handler(name: str) -> Callable[..., None] | None:
    """Return a subscriber's handler, or None where this version of the code has no such subscriber."""
    found = _SUBSCRIPTIONS.get(name)
    return found.handler if found else None
