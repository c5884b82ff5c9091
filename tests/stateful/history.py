"""Do the answers that several clients got at once have a serial order that explains them."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.stateful.calls import Answer, Call
from tests.stateful.model import Model

__all__ = ["Event", "explain", "observed"]


@dataclass(frozen=True)
class Event:
    """One call of one client; no answer means that nobody knows whether it happened."""

    client: int
    call: Call
    answer: Answer | None
    began: float
    ended: float = math.inf


def observed(client: int, call: Call, do: Callable[[Call], Answer]) -> Event:
    """Do the call and note when it began and ended."""
    began = time.monotonic()
    answer = do(call)
    return Event(client, call, answer, began, time.monotonic())


def explain(events: Sequence[Event], start: Model, *, ends: Callable[[Model], bool]) -> list[Event] | None:
    """Return an order of the events in which the model answers alike and whose end is right.

    An event that had ended before another began stays before it. One without an answer may stand
    anywhere after its beginning, or nowhere. None means that there is no such order: the answers
    contradict each other.
    """
    waits_for = {
        index: {other for other, before in enumerate(events) if before.ended < event.began}
        for index, event in enumerate(events)
    }
    known = frozenset(index for index, event in enumerate(events) if event.answer is not None)
    # Whoever ended first was probably first.
    likely = sorted(range(len(events)), key=lambda index: events[index].ended)
    seen: set[object] = set()

    def search(done: frozenset[int], model: Model, order: list[int]) -> list[int] | None:
        if known <= done and ends(model):
            return order
        if (place := (done, model.state())) in seen:
            return None
        seen.add(place)
        for index in likely:
            if index in done or not waits_for[index] <= done:
                continue
            outcome, after = model.after(events[index].call)
            answer = events[index].answer
            if answer is None or outcome.allows(answer):
                found = search(done | {index}, after, [*order, index])
                if found is not None:
                    return found
        return None

    found = search(frozenset(), start, [])
    return None if found is None else [events[index] for index in found]
