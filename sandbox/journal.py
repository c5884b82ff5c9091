"""Reading the journal of effects: what money really moved, whatever the wire said.

Kinds: ``charge.authorized``, ``authorization.released`` (amounts that are only reserved and given back),
``charge.captured`` (money taken, positive), ``refund.succeeded`` (negative), ``refund.failed`` (money that
came back from a refund, positive), ``charge.declined`` (an attempt without effect, amount 0),
``dispute.withdrawn`` (taken by the buyer's bank, with the fee, negative), ``dispute.reinstated`` (given back,
positive), ``charge.reversed`` (taken back by the rail, negative). Of a dispute, ``refund`` holds its id.

Of what a platform pays out, ``charge`` holds the id: ``transfer.created`` (left the platform's balance,
negative), ``transfer.reversed`` (is back there, positive), and in the journal of the account that pays its
bank ``account_payout.created`` (negative), ``.paid`` (0), ``.failed``, ``.canceled`` and ``.reversed``
(positive).

``balance.adjusted`` is what the provider booked of its own accord (a fee is negative); ``charge`` holds the
balance transaction.

Of the bank, whose metadata names the reference, the batch or file and both accounts: ``payout.paid`` and
``payout.fee`` (negative), ``payout.returned``; ``payout.funding`` and ``payout.foreign``, ordered by nobody;
``payout.settlement``, a payout of the provider that arrived (negative when it was taken back).
"""

from __future__ import annotations

import json
from typing import Any

from sandbox.database import Database

MONEY = (
    "charge.captured", "refund.succeeded", "refund.failed", "dispute.withdrawn", "dispute.reinstated",
    "charge.reversed",
)  # fmt: skip
COLUMNS = ("account", "payment_intent", "charge", "refund", "kind", "idempotency_key", "currency")


def read(database: Database, filters: dict[str, str]) -> list[dict[str, Any]]:
    """Entries in order. Filters: a column, ``after`` (a seq), ``metadata.<key>``; others: ValueError."""
    where, values = ["1 = 1"], []
    for name, value in filters.items():
        if name in COLUMNS:
            where.append(f"{name} = ?")
            values.append(value)
        elif name == "after":
            where.append("seq > CAST(? AS INTEGER)")
            values.append(value)
        elif name.startswith("metadata."):
            where.append("EXISTS (SELECT 1 FROM json_each(journal.metadata) WHERE key = ? AND value = ?)")
            values += [name.removeprefix("metadata."), value]
        else:
            raise ValueError(f"unknown filter {name}")
    sql = f"SELECT * FROM journal WHERE {' AND '.join(where)} ORDER BY seq"  # noqa: S608 - columns are ours
    rows = database.rows(sql, values)
    for row in rows:
        row["metadata"] = json.loads(row["metadata"])
    return rows


def totals(database: Database, filters: dict[str, str]) -> list[dict[str, Any]]:
    """Per account, PaymentIntent and currency: how often money was taken, how much, what is left of it."""
    sums: dict[tuple[str, str, str], dict[str, Any]] = {}
    for row in read(database, filters):
        if row["payment_intent"] is None:
            continue  # no part of a payment
        key = (row["account"], row["payment_intent"], row["currency"])
        total = sums.setdefault(
            key,
            {"account": key[0], "payment_intent": key[1], "currency": key[2], "captures": 0, "captured": 0,
             "refunds": 0, "refunded": 0, "net": 0, "metadata": row["metadata"]},
        )  # fmt: skip
        if row["kind"] not in MONEY:
            continue
        total["net"] += row["amount"]
        if row["kind"] == "charge.captured":
            total["captures"] += 1
            total["captured"] += row["amount"]
        elif row["kind"].startswith("refund."):
            total["refunds"] += 1 if row["kind"] == "refund.succeeded" else -1
            total["refunded"] -= row["amount"]
    return list(sums.values())


def payout_totals(database: Database, filters: dict[str, str]) -> list[dict[str, Any]]:
    """Per account of the bank and reference: how often paid and returned, and how much is left paid."""
    sums: dict[tuple[str, ...], dict[str, Any]] = {}
    for row in read(database, filters):
        if row["kind"] not in ("payout.paid", "payout.returned"):
            continue
        facts = row["metadata"]
        names = [name for name in ("ref_code", "batch_ref", "end_to_end_id", "msg_id") if name in facts]
        total = sums.setdefault(
            (row["account"], *(facts[name] for name in names)),
            {"account": row["account"], **{name: facts[name] for name in names}, "currency": row["currency"],
             "payments": 0, "paid": 0, "returns": 0, "returned": 0, "net": 0},
        )  # fmt: skip
        times, sum_ = ("payments", "paid") if row["kind"] == "payout.paid" else ("returns", "returned")
        total[times] += 1
        total[sum_] += abs(row["amount"])
        total["net"] -= row["amount"]
    return list(sums.values())
