"""One API request while it is executed: parameters in, objects, events and effects out."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from sandbox.database import Database, dump, place_of
from sandbox.psp.errors import missing
from sandbox.psp.params import Params

Object = dict[str, Any]

NAMES = {
    "payment_intent": "payment_intent",
    "checkout.session": "checkout.session",
    "charge": "charge",
    "customer": "customer",
    "payment_method": "PaymentMethod",
    "refund": "refund",
    "event": "event",
    "webhook_endpoint": "webhook endpoint",
    "balance_transaction": "balance transaction",
    "file": "file upload",
    "reporting.report_run": "reporting report run",
}


@dataclass(frozen=True, slots=True)
class Event:
    """Something happened to ``subject``; ``snapshot`` is the object as JSON at that moment."""

    id: str
    type: str
    subject: str
    snapshot: str


@dataclass(slots=True)
class Call:
    """One authenticated request. Lives inside one database transaction."""

    database: Database
    account: str
    operation: str
    method: str
    path: str
    params: Params
    target: str
    request_id: str
    key: str | None
    now: int
    clock: float
    base_url: str
    api_version: str
    #: Set by the partial-approval fault: what the bank approves instead of what was asked.
    approval: dict[str, Any] | None = None
    events: list[Event] = field(default_factory=list)
    #: Faults of the webhooks that what happens here asks for by magic.
    asked: list[Any] = field(default_factory=list)
    #: What is answered instead of JSON: the bytes of a file, and their type.
    content: tuple[bytes, str] | None = None

    def new_id(self, prefix: str) -> str:
        """A fresh object id."""
        return self.database.new_id(prefix)

    def load(self, type_: str, identifier: str, *, param: str = "id") -> tuple[Object, Object]:
        """The object of this account and its hidden part; refuses ids of other accounts as unknown."""
        row = self.database.one(
            "SELECT body, hidden FROM object WHERE seq = ? AND id = ? AND account = ? AND type = ?",
            (place_of(identifier), identifier, self.account, type_),
        )
        if row is None:
            raise missing(NAMES.get(type_, type_), identifier, param=param)
        return json.loads(row["body"]), json.loads(row["hidden"])

    def insert(self, obj: Object, hidden: Object | None = None) -> Object:
        """Store a new object."""
        source = obj.get("source") or obj.get("charge")
        self.database.execute(
            "INSERT INTO object (seq, id, account, type, created, subtype, payment_intent, customer, source,"
            " body, hidden) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                place_of(obj["id"]), obj["id"], self.account, obj["object"], obj["created"], obj.get("type"),
                obj.get("payment_intent"), obj.get("customer"), source, dump(obj),
                dump(hidden) if hidden else "{}",
            ),
        )  # fmt: skip
        return obj

    def save(self, obj: Object, hidden: Object | None = None) -> Object:
        """Store the changed object; ``hidden`` stays as it was when not given."""
        if hidden is None:
            self.database.execute(
                "UPDATE object SET body = ?, customer = ?, payment_intent = ? WHERE seq = ?",
                (dump(obj), obj.get("customer"), obj.get("payment_intent"), place_of(obj["id"])),
            )
        else:
            self.database.execute(
                "UPDATE object SET body = ?, customer = ?, payment_intent = ?, hidden = ? WHERE seq = ?",
                (
                    dump(obj), obj.get("customer"), obj.get("payment_intent"), dump(hidden),
                    place_of(obj["id"]),
                ),
            )  # fmt: skip
        return obj

    def emit(self, type_: str, obj: Object) -> None:
        """Record an event about ``obj`` as it is now; its webhooks leave after the commit."""
        self.events.append(
            Event(self.new_id("evt"), type_, obj.get("payment_intent") or obj["id"], dump(obj))
        )

    def remind(self, *, due: float, kind: str, target: str) -> None:
        """Let something happen to ``target`` by itself at a moment of sandbox time (``sandbox.alarms``)."""
        self.database.execute(
            "INSERT INTO alarm (due, account, kind, target) VALUES (?, ?, ?, ?)",
            (due, self.account, kind, target),
        )

    def effect(
        self, kind: str, *, amount: int, currency: str, charge: Object, refund: str | None = None
    ) -> None:
        """Write one money effect into the journal, in the same transaction as the effect itself."""
        self.database.execute(
            "INSERT INTO journal (at, kind, account, payment_intent, charge, refund, amount, currency,"
            " idempotency_key, request_id, operation, metadata) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                self.clock, kind, self.account, charge["payment_intent"], charge["id"], refund, amount,
                currency, self.key, self.request_id, self.operation, dump(charge["metadata"]),
            ),
        )  # fmt: skip
