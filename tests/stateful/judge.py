"""What a history of clients must have left behind."""

from dataclasses import replace

from tests.stateful.calls import Call, Correct, Post
from tests.stateful.cast import Cast
from tests.stateful.evidence import keys, rederived
from tests.stateful.history import Event, explain
from tests.stateful.model import Model

__all__ = ["judge"]


def judge(cast: Cast, start: Model, events: list[Event]) -> None:
    """Some order explains the answers and what is stored, and one key has one id."""
    said, stored = rederived(cast)
    # Lines are numbered before wallets are locked, so their order is not that of the operations.
    assert replace(said, operations={}) == replace(stored, operations={})
    there = keys(cast)
    order = explain(
        events, start, ends=lambda model: model.books() == said.accounts and set(model.entries) == there
    )
    assert order is not None, _told(events)
    ids: dict[str, set[int]] = {}
    for event in events:
        if event.answer and not event.answer.refused:
            for key, entry_id in zip(_keys(event.call), event.answer.ids, strict=True):
                ids.setdefault(key, set()).add(entry_id)
    assert [key for key, found in ids.items() if len(found) > 1] == []


def _keys(call: Call) -> list[str]:
    match call:
        case Post():
            return [entry.key for entry in call.entries]
        case Correct():
            return [f"correction of {call.key}"]
    return []


def _told(events: list[Event]) -> str:
    """The history, for whoever has to understand it."""
    first = min(event.began for event in events)
    return "no serial order explains:\n" + "\n".join(
        f"{event.began - first:.4f} to {event.ended - first:.4f}, client {event.client}:"
        f" {event.call} {event.answer}"
        for event in sorted(events, key=lambda event: event.began)
    )
