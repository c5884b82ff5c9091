"""``/bank/statements/{account}``: one day of an account, as camt.053.001.08."""

from __future__ import annotations

from typing import Any

from sandbox.banking import accounts, altered, camt053
from sandbox.banking.errors import BankError
from sandbox.psp.call import Call
from sandbox.server import Response
from sandbox.settlement import drawing
from sandbox.timestamps import day_of, span

Row = dict[str, Any]

#: Entries with what they were ordered by, or the payout that they are.
ENTRIES = (
    "SELECT entry.*, file, part, together, source, batch, ref, name, number, remittance, reason, payout"
    " FROM bank_entry entry LEFT JOIN bank_payment payment ON payment.id = entry.payment"
    " LEFT JOIN bank_settlement settlement ON settlement.entry = entry.seq"
)


def retrieve(call: Call) -> Response:
    """The statement of ``date`` (UTC), today when not said. Of a day that is not over: as it stands."""
    day = str(call.params.values.get("date") or day_of(call.clock))
    try:
        first, _ = span(day)
    except ValueError:
        raise BankError(400, "date_invalid", "date is a day such as 2026-11-30.", param="date") from None
    account = accounts.find(call.database, call.account, call.target)
    if account is None:
        raise BankError(404, "not_found", "There is no such account.")
    drawing.draw_due(call.database, call.clock)
    if _struck(call, day, "statement_missing"):
        raise BankError(404, "not_found", "There is no statement of this day.")
    yesterday = day_of(first - 1)
    days = [yesterday, day] if _struck(call, yesterday, "statement_duplicate") else [day]
    content = camt053.write(now=call.clock, statements=[_of_day(call, account, each) for each in days])
    return Response(200, content.encode(), "application/xml")


def _struck(call: Call, day: str, kind: str) -> bool:
    """Whether a fault strikes the account's statement of a day that is over."""
    if span(day)[1] > call.clock:
        return False
    return bool(altered.statement_faults(call.database, call.account, call.target, day, kind))


def _of_day(call: Call, account: Row, day: str) -> camt053.Statement:
    first, after = span(day)
    rows = call.database.rows(
        f"{ENTRIES} WHERE entry.owner = ? AND entry.account = ? AND at >= ? AND at < ? ORDER BY entry.seq",
        (call.account, call.target, first, after),
    )
    changed = altered.of(call.database, call.account, call.target, ENTRIES)
    return camt053.Statement(
        day=day, account=account, groups=_grouped(changed.entries(rows)),
        opening=changed.balance(accounts.balance(call.database, account, before=first), first),
        closing=changed.balance(accounts.balance(call.database, account, before=after), after),
    )  # fmt: skip


def _grouped(rows: list[Row]) -> list[list[Row]]:
    """Entries as they are booked: payments of a part that is booked together make one."""
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        together = row["kind"] == "paid" and row["together"]
        key = ("part", row["file"], row["part"]) if together else ("entry", row["seq"], row.get("piece"))
        groups.setdefault(key, []).append(row)
    return list(groups.values())
