"""Faults of settlement: what is armed for which day, and the answer key of what was changed.

A fault is armed for an account and a day. When that day is over its lines are drawn from the seed
(``sandbox.settlement.drawing``) and kept, so that a report or statement that is fetched twice says the same.
Only files lie: journal, balances and accounts of the bank stay as they are.
"""

from __future__ import annotations

import hashlib
import json
import random
from dataclasses import dataclass
from typing import Any

from sandbox.database import Database, dump
from sandbox.reporting.catalogue import CATEGORIES, TYPES
from sandbox.settlement import schedule
from sandbox.timestamps import moment_of, span

Row = dict[str, Any]

LINES = (
    "line_missing", "line_extra", "amount_wrong", "fee_wrong", "line_duplicated", "currency_wrong",
    "unknown_category", "late_to_next_day",
)  # fmt: skip
FILES = ("file_late", "file_truncated", "report_failed")
CREDITS = ("bank_credit_missing", "bank_credit_split", "bank_credits_merged", "bank_credit_amount")
STATEMENTS = ("statement_missing", "statement_duplicate")
KINDS = (*LINES, *FILES, *CREDITS, *STATEMENTS)
#: Stands for ``count`` faults of lines, drawn from the seed.
MIXED = "mixed"

#: Which options each kind takes, besides ``count`` of lines and credits.
OPTIONS = {
    **{kind: {"category"} for kind in LINES},
    "amount_wrong": {"category", "by"}, "fee_wrong": {"category", "by"},
    "file_late": {"report_type", "until"}, "file_truncated": {"report_type", "where"},
    "report_failed": {"report_type"},
    **{kind: {"currency"} for kind in (*CREDITS, *STATEMENTS)}, "bank_credit_amount": {"currency", "by"},
}  # fmt: skip
#: A sum that is no rounding, for ``mixed``.
REAL_SUM = 1234


@dataclass(frozen=True, slots=True)
class Fault:
    """One armed fault."""

    id: int
    account: str
    kind: str
    day: str
    seed: str
    count: int
    options: Row
    drawn: bool
    withdrawn: bool

    @property
    def span(self) -> tuple[int, int]:
        """First moment of its day and of the next."""
        first, after = span(self.day)
        return int(first), int(after)


def _fault(row: Row) -> Fault:
    return Fault(
        row["id"], row["account"], row["kind"], row["day"], row["seed"], row["count"],
        json.loads(row["options"]), bool(row["drawn"]), bool(row["withdrawn"]),
    )  # fmt: skip


def arm(
    database: Database, *, account: str, kind: str, day: str, seed: str, count: int, options: Row
) -> list[Fault]:
    """Arm a fault for a day, or with ``mixed`` several of lines; ValueError when the description is wrong."""
    if kind == MIXED:
        if options:
            raise ValueError(f"{MIXED} takes no {', '.join(sorted(options))}")
        drawn = random.Random(f"{seed}/{day}")  # noqa: S311 - to be the same again, not to be secret
        chosen = [(each, _sum_of(each, drawn)) for each in drawn.choices(LINES, k=count)]
        return [
            _insert(database, account, each, day, f"{seed}/{n}", 1, by) for n, (each, by) in enumerate(chosen)
        ]
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join((*KINDS, MIXED))}")
    if count < 1:
        raise ValueError("count is 1 or more")
    span(day)
    _check(kind, options)
    if kind in (*CREDITS, *STATEMENTS) and schedule.of(database, account).owner is None:
        raise ValueError("this account has no bank: POST settlement_accounts first")
    return [_insert(database, account, kind, day, seed, count, options)]


def _sum_of(kind: str, drawn: random.Random) -> Row:
    return {"by": drawn.choice((1, REAL_SUM))} if "by" in OPTIONS[kind] else {}


def _check(kind: str, options: Row) -> None:
    unknown = set(options) - OPTIONS[kind]
    if unknown:
        raise ValueError(f"{kind} takes no {', '.join(sorted(unknown))}")
    if "by" in options and (not isinstance(options["by"], int) or options["by"] == 0):
        raise ValueError("by is a number of minor units, not 0")
    if options.get("report_type") not in (None, *TYPES):
        raise ValueError(f"report_type must be one of {', '.join(TYPES)}")
    if options.get("category") not in (None, *CATEGORIES):
        raise ValueError(f"no reporting category {options['category']}")
    if options.get("where") not in (None, "middle", "line"):
        raise ValueError("where is middle (of a line) or line (between two)")
    if "until" in options:
        options["until"] = moment_of(options["until"])


