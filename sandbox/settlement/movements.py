"""Movements of balances: recorded with their balance transaction, marked by the payout that settles them."""

from __future__ import annotations

from typing import Any

from sandbox.database import Database, place_of
from sandbox.psp.call import Call, Object

Row = dict[str, Any]

#: Categories of the payouts themselves, which reports keep apart from activity.
PAYOUTS = ("payout", "payout_reversal")


def record(call: Call, transaction: Object) -> None:
    """Keep a balance transaction that was just booked as a movement."""
    call.database.execute(
        "INSERT INTO movement (seq, id, account, currency, created, available, gross, fee, net, category,"
        " source) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            place_of(transaction["id"]), transaction["id"], call.account, transaction["currency"],
            transaction["created"], transaction["available_on"], transaction["amount"], transaction["fee"],
            transaction["net"], transaction["reporting_category"], transaction["source"] or "",
        ),
    )  # fmt: skip


def open_sums(call: Call, *, until: int) -> dict[str, int]:
    """What the call's account has available at a moment and no payout settled, in minor units per currency.

    A currency stands here when something is open in it, also when that adds up to nothing.
    """
    rows = call.database.rows(
        "SELECT currency, sum(net) AS net FROM movement WHERE account = ? AND payout IS NULL"
        " AND available <= ? GROUP BY currency ORDER BY currency",
        (call.account, until),
    )
    return {row["currency"]: int(row["net"]) for row in rows}


def settle(call: Call, *, currency: str, until: int, payout: str) -> None:
    """Mark what is available of a currency at a moment as settled by a payout."""
    call.database.execute(
        "UPDATE movement SET payout = ?, settled_at = ? WHERE account = ? AND currency = ?"
        " AND payout IS NULL AND available <= ?",
        (payout, call.now, call.account, currency, until),
    )


def settle_itself(call: Call, transaction: str, payout: str) -> None:
    """Mark the payout's own movement, so that what it settled and itself add up to nothing."""
    call.database.execute(
        "UPDATE movement SET payout = ?, settled_at = ? WHERE seq = ?",
        (payout, call.now, place_of(transaction)),
    )


def sums(database: Database, account: str, *, first: float, after: float) -> list[Row]:
    """Gross, fee, net and count per currency and category of what was booked in an interval."""
    return database.rows(
        "SELECT currency, category, count(*) AS count, sum(gross) AS gross, sum(fee) AS fee, sum(net) AS net"
        " FROM movement WHERE account = ? AND created >= ? AND created < ? GROUP BY currency, category"
        " ORDER BY currency, category",
        (account, first, after),
    )
