"""Which lines and entries a fault strikes, drawn once when its day is over.

The draw depends on the seed and on the order of what happened that day, never on ids or on timing.
"""

from __future__ import annotations

import json
from typing import Any

from sandbox.database import Database, dump
from sandbox.psp.charges import fee_of
from sandbox.settlement import faults, schedule
from sandbox.settlement.faults import Fault
from sandbox.timestamps import day_of

Row = dict[str, Any]

#: Category that no consumer knows.
UNKNOWN = "unicorn_adjustment"
#: A line that nobody caused is so much dearer than the line it stands next to.
DEARER = 7
#: Seconds after the end of its day until a late file is there, when nobody said.
LATE = 6 * 3600


def draw_due(database: Database, now: float) -> None:
    """Draw the lines of every fault whose day is over. To be called within a transaction."""
    for fault in faults.find(database, undrawn=True):
        if fault.span[1] > now:
            continue
        if fault.kind in faults.LINES:
            _draw_lines(database, fault)
        elif fault.kind in faults.CREDITS:
            _draw_credits(database, fault)
        elif fault.kind in faults.STATEMENTS:
            _draw_statements(database, fault)
        elif fault.kind == "file_late":
            faults.note(
                database, fault, line=0, before={"available": fault.span[1]},
                after={"available": available_from(fault)},
            )  # fmt: skip
        database.execute("UPDATE settlement_fault SET drawn = 1 WHERE id = ?", (fault.id,))
    _find_partners(database)


def available_from(fault: Fault) -> float:
    """Until when a late file keeps people waiting."""
    return float(fault.options.get("until", fault.span[1] + LATE))


def _draw_lines(database: Database, fault: Fault) -> None:
    taken = ", ".join(f"'{kind}'" for kind in faults.LINES)
    rows = database.rows(
        "SELECT seq, id, currency, gross, fee, net, category, source FROM movement"  # noqa: S608 - kinds are ours
        " WHERE account = ?1 AND created >= ?2 AND created < ?3 AND (?4 IS NULL OR category = ?4)"
        " AND category NOT IN ('payout', 'payout_reversal') AND seq NOT IN"
        f" (SELECT line FROM settlement_change WHERE account = ?1 AND kind IN ({taken}))"
        " ORDER BY created, seq",
        (fault.account, *fault.span, fault.options.get("category")),
    )
    for n in faults.ranked(fault.seed, fault.kind, len(rows))[: fault.count]:
        before = {
            "balance_transaction_id": rows[n]["id"], "source_id": rows[n]["source"],
            "currency": rows[n]["currency"], "gross": rows[n]["gross"], "fee": rows[n]["fee"],
            "net": rows[n]["net"], "reporting_category": rows[n]["category"],
        }  # fmt: skip
        line = rows[n]["seq"]
        if fault.kind == "line_extra":
            faults.note(database, fault, line=line, before=None, after=_invented(fault, before, n))
        else:
            faults.note(database, fault, line=line, before=before, after=_changed(fault, before))


def _changed(fault: Fault, before: Row) -> Row | None:
    """What a line says instead, in minor units; ``None``: nothing, it is not there."""
    by = int(fault.options.get("by", 1))
    if fault.kind == "line_missing":
        return None
    if fault.kind == "line_duplicated":
        return {**before, "times": 2}
    if fault.kind == "late_to_next_day":
        return {**before, "day": day_of(fault.span[1])}
    other = {
        "amount_wrong": {"gross": before["gross"] + by, "net": before["net"] + by},
        "fee_wrong": {"fee": before["fee"] + by, "net": before["net"] - by},
        "currency_wrong": {"currency": "eur" if before["currency"] == "usd" else "usd"},
        "unknown_category": {"reporting_category": UNKNOWN},
    }
    return {**before, **other[fault.kind]}


def _invented(fault: Fault, near: Row, n: int) -> Row:
    gross = abs(near["gross"]) + DEARER
    fee = fee_of(gross)
    return {
        "balance_transaction_id": f"txn_{faults.names(fault.seed, f'line {n}')}",
        "source_id": f"ch_{faults.names(fault.seed, f'charge {n}')}",
        "payment_intent_id": f"pi_{faults.names(fault.seed, f'payment {n}')}",
        "currency": near["currency"], "gross": gross, "fee": fee, "net": gross - fee,
        "reporting_category": "charge",
    }  # fmt: skip


