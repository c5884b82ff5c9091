"""The balance summary: where the balance started, what moved it, what was paid out, where it ended."""

from __future__ import annotations

from collections import Counter, defaultdict

from sandbox.database import Database
from sandbox.reporting.columns import major, moment
from sandbox.settlement import movements

#: Rows of each currency in order, and their descriptions; the two balances are followed by their day.
DESCRIPTIONS = {
    "starting_balance": "Starting balance",
    "activity_gross": "Account activity before fees",
    "activity_fee": "Less fees",
    "activity": "Net balance change from activity",
    "payouts_gross": "Payouts before fees",
    "payouts_fee": "Less payout fees",
    "payouts": "Net balance change from payouts",
    "ending_balance": "Ending balance",
}


def figures(database: Database, account: str, first: int, after: int) -> dict[str, Counter[str]]:
    """Minor units per currency and row, signed: start, activity and payouts add up to the end.

    Fees and payouts are negative where they take from the balance.
    """
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for row in movements.sums(database, account, first=0, after=first):
        found[row["currency"]]["starting_balance"] += row["net"]
    for row in movements.sums(database, account, first=first, after=after):
        kind = "payouts" if row["category"] in movements.PAYOUTS else "activity"
        sums = found[row["currency"]]
        sums[f"{kind}_gross"] += row["gross"]
        sums[f"{kind}_fee"] -= row["fee"]
        sums[kind] += row["net"]
    for sums in found.values():
        sums["ending_balance"] = sums["starting_balance"] + sums["activity"] + sums["payouts"]
    return dict(found)


def rows(
    database: Database, account: str, *, first: int, after: int, currency: str | None
) -> list[dict[str, str]]:
    """The report's rows by their columns."""
    written = []
    for code, sums in sorted(figures(database, account, first, after).items()):
        if currency not in (None, code):
            continue
        for category, words in DESCRIPTIONS.items():
            day = {"starting_balance": first, "ending_balance": after}.get(category)
            dated = words if day is None else f"{words} ({moment(day)[:10]})"
            written.append(
                {"category": category, "currency": code, "description": dated,
                 "net_amount": major(sums[category], code)}
            )  # fmt: skip
    return written
