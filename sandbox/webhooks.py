"""Webhooks of the provider: events become deliveries in the file, lanes of threads send them.

A delivery is written in the transaction that caused the event and leaves after its commit, so a killed
sandbox sends what is open when it starts again. Events of one payment travel in one lane, hence in order; a
delivery that waits for its retry blocks nobody.
"""

from __future__ import annotations

import hashlib
import heapq
import http.client
import json
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sandbox.clock import Clock
from sandbox.database import Database, dump, place_of
from sandbox.faults import Fault
from sandbox.posting import dress, of_bank, send
from sandbox.psp.accounts import owner_of
from sandbox.psp.call import Call, Event
from sandbox.timestamps import iso

#: Endpoints of this account hear the events of every account.
EVERYBODY = "*"

#: And of every account of the bank, whose events have another form.
BANK_EVERYBODY = "bank_*"


@dataclass(slots=True)
class Draft:
    """A delivery about to be written."""

    event: Event
    endpoint: str
    forgery: str | None = None
    delay: float = 0.0
    state: str = "pending"
    chained: bool = False
    spread: int = 0


def event_body(call: Call, event: Event, *, pending: int, connected: bool = False) -> str:
    """The event as JSON; the snapshot is already JSON and is put in as it is.

    An event of a connected account names that account.
    """
    if of_bank(event.id):
        created = iso(call.clock)
        return f'{{"id":"{event.id}","created":"{created}","data":{event.snapshot},"type":"{event.type}"}}'
    account = f'"account":"{call.account}",' if connected else ""
    key = "null" if call.key is None else dump(call.key)
    return (
        f'{{"id":"{event.id}","object":"event",{account}"api_version":"{call.api_version}","created":{call.now},'
        f'"data":{{"object":{event.snapshot}}},"livemode":false,"pending_webhooks":{pending},'
        f'"request":{{"id":"{call.request_id}","idempotency_key":{key}}},"type":"{event.type}"}}'
    )


