"""The truth about a day: what moved the balances, what was paid out, and what reached the bank.

Faults of reports and statements change nothing here.
"""

from __future__ import annotations

from typing import Any

from sandbox.database import Database
from sandbox.settlement import movements
from sandbox.timestamps import span

Row = dict[str, Any]


def day(database: Database, text: str, account: str | None = None) -> list[Row]:
    """Per account and currency, in minor units: activity by category, payouts made, credits of the bank."""
    first, after = span(text)
    accounts = database.rows(
        "SELECT DISTINCT account FROM movement WHERE (?1 IS NULL OR account = ?1)"
        " UNION SELECT DISTINCT account FROM bank_settlement WHERE (?1 IS NULL OR account = ?1)"
        " ORDER BY account",
        (account,),
    )
    found: list[Row] = []
    for row in accounts:
        found += _of_account(database, row["account"], first, after)
    return found


def _of_account(database: Database, account: str, first: float, after: float) -> list[Row]:
    totals: dict[str, Row] = {}
    for row in movements.sums(database, account, first=first, after=after):
        total = totals.setdefault(row["currency"], _nothing(account, row["currency"]))
        figures = {name: row[name] for name in ("count", "gross", "fee", "net")}
        if row["category"] in movements.PAYOUTS:
            total["payouts"]["count"] += row["count"]
            total["payouts"]["amount"] -= row["net"]
            continue
        total["categories"][row["category"]] = figures
        for name, value in figures.items():
            total[name] += value
    for row in _credits(database, account, first, after):
        total = totals.setdefault(row["currency"], _nothing(account, row["currency"]))
        total["bank_credits"] = {"count": row["count"], "amount": row["amount"]}
    return [totals[currency] for currency in sorted(totals)]


def _credits(database: Database, account: str, first: float, after: float) -> list[Row]:
    return database.rows(
        "SELECT lower(currency) AS currency, count(*) AS count, sum(amount) AS amount FROM bank_settlement s"
        " JOIN bank_entry entry ON entry.seq = s.entry"
        " JOIN bank_account place ON place.owner = entry.owner AND place.id = entry.account"
        " WHERE s.account = ? AND entry.at >= ? AND entry.at < ? GROUP BY currency",
        (account, first, after),
    )


def _nothing(account: str, currency: str) -> Row:
    return {
        "account": account, "currency": currency, "count": 0, "gross": 0, "fee": 0, "net": 0,
        "categories": {}, "payouts": {"count": 0, "amount": 0}, "bank_credits": {"count": 0, "amount": 0},
    }  # fmt: skip