def _draw_credits(database: Database, fault: Fault) -> None:
    taken = ", ".join(f"'{kind}'" for kind in faults.CREDITS)
    rows = database.rows(
        "SELECT entry.seq, entry.amount, settlement.payout, entry.owner, entry.account, currency"  # noqa: S608
        " FROM bank_settlement settlement JOIN bank_entry entry ON entry.seq = settlement.entry"
        " JOIN bank_account place ON place.owner = entry.owner AND place.id = entry.account"
        " WHERE settlement.account = ?1 AND entry.at >= ?2 AND entry.at < ?3"
        " AND (?4 IS NULL OR lower(currency) = lower(?4)) AND entry.seq NOT IN"
        f" (SELECT line FROM settlement_change WHERE kind IN ({taken}) UNION ALL"
        " SELECT json_extract(after, '$.into') FROM settlement_change WHERE kind = 'bank_credits_merged'"
        " AND json_extract(after, '$.into') IS NOT NULL) ORDER BY entry.seq",
        (fault.account, *fault.span, fault.options.get("currency")),
    )
    for n in faults.ranked(fault.seed, fault.kind, len(rows))[: fault.count]:
        row = rows[n]
        before = {
            "entry": row["seq"], "source_id": row["payout"], "bank_account": row["account"],
            "currency": row["currency"], "amount": row["amount"],
        }  # fmt: skip
        faults.note(database, fault, line=row["seq"], before=before, after=_credited(fault, before))


def _credited(fault: Fault, before: Row) -> Row | None:
    amount = before["amount"]
    if fault.kind == "bank_credit_missing":
        return None
    if fault.kind == "bank_credit_split":
        part = amount * 2 // 5
        return {**before, "amounts": [part, amount - part]}
    if fault.kind == "bank_credits_merged":
        return {**before, "into": None}
    return {**before, "amount": amount + int(fault.options.get("by", 1))}


def _find_partners(database: Database) -> None:
    """A credit that shall stand in another one waits until the next of its account is there."""
    rows = database.rows(
        "SELECT change.seq, change.after, change.line FROM settlement_change change"
        " WHERE kind = 'bank_credits_merged' AND json_extract(after, '$.into') IS NULL ORDER BY seq"
    )
    for row in rows:
        partner = database.one(
            "SELECT entry.seq, settlement.payout FROM bank_entry entry"
            " JOIN bank_settlement settlement ON settlement.entry = entry.seq"
            " JOIN bank_entry mine ON mine.seq = ? AND mine.owner = entry.owner"
            " AND mine.account = entry.account AND entry.seq > mine.seq"
            " WHERE entry.seq NOT IN (SELECT line FROM settlement_change WHERE kind LIKE 'bank_credit%')"
            " ORDER BY entry.seq LIMIT 1",
            (row["line"],),
        )
        if partner is not None:
            after = {**json.loads(row["after"]), "into": partner["seq"], "into_payout": partner["payout"]}
            database.execute(
                "UPDATE settlement_change SET after = ? WHERE seq = ?", (dump(after), row["seq"])
            )


def _draw_statements(database: Database, fault: Fault) -> None:
    for place in places(database, fault):
        facts = {"bank_account": place["id"], "currency": place["currency"], "day": fault.day}
        after = None if fault.kind == "statement_missing" else {**facts, "again_with": day_of(fault.span[1])}
        faults.note(database, fault, line=0, before=facts, after=after)


def places(database: Database, fault: Fault) -> list[Row]:
    """The accounts of the bank that a fault of statements is about."""
    settlement = schedule.of(database, fault.account)
    wanted = fault.options.get("currency")
    rows = database.rows("SELECT * FROM bank_account WHERE owner = ? ORDER BY id", (settlement.owner or "",))
    return [
        row for row in rows
        if settlement.place(row["currency"].lower()) == row["id"]
        and wanted in (None, row["currency"].lower(), row["currency"])
    ]  # fmt: skip
