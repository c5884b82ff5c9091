"""Payments of the bank: one row each, whoever ordered it, with the states it goes through."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from sandbox.banking import amounts
from sandbox.banking.errors import BankError, reason, reply
from sandbox.banking.magic import Plan
from sandbox.database import Database, dump
from sandbox.psp.call import Call, Event
from sandbox.server import Response
from sandbox.timestamps import iso

Row = dict[str, Any]

PAGE = 100
OPEN = ("submitted", "deferred")


def insert(call: Call, facts: Row, plan: Plan, *, refused: str | None) -> Row:
    """Store a new payment: submitted, or rejected at once with the reason ``refused``."""
    row: Row = {
        "seq": _next(call.database), "owner": call.account, **facts, "plan": dump(plan.describe()),
        "state": "rejected" if refused else "submitted", "reason": refused, "submitted": call.clock,
        "changed": call.clock,
    }  # fmt: skip
    cursor = call.database.execute(
        f"INSERT INTO bank_payment ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})",  # noqa: S608 - ours
        tuple(row.values()),
    )
    return by_id(call.database, int(cursor.lastrowid or 0))


def move(call: Call, row: Row, state: str, *, why: str | None = None) -> Row:
    """Put a payment into another state, under a new number, and tell who listens."""
    call.database.execute(
        "UPDATE bank_payment SET state = ?1, reason = ?2, changed = ?3, seq = ?4,"
        " paid = iif(?1 = 'paid', ?3, paid), returned = iif(?1 = 'returned', ?3, returned) WHERE id = ?5",
        (state, why, call.clock, _next(call.database), row["id"]),
    )
    moved = by_id(call.database, row["id"])
    tell(call, moved)
    return moved


def tell(call: Call, row: Row) -> None:
    """The event of the payment's state; payments of files are told of in reports instead."""
    if row["source"] == "api":
        emit(call, f"payment.{row['state']}", row["ref"], shown(row))


def emit(call: Call, type_: str, subject: str, data: dict[str, Any]) -> None:
    """Record an event of the bank; its callbacks leave after the commit, in order per subject."""
    call.events.append(Event(call.new_id("bev"), type_, f"{call.account}/{subject}", dump(data)))


def _next(database: Database) -> int:
    row = database.one("SELECT coalesce(max(seq), 0) + 1 AS n FROM bank_payment")
    return 1 if row is None else int(row["n"])


def by_id(database: Database, identifier: int) -> Row:
    """The payment of an alarm."""
    row = database.one("SELECT * FROM bank_payment WHERE id = ?", (identifier,))
    assert row is not None, identifier
    return row


def by_ref(database: Database, owner: str, ref: str) -> Row | None:
    """The payables API's payment of a reference."""
    return database.one(
        "SELECT * FROM bank_payment WHERE owner = ? AND source = 'api' AND ref = ?", (owner, ref)
    )


def plan(row: Row) -> Plan:
    """What the bank will decide."""
    return Plan(**json.loads(row["plan"]))


def shown(row: Row) -> dict[str, Any]:
    """The payment as the payables API writes it. ``seq`` grows with every change of any payment."""
    return {
        "id": _name(row), "seq": row["seq"], "ref_code": row["ref"], "batch_ref": row["batch"],
        "payee_ref": row["payee"],
        "amount": amounts.decimal(row["amount"], row["currency"]), "currency": row["currency"],
        "remittance": row["remittance"], "state": row["state"], "reason": reason(row["reason"]),
        "submitted_at": iso(row["submitted"]), "changed_at": iso(row["changed"]),
        "paid_at": row["paid"] and iso(row["paid"]), "returned_at": row["returned"] and iso(row["returned"]),
    }  # fmt: skip


def _name(row: Row) -> str:
    """The bank's own name of a payment, which no other payment has, in this data folder or another."""
    facts = f"{row['owner']}/{row['ref']}/{row['submitted']!r}"
    return f"bpm_{hashlib.sha256(facts.encode()).hexdigest()[:24]}"


def retrieve(call: Call) -> Response:
    """``GET /bank/v1/payments/{ref_code}``."""
    row = by_ref(call.database, call.account, call.target)
    if row is None:
        raise BankError(404, "not_found", "There is no payment with this ref_code.")
    return reply(200, shown(row))


def list_changed(call: Call) -> Response:
    """``GET /bank/v1/payments?after=``: payments whose last change comes after a number, in order."""
    after = call.params.values.get("after", "0")
    if not str(after).isdigit():
        raise BankError(400, "after_invalid", "after is a number.", param="after")
    rows = call.database.rows(
        "SELECT * FROM bank_payment WHERE owner = ? AND source = 'api' AND seq > CAST(? AS INTEGER)"
        " ORDER BY seq LIMIT ?",
        (call.account, after, PAGE + 1),
    )
    return reply(200, {"data": [shown(row) for row in rows[:PAGE]], "has_more": len(rows) > PAGE})
