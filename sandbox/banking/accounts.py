"""The accounts that pay: balances, entries, and the journal of effects that every entry also goes to."""

from __future__ import annotations

from typing import Any

from sandbox.banking import amounts
from sandbox.database import Database, dump
from sandbox.psp.call import Call

Row = dict[str, Any]

#: What a new account holds, in whole units of its currency.
OPENING = 1_000_000

#: Kinds of entries; the journal of effects calls them ``payout.…``.
KINDS = ("paid", "returned", "fee", "funding", "foreign", "settlement")


def of_payables(currency: str) -> str:
    """The account that pays the payables API's payments of one currency."""
    return f"PAYABLES-{currency}"


def ensure(call: Call, account: str, currency: str) -> Row:
    """The account, opened with the usual balance when it is new."""
    call.database.execute(
        "INSERT OR IGNORE INTO bank_account (owner, id, currency, opening) VALUES (?, ?, ?, ?)",
        (call.account, account, currency, OPENING * 10 ** amounts.places(currency)),
    )
    found = find(call.database, call.account, account)
    assert found is not None, account
    return found


def find(database: Database, owner: str, account: str) -> Row | None:
    """One account of an owner."""
    return database.one("SELECT * FROM bank_account WHERE owner = ? AND id = ?", (owner, account))


def balance(database: Database, account: Row, *, before: float | None = None) -> int:
    """Minor units on the account now, or before a moment."""
    row = database.one(
        "SELECT coalesce(sum(amount), 0) AS total FROM bank_entry"
        " WHERE owner = ?1 AND account = ?2 AND (?3 IS NULL OR at < ?3)",
        (account["owner"], account["id"], before),
    )
    return int(account["opening"]) + (0 if row is None else int(row["total"]))


def available(database: Database, account: Row) -> int:
    """The balance less what payments that are not decided yet will take, fees included."""
    row = database.one(
        "SELECT coalesce(sum(amount), 0) AS total, count(*) AS n FROM bank_payment"
        " WHERE owner = ? AND debtor = ? AND state IN ('submitted', 'deferred')",
        (account["owner"], account["id"]),
    )
    assert row is not None
    return balance(database, account) - int(row["total"]) - int(row["n"]) * int(account["fee"])


def book(
    call: Call, account: Row, kind: str, amount: int, *, payment: Row | None = None, text: str = "",
    facts: dict[str, str] | None = None,
) -> int:  # fmt: skip
    """One entry: ``amount`` in minor units, negative when money leaves the account; returns its number."""
    cursor = call.database.execute(
        "INSERT INTO bank_entry (at, owner, account, kind, amount, payment, text)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (call.clock, call.account, account["id"], kind, amount, payment and payment["id"], text),
    )
    told = {"debtor": account["id"], **(facts or {}), **({} if payment is None else _facts(payment))}
    call.database.execute(
        "INSERT INTO journal (at, kind, account, amount, currency, idempotency_key, request_id, operation,"
        " metadata) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            call.clock, f"payout.{kind}", call.account, amount, account["currency"].lower(),
            payment and payment["ref"], call.request_id, call.operation, dump(told),
        ),
    )  # fmt: skip
    return int(cursor.lastrowid or 0)


def _facts(payment: Row) -> dict[str, str]:
    names = ("ref_code", "batch_ref") if payment["source"] == "api" else ("end_to_end_id", "msg_id")
    return {"source": payment["source"], names[0]: payment["ref"], names[1]: payment["batch"],
            "creditor": payment["number"]}  # fmt: skip


def set_balance(call: Call, account: Row, amount: int) -> None:
    """Bring the balance to ``amount`` by an entry, so that earlier statements stay true."""
    difference = amount - balance(call.database, account)
    if difference:
        book(call, account, "funding", difference, text="Funding")


def shown(database: Database, account: Row) -> dict[str, Any]:
    """The account for the control API."""
    currency = account["currency"]
    return {
        "owner": account["owner"], "account": account["id"], "currency": currency,
        "balance": amounts.decimal(balance(database, account), currency),
        "available": amounts.decimal(available(database, account), currency),
        "fee": amounts.decimal(account["fee"], currency),
    }  # fmt: skip