class Webhooks:
    """Plans, stores and sends deliveries."""

    def __init__(
        self, *, database: Database, clock: Clock, schedule: tuple[float, ...], timeout: float, lanes: int
    ) -> None:
        self._database, self._clock, self._timeout = database, clock, timeout
        self.schedule = schedule
        self.mode = "send"
        self._listeners: dict[str, list[dict[str, Any]]] = {}
        self._owners: dict[str, str | None] = {}
        self.signature_clock = "real"
        self._lanes: list[list[tuple[float, int]]] = [[] for _ in range(lanes)]
        last = database.one("SELECT coalesce(max(id), 0) AS id FROM delivery")
        self._serial = 0 if last is None else int(last["id"])  # goes on after a reset: no id comes twice
        self._changed = threading.Condition()
        self._stopping = False
        self._threads = [
            threading.Thread(target=self._run, args=(lane,), name=f"webhooks-{lane}", daemon=True)
            for lane in range(lanes)
        ]

    # Planning

    def publish(self, call: Call, faults: list[Fault]) -> list[tuple[int, float, int]]:
        """Store the call's events and their deliveries, inside its transaction; returns what to ``push``."""
        endpoints = self._endpoints(call.account)
        drafts: list[Draft] = []
        for event in call.events:
            listening = [
                row["id"] for row in endpoints
                if "*" in row["enabled"] or event.type in row["enabled"]
            ]  # fmt: skip
            self._store(call, event, pending=len(listening))
            drafts += [Draft(event, endpoint) for endpoint in listening]
        for fault in faults:
            drafts = self._spoil(call, drafts, fault)
        if self.mode == "drop":
            for draft in drafts:
                draft.state = "dropped"
        return self._insert(call.account, drafts)

    def forget_endpoints(self) -> None:
        """The endpoints changed: read them again when the next event comes."""
        self._listeners.clear()

    def _endpoints(self, account: str) -> list[dict[str, Any]]:
        known = self._listeners.get(account)
        if known is not None:
            return known
        owner = self._owner(account)
        everybody = BANK_EVERYBODY if account.startswith("bank_") else EVERYBODY
        rows = self._database.rows(
            "SELECT id, body FROM object WHERE account IN (?, ?) AND type = 'webhook_endpoint'"
            " AND type <> 'event' AND (account = ? OR coalesce(json_extract(hidden, '$.connect'), 0) = ?)"
            " ORDER BY seq",
            (owner or account, everybody, everybody, owner is not None),
        )
        found = []
        for row in rows:
            endpoint = json.loads(row["body"])
            if endpoint["status"] == "enabled":
                found.append({"id": row["id"], "enabled": endpoint["enabled_events"]})
        self._listeners[account] = found
        return found

    def _owner(self, account: str) -> str | None:
        """The platform of a connected account; asked once, for an account never changes hands."""
        if account not in self._owners:
            self._owners[account] = owner_of(self._database, account)
        return self._owners[account]

    def _store(self, call: Call, event: Event, *, pending: int) -> None:
        connected = self._owner(call.account) is not None
        body = event_body(call, event, pending=pending, connected=connected)
        self._database.execute(
            "INSERT INTO object (seq, id, account, type, created, subtype, body, hidden)"
            " VALUES (?, ?, ?, 'event', ?, ?, ?, '{}')",
            (place_of(event.id), event.id, call.account, call.now, event.type, body),
        )

    def _spoil(self, call: Call, drafts: list[Draft], fault: Fault) -> list[Draft]:
        wanted = fault.options.get("event_type")
        struck = [draft for draft in drafts if wanted in (None, draft.event.type)]
        if fault.kind == "webhook_drop":
            for draft in struck:
                draft.state = "dropped"
        elif fault.kind == "webhook_late":
            for draft in struck:
                draft.delay = fault.seconds(1.0)
        elif fault.kind == "webhook_hold":
            for draft in struck:
                draft.state = "held"
        elif fault.kind == "webhook_out_of_order":
            others = [draft for draft in drafts if draft not in struck]
            struck.reverse()
            for draft in struck[1:]:
                draft.chained, draft.state = True, "waiting"
            return others + struck
        elif fault.kind == "webhook_duplicate":
            return drafts + self._copies(call, struck, fault)
        elif fault.kind == "webhook_forge":
            forged = [
                Draft(draft.event, draft.endpoint, str(fault.options.get("forgery", "bad_secret")))
                for draft in struck
            ]
            kept = (
                [draft for draft in drafts if draft not in struck] if fault.options.get("instead") else drafts
            )
            return forged + kept
        return drafts

    def _copies(self, call: Call, struck: list[Draft], fault: Fault) -> list[Draft]:
        copies: list[Draft] = []
        for number in range(int(fault.options.get("copies", 1))):
            for draft in struck:
                event = draft.event
                if fault.options.get("new_ids"):
                    prefix = event.id.partition("_")[0]
                    event = Event(call.new_id(prefix), event.type, event.subject, event.snapshot)
                    self._store(call, event, pending=1)
                spread = number + 1 if fault.options.get("parallel") else 0
                copies.append(Draft(event, draft.endpoint, spread=spread))
        return copies

    def _insert(self, account: str, drafts: list[Draft]) -> list[tuple[int, float, int]]:
        pushes: list[tuple[int, float, int]] = []
        previous: int | None = None
        for draft in drafts:
            due = time.time() + draft.delay
            self._serial += 1
            self._database.execute(
                "INSERT INTO delivery (id, event, type, object, account, endpoint, state, due_at, after,"
                " forgery) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    self._serial, draft.event.id, draft.event.type, draft.event.subject, account,
                    draft.endpoint, draft.state, due, previous if draft.chained else None, draft.forgery,
                ),
            )  # fmt: skip
            previous = self._serial
            if draft.state == "pending":
                pushes.append((previous, due, self._lane(draft.event.subject, draft.spread)))
        return pushes

    def _lane(self, subject: str, spread: int = 0) -> int:
        return (int(hashlib.md5(subject.encode()).hexdigest()[:6], 16) + spread) % len(self._lanes)  # noqa: S324

    # Sending

    def start(self) -> None:
        """Take up what an earlier process left open, then send."""
        for row in self._database.rows("SELECT id, object, due_at FROM delivery WHERE state = 'pending'"):
            heapq.heappush(self._lanes[self._lane(row["object"])], (row["due_at"], row["id"]))
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End the lanes; what is open stays in the file."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    def clear(self) -> None:
        """Forget everything that waits in memory, and go back to sending."""
        with self._changed:
            for lane in self._lanes:
                lane.clear()
            self.mode, self.signature_clock = "send", "real"
            self._listeners.clear()
            self._owners.clear()

    def push(self, pushes: Iterable[tuple[int, float, int]]) -> None:
        """Hand committed deliveries to their lanes."""
        with self._changed:
            for identifier, due, lane in pushes:
                heapq.heappush(self._lanes[lane], (due, identifier))
            self._changed.notify_all()

    def now(self) -> float:
        """The moment by the clock of signatures: ours, or where `signature_clock` says so the sandbox's."""
        return self._clock.seconds() if self.signature_clock == "sandbox" else time.time()

    def set_mode(self, mode: str) -> None:
        """``send``, ``pause`` (keep them until sending again) or ``drop`` (new ones are never sent)."""
        with self._changed:
            self.mode = mode
            self._changed.notify_all()

    def release(self, identifiers: list[int] | None = None) -> int:
        """Send held deliveries now, all or those named, in the given order; returns how many."""
        with self._database.transaction():
            rows = self._database.rows("SELECT id, object FROM delivery WHERE state = 'held' ORDER BY id")
            found = {row["id"]: row for row in rows}
            chosen = [number for number in (identifiers or list(found)) if number in found]
            now = time.time()
            for position, number in enumerate(chosen):
                self._database.execute(
                    "UPDATE delivery SET state = 'pending', due_at = ? WHERE id = ?",
                    (now + position * 1e-6, number),
                )
        self.push(
            (number, now + position * 1e-6, self._lane(found[number]["object"]))
            for position, number in enumerate(chosen)
        )
        return len(chosen)

    def wait_delivered(self, identifiers: list[int], *, seconds: float) -> bool:
        """Wait until these deliveries have got a 2xx; ``False`` when the time is over."""
        deadline = time.monotonic() + seconds
        marks = ", ".join("?" * len(identifiers))
        sql = f"SELECT count(*) AS n FROM delivery WHERE id IN ({marks}) AND state = 'delivered'"  # noqa: S608
        with self._changed:
            while not self._stopping:
                done = self._database.one(sql, identifiers)
                if done is not None and done["n"] == len(identifiers):
                    return True
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                self._changed.wait(left)
        return False

    def _run(self, number: int) -> None:
        lane = self._lanes[number]
        connections: dict[tuple[str, str], http.client.HTTPConnection] = {}
        while True:
            with self._changed:
                while not self._stopping:
                    wait = lane[0][0] - time.time() if lane and self.mode != "pause" else None
                    if wait is not None and wait <= 0:
                        break
                    self._changed.wait(wait)
                if self._stopping:
                    break
                _, identifier = heapq.heappop(lane)
            self._deliver(identifier, number, connections)
        for connection in connections.values():
            connection.close()

    def _deliver(
        self, identifier: int, lane: int, connections: dict[tuple[str, str], http.client.HTTPConnection]
    ) -> None:
        row = self._database.one("SELECT * FROM delivery WHERE id = ? AND state = 'pending'", (identifier,))
        if row is None:
            return
        target = self._object(row["endpoint"])
        event = self._object(row["event"])
        if target is None or event is None:
            self._database.execute("UPDATE delivery SET state = 'dropped' WHERE id = ?", (identifier,))
            return
        endpoint, secret = json.loads(target["body"]), json.loads(target["hidden"])["secret"]
        now = int(self.now())
        body, headers = dress(event["body"].encode(), row["forgery"], secret, now, bank=of_bank(row["event"]))
        status, error = send(connections, endpoint["url"], body, headers, self._timeout)
        self._settle(row, lane, status, error)

    def _object(self, identifier: str) -> dict[str, Any] | None:
        return self._database.one(
            "SELECT body, hidden FROM object WHERE seq = ? AND id = ?", (place_of(identifier), identifier)
        )

    def _settle(self, row: dict[str, Any], lane: int, status: int | None, error: str | None) -> None:
        attempts = row["attempts"] + 1
        good = status is not None and 200 <= status < 300
        again = not good and row["forgery"] is None and attempts <= len(self.schedule)
        due = time.time() + (self.schedule[attempts - 1] if again else 0.0)
        state = "delivered" if good else "pending" if again else "failed"
        with self._database.transaction():
            self._database.execute(
                "UPDATE delivery SET state = ?, attempts = ?, status = ?, error = ?, due_at = ? WHERE id = ?",
                (state, attempts, status, error, due, row["id"]),
            )
            released = self._database.rows(
                "UPDATE delivery SET state = 'pending' WHERE state = 'waiting' AND after = ?"
                " RETURNING id, due_at",
                (row["id"],),
            )
        pushes = [(item["id"], item["due_at"], lane) for item in released]
        if again:
            pushes.append((row["id"], due, lane))
        self.push(pushes)
