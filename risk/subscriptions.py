"""Who acts on a verdict that comes later. The app that asked registers in `ready()`."""

from collections.abc import Callable
from typing import Protocol
from uuid import UUID

__all__ = ["VerdictHandler", "on_verdict", "tell_verdict"]


class VerdictHandler(Protocol):
    """Acts on a verdict, in the transaction that records it; says whether it was still waited for."""

    def __call__(
        self, *, merchant_id: UUID, subject_id: UUID, decision: str, source: str, reason: str
    ) -> bool: ...


_HANDLERS: list[Callable[..., bool]] = []


def on_verdict(handler: VerdictHandler) -> None:
    """Have `handler` called with every verdict of a vendor, or of the policy that stands in for it."""
    if handler not in _HANDLERS:
        _HANDLERS.append(handler)


def tell_verdict(*, merchant_id: UUID, subject_id: UUID, decision: str, source: str, reason: str) -> bool:
    """Call every handler; say whether any of them still waited for this."""
    heard = [
        handler(
            merchant_id=merchant_id, subject_id=subject_id, decision=decision, source=source, reason=reason
        )
        for handler in _HANDLERS
    ]
    return any(heard)
