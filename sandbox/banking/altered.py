"""What faults make of a statement: credits of payouts that are missing, split, put together or wrong.

The statement still adds up: its balances are those of the entries it shows, on this day and on earlier ones.
The entries themselves stay as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sandbox.database import Database
from sandbox.settlement import drawing, faults
from sandbox.settlement.faults import Fault

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Altered:
    """Entries by their number to what stands in their place, and how much that changes which moment."""

    instead: dict[int, list[Row]]
    moved: list[tuple[float, int]]

    def entries(self, rows: list[Row]) -> list[Row]:
        """The entries that the statement shows for these."""
        return [shown for row in rows for shown in self.instead.get(row["seq"], [row])]

    def balance(self, amount: int, before: float) -> int:
        """The balance before a moment as the statements show it."""
        return amount + sum(by for at, by in self.moved if at < before)


def of(database: Database, owner: str, account: str, entries: str) -> Altered:
    """What is altered on an account. ``entries`` selects entries as statements need them, up to its WHERE."""
    rows = database.rows(
        "SELECT DISTINCT s.account FROM bank_settlement s JOIN bank_entry e ON e.seq = s.entry"
        " WHERE e.owner = ? AND e.account = ?",
        (owner, account),
    )
    changes = [
        change
        for row in rows
        for change in faults.changes(database, account=row["account"], kinds=faults.CREDITS)
    ]
    named = {change["line"] for change in changes} | {
        change["after"]["into"] for change in changes if change["after"] and change["after"].get("into")
    }
    found = database.rows(
        f"{entries} WHERE entry.owner = ? AND entry.account = ?"
        f" AND entry.seq IN ({', '.join('?' * len(named))}) ORDER BY entry.seq",
        (owner, account, *named),
    )
    instead = {row["seq"]: [row] for row in found}
    for change in changes:
        if change["line"] in instead:
            _alter(instead, change)
    moved = [
        (row["at"], sum(shown["amount"] for shown in instead[row["seq"]]) - row["amount"]) for row in found
    ]
    return Altered(instead, moved)


def _alter(instead: dict[int, list[Row]], change: Row) -> None:
    (row,) = instead[change["line"]]
    after, kind = change["after"], change["kind"]
    if kind == "bank_credit_amount":
        instead[row["seq"]] = [{**row, "amount": after["amount"]}]
        return
    if kind == "bank_credit_split":
        instead[row["seq"]] = [
            {**row, "amount": amount, "piece": f"-{n}"} for n, amount in enumerate(after["amounts"], 1)
        ]
        return
    instead[row["seq"]] = []
    if kind == "bank_credits_merged" and after["into"] in instead:
        (other,) = instead[after["into"]]
        text = f"{row['text']} {other['text']}"
        instead[after["into"]] = [{**other, "amount": other["amount"] + row["amount"], "text": text}]


def statement_faults(database: Database, owner: str, account: str, day: str, kind: str) -> list[Fault]:
    """The faults of a whole statement that strike an account's statement of a day."""
    rows = database.rows("SELECT account FROM settlement_account WHERE owner = ?", (owner,))
    found = [
        fault for row in rows for fault in faults.find(database, account=row["account"], kinds=(kind,))
        if fault.day == day
    ]  # fmt: skip
    return [
        fault for fault in found if any(place["id"] == account for place in drawing.places(database, fault))
    ]
