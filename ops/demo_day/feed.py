"""The store's ear: one thread follows the event feed, and whoever waits for an object is woken."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from ops.demo_day.client import Client

PAGE = 100
PAUSE = 0.1
# How long a thing may take that takes a second as a rule: a worker may be killed meanwhile.
PATIENCE = 240.0
# Who heard nothing for so long asks by himself.
ASK_AFTER = 20.0

Shape = dict[str, Any]


class Overdue(Exception):
    """What was waited for did not happen."""


class Feed:
    """What the events said last of every object, by its kind and name."""

    def __init__(self, api: Client, stop: threading.Event) -> None:
        self._api, self._ends = api, stop
        self._seen: dict[tuple[str, str], Shape] = {}
        self._news = threading.Condition()
        self._after = ""
        self.problem = ""
        self._thread = threading.Thread(target=self._follow, name="event feed", daemon=True)
        self.events = 0

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def stop(self) -> None:
        """Stop following; everybody who waits is let go."""
        self._ends.set()
        with self._news:
            self._news.notify_all()

    def seen(self, kind: str, name: str) -> Shape | None:
        """What was last said of an object: an order by the store's name, others by their ids."""
        return self._seen.get((kind, name))

    def wait(self, kind: str, name: str, check: Callable[[Shape], bool], path: str = "") -> Shape:
        """Wait until an object is so; `path` is where to ask where the feed is silent. Raises Overdue."""
        deadline = time.monotonic() + PATIENCE
        ask_at = time.monotonic() + ASK_AFTER
        while True:
            with self._news:
                found = self._seen.get((kind, name))
                if found is not None and check(found):
                    return found
                self._news.wait(1.0)
            now = time.monotonic()
            if self._ends.is_set():
                raise Overdue(f"stopped while waiting for {kind} {name}")
            if path and now > ask_at:
                ask_at = now + ASK_AFTER
                asked: Shape = self._api.get(path)
                if check(asked):
                    return asked
            if now > deadline:
                raise Overdue(f"{kind} {name} is still {self._seen.get((kind, name))}")

    def _follow(self) -> None:
        while not self._ends.is_set():
            try:
                after = f"&after={self._after}" if self._after else ""
                page = self._api.get(f"/v1/events?limit={PAGE}{after}")
            except Exception as error:
                self.problem = str(error)
                time.sleep(PAUSE)
                continue
            self._note(page["data"])
            if not page["has_more"]:
                self._ends.wait(PAUSE)

    def _note(self, events: list[Shape]) -> None:
        if not events:
            return
        with self._news:
            for event in events:
                thing = event["data"]["object"]
                for name in _names(thing):
                    self._seen[thing["object"], name] = thing
            self.events += len(events)
            self._after = events[-1]["id"]
            self._news.notify_all()


def _names(thing: Shape) -> list[str]:
    if thing["object"] == "payment_order":
        return [thing["payment_order_id"]]
    if thing["object"] == "dispute":
        return [thing["id"], *(each["payment_order_id"] for each in thing["payment_orders"])]
    return [str(thing["id"])] if "id" in thing else []
