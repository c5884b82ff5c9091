"""The lines of reports: movements with what belongs to them, read page by page.

Nothing here holds the lock of the file for longer than one page takes.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sandbox.database import Database, place_of

Row = dict[str, Any]
PAGE = 500


@dataclass(frozen=True, slots=True)
class Line:
    """One movement, its source and charge, and the payout that settled it."""

    seq: int
    id: str
    currency: str
    created: int
    available: int
    gross: int
    fee: int
    net: int
    category: str
    source: str
    origin: Row
    charge: Row
    payout: Row
    #: As the amount is written; another one than ``currency`` only when a fault changed that.
    exponent: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a report shall hold: ``where`` over movements, with its values, and filters that people chose."""

    account: str
    where: str
    values: tuple[Any, ...]
    currency: str | None = None
    category: str | None = None

    def chosen(self, currency: str | None, category: str | None) -> Wanted:
        """The same cut down to a currency and a category, where they are given."""
        return Wanted(self.account, self.where, self.values, currency, category)

    def narrowed(self, where: str, *values: Any) -> Wanted:
        """The same with one more condition."""
        return Wanted(
            self.account, f"{self.where} AND {where}", (*self.values, *values), self.currency, self.category
        )


def pages(database: Database, wanted: Wanted) -> Iterator[list[Line]]:
    """The movements wanted, oldest first. Which they are is read at once, what they say page by page."""
    chosen = ""
    extra: list[Any] = []
    for column, value in (("currency", wanted.currency), ("category", wanted.category)):
        if value is not None:
            chosen += f" AND {column} = ?"
            extra.append(value)
    found = database.rows(
        f"SELECT seq FROM movement WHERE account = ? AND {wanted.where}{chosen} ORDER BY created, seq",  # noqa: S608
        (wanted.account, *wanted.values, *extra),
    )
    places = array("q", (row["seq"] for row in found))
    for start in range(0, len(places), PAGE):
        some = places[start : start + PAGE]
        rows = database.rows(
            f"SELECT * FROM movement WHERE seq IN ({', '.join('?' * len(some))}) ORDER BY created, seq",  # noqa: S608
            some,
        )
        yield _dressed(database, rows)


def _dressed(database: Database, rows: list[Row]) -> list[Line]:
    """Movements with their sources, the charges of these and the payouts, read for all of them at once."""
    origins = _objects(database, {row["source"] for row in rows})
    alone = _objects(database, {row["id"] for row in rows if not row["source"]})
    named = {_charge_of(origin) for origin in origins.values()} - {None, *origins}
    charges = {**origins, **_objects(database, {str(name) for name in named})}
    payouts = _objects(database, {row["payout"] for row in rows if row["payout"]})
    lines = []
    for row in rows:
        origin = origins.get(row["source"], {})
        if not row["source"]:  # a fee or a correction has no source, only words of its own
            origin = {"description": alone[row["id"]]["description"]}
        lines.append(
            Line(
                row["seq"], row["id"], row["currency"], row["created"], row["available"], row["gross"],
                row["fee"], row["net"], row["category"], row["source"], origin,
                charges.get(_charge_of(origin) or "", {}), payouts.get(row["payout"] or "", {}),
                row["currency"],
            )
        )  # fmt: skip
    return lines


def _charge_of(origin: Row) -> str | None:
    return origin["id"] if origin.get("object") == "charge" else origin.get("charge")


def _objects(database: Database, names: set[str]) -> dict[str, Row]:
    """Objects by their ids; ids of what the sandbox keeps no object of are left out."""
    places = [place_of(name) for name in names]
    if not places:
        return {}
    rows = database.rows(
        f"SELECT id, body FROM object WHERE seq IN ({', '.join('?' * len(places))})",  # noqa: S608
        places,
    )
    return {row["id"]: json.loads(row["body"]) for row in rows if row["id"] in names}


def activity(account: str, first: int, after: int) -> Wanted:
    """Everything but payouts, by the moment it was booked."""
    return Wanted(
        account, "created >= ? AND created < ? AND category NOT IN ('payout', 'payout_reversal')",
        (first, after),
    )  # fmt: skip


def paid_out(account: str, first: int, after: int) -> Wanted:
    """Payouts and what came back of them, by the moment it was booked."""
    return Wanted(
        account, "created >= ? AND created < ? AND category IN ('payout', 'payout_reversal')", (first, after)
    )


def settled(account: str, payout: str) -> Wanted:
    """What an automatic payout is made of, without itself."""
    return Wanted(account, "payout = ? AND source <> payout", (payout,))


def open_at(account: str, moment: int) -> Wanted:
    """What makes up the balance at a moment: booked before it, and not settled by then."""
    return Wanted(account, "created < ? AND (settled_at IS NULL OR settled_at >= ?)", (moment, moment))


def arriving(database: Database, account: str, first: int, after: int) -> list[Row]:
    """The automatic payouts that arrive from ``first`` until ``after``, in order."""
    rows = database.rows(
        "SELECT body FROM object WHERE account = ? AND type = 'payout' AND type <> 'event'"
        " AND json_extract(body, '$.automatic') AND json_extract(body, '$.arrival_date') >= ?"
        " AND json_extract(body, '$.arrival_date') < ? ORDER BY seq",
        (account, first, after),
    )
    return [json.loads(row["body"]) for row in rows]
