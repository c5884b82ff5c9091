"""What the bank decides when its moment comes: pay, reject, defer, take back. Driven by the sandbox clock."""

from __future__ import annotations

from sandbox.banking import accounts, payments, reports
from sandbox.banking.magic import CALLBACKS, DAY, DEFERRED_SECONDS
from sandbox.banking.payments import Row
from sandbox.database import Database
from sandbox.faults import Fault
from sandbox.psp.call import Call

#: Kinds of alarms, and with ``clock.`` before them names of operations for faults.
PAYMENT, FILE, RETURN = "bank_payment", "bank_file", "bank_return"


def delay(database: Database) -> float | None:
    """Seconds between an order and its decision; ``None`` when the control API decides."""
    return None if (text := database.setting("bank_seconds", "0")) == "hold" else float(text)


def schedule(call: Call, kind: str, target: int) -> None:
    """Let a payment or a file be decided after the usual delay."""
    seconds = delay(call.database)
    if seconds is not None:
        call.remind(due=call.clock + seconds, kind=kind, target=str(target))


def by_clock(call: Call, target: str) -> None:
    """Decide one payment that is still open."""
    row = payments.by_id(call.database, int(target))
    report_of(call, [decide(call, row)])


def file_by_clock(call: Call, target: str) -> None:
    """Decide the open payments of one file together, and report on them together."""
    decide_file(call, int(target))


def decide_file(call: Call, identifier: int) -> None:
    """Decide what is open of a file."""
    rows = call.database.rows(
        "SELECT * FROM bank_payment WHERE file = ? AND state IN ('submitted', 'deferred') ORDER BY id",
        (identifier,),
    )
    report_of(call, [decide(call, row) for row in rows])
    call.database.execute("UPDATE bank_file SET state = 'settled' WHERE id = ?", (identifier,))


def return_by_clock(call: Call, target: str) -> None:
    """Take one paid payment back when its day has come."""
    row = payments.by_id(call.database, int(target))
    if row["state"] == "paid":
        report_of(call, [take_back(call, row, payments.plan(row).reason)])


def decide(call: Call, row: Row) -> Row | None:
    """Pay, reject or defer as planned; ``None`` when it was decided before."""
    plan = payments.plan(row)
    if row["state"] not in payments.OPEN:
        return None
    if plan.deferred and row["state"] == "submitted":
        return defer(call, row)
    return reject(call, row, plan.rejected) if plan.rejected else pay(call, row)


def defer(call: Call, row: Row) -> Row:
    """Put a payment off for a day."""
    call.remind(due=call.clock + DEFERRED_SECONDS, kind=PAYMENT, target=str(row["id"]))
    return payments.move(call, row, "deferred")


def reject(call: Call, row: Row, why: str) -> Row:
    """End an open payment without paying."""
    _ask_fault(call, row)
    return payments.move(call, row, "rejected", why=why)


def pay(call: Call, row: Row) -> Row:
    """Take the money from the account that pays, once, or reject the payment when there is too little."""
    account = accounts.ensure(call, row["debtor"], row["currency"])
    if accounts.balance(call.database, account) < row["amount"] + account["fee"]:
        return reject(call, row, "AM04")
    _ask_fault(call, row)
    accounts.book(call, account, "paid", -row["amount"], payment=row)
    if account["fee"]:
        accounts.book(call, account, "fee", -account["fee"], payment=row, text="Fee")
    days = payments.plan(row).days
    if days is not None:
        call.remind(due=call.clock + days * DAY, kind=RETURN, target=str(row["id"]))
    return payments.move(call, row, "paid")


def take_back(call: Call, row: Row, why: str) -> Row:
    """The receiving bank sends a paid payment back; its fee stays."""
    account = accounts.ensure(call, row["debtor"], row["currency"])
    accounts.book(call, account, "returned", row["amount"], payment=row)
    return payments.move(call, row, "returned", why=why)


def report_of(call: Call, decided: list[Row | None]) -> None:
    """Report on the payments of one file; those of the payables API were told of by events."""
    rows = [row for row in decided if row is not None and row["file"] is not None]
    if rows:
        reports.on_payments(call, rows)


def _ask_fault(call: Call, row: Row) -> None:
    kind = CALLBACKS.get(row["amount"])
    if kind is not None and row["source"] == "api":
        call.asked.append(Fault("magic", kind, options={}))


def open_targets(database: Database, where: dict[str, str]) -> list[tuple[str, str, int]]:
    """Owner, alarm and id of everything open, oldest first: ``owner``, ``batch`` and ``ref`` choose."""
    conditions = "".join(f" AND {name} = ?" for name in where)
    rows = database.rows(
        "SELECT owner, file, min(id) AS id FROM bank_payment WHERE state IN ('submitted', 'deferred')"  # noqa: S608
        f"{conditions} GROUP BY coalesce(-file, id), owner, file ORDER BY min(id)",
        tuple(where.values()),
    )
    return [
        (row["owner"], PAYMENT if row["file"] is None else FILE, row["file"] or row["id"]) for row in rows
    ]


def settings(database: Database) -> dict[str, object]:
    """How the bank is set."""
    return {"seconds": delay(database), "outcome": database.setting("bank_outcome", "paid")}