def _insert(
    database: Database, account: str, kind: str, day: str, seed: str, count: int, options: Row
) -> Fault:  # fmt: skip
    cursor = database.execute(
        "INSERT INTO settlement_fault (account, kind, day, seed, count, options) VALUES (?, ?, ?, ?, ?, ?)",
        (account, kind, day, seed, count, dump(options)),
    )
    return _fault(_only(database, int(cursor.lastrowid or 0)))


def _only(database: Database, identifier: int) -> Row:
    row = database.one("SELECT * FROM settlement_fault WHERE id = ?", (identifier,))
    assert row is not None, identifier
    return row


def withdraw(database: Database, identifier: int | None) -> int:
    """Let one fault, or all, strike no longer: files made from now on are right. Returns how many."""
    cursor = database.execute(
        "UPDATE settlement_fault SET withdrawn = 1 WHERE withdrawn = 0 AND (?1 IS NULL OR id = ?1)",
        (identifier,),
    )
    return cursor.rowcount


def find(
    database: Database, *, account: str | None = None, kinds: tuple[str, ...] = KINDS, undrawn: bool = False
) -> list[Fault]:
    """Faults that still strike, in the order in which they were armed."""
    rows = database.rows(
        f"SELECT * FROM settlement_fault WHERE withdrawn = 0 AND kind IN ({', '.join('?' * len(kinds))})"  # noqa: S608
        f" AND (? IS NULL OR account = ?){' AND drawn = 0' if undrawn else ''} ORDER BY id",
        (*kinds, account, account),
    )
    return [_fault(row) for row in rows]


def changes(database: Database, *, account: str, kinds: tuple[str, ...]) -> list[Row]:
    """What faults that still strike changed: ``line``, ``kind``, ``before`` and ``after``."""
    rows = database.rows(
        "SELECT change.* FROM settlement_change change"  # noqa: S608 - only question marks are put in
        " JOIN settlement_fault fault ON fault.id = change.fault"
        f" WHERE withdrawn = 0 AND change.account = ? AND change.kind IN ({', '.join('?' * len(kinds))})"
        " ORDER BY change.seq",
        (account, *kinds),
    )
    return [_opened(row) for row in rows]


def _opened(row: Row) -> Row:
    return {**row, "before": json.loads(row["before"]), "after": json.loads(row["after"])}


def note(database: Database, fault: Fault, *, line: int, before: Any, after: Any) -> None:
    """Write one change into the answer key."""
    database.execute(
        "INSERT INTO settlement_change (fault, kind, account, line, before, after) VALUES (?, ?, ?, ?, ?, ?)",
        (fault.id, fault.kind, fault.account, line, dump(before), dump(after)),
    )


def describe(database: Database, fault: Fault) -> Row:
    """A fault as the control API shows it, with the answer key: exactly what was changed."""
    rows = database.rows("SELECT * FROM settlement_change WHERE fault = ? ORDER BY seq", (fault.id,))
    changed = [_opened(row) for row in rows]
    return {
        "id": fault.id, "kind": fault.kind, "account": fault.account, "day": fault.day, "seed": fault.seed,
        "count": fault.count, "options": fault.options, "drawn": fault.drawn, "withdrawn": fault.withdrawn,
        "changes": [
            {"kind": row["kind"], "source_id": _source(row), "before": row["before"], "after": row["after"]}
            for row in changed
        ],
    }  # fmt: skip


def _source(row: Row) -> str | None:
    facts = row["before"] or row["after"] or {}
    found: str | None = facts.get("source_id")
    return found


def key(database: Database, account: str | None) -> list[Row]:
    """Every fault that was ever armed, with its answer key."""
    rows = database.rows(
        "SELECT * FROM settlement_fault WHERE ?1 IS NULL OR account = ?1 ORDER BY id", (account,)
    )
    return [describe(database, _fault(row)) for row in rows]


def ranked(seed: str, kind: str, count: int) -> list[int]:
    """The numbers below ``count`` in an order that the seed alone decides."""
    return sorted(range(count), key=lambda n: hashlib.sha256(f"{seed}:{kind}:{n}".encode()).digest())


def names(seed: str, what: str) -> str:
    """Twenty-four hexadecimal digits for an id that nothing has, always the same for a seed."""
    return hashlib.sha256(f"{seed}:{what}".encode()).hexdigest()[:24]
