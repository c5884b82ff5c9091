"""``/bank/statements/{account}``: one day of an account, as camt.053.001.08."""

from __future__ import annotations

from typing import Any

from sandbox.banking import accounts, camt053
from sandbox.banking.errors import BankError
from sandbox.psp.call import Call
from sandbox.server import Response
from sandbox.timestamps import day_of, span

Row = dict[str, Any]


def retrieve(call: Call) -> Response:
    """The statement of ``date`` (UTC), today when not said. Of a day that is not over: as it stands."""
    day = str(call.params.values.get("date") or day_of(call.clock))
    try:
        first, after = span(day)
    except ValueError:
        raise BankError(400, "date_invalid", "date is a day such as 2026-11-30.", param="date") from None
    account = accounts.find(call.database, call.account, call.target)
    if account is None:
        raise BankError(404, "not_found", "There is no such account.")
    rows = call.database.rows(
        "SELECT entry.*, file, part, together, source, batch, ref, name, number, remittance, reason, payout"
        " FROM bank_entry entry LEFT JOIN bank_payment payment ON payment.id = entry.payment"
        " LEFT JOIN bank_settlement settlement ON settlement.entry = entry.seq"
        " WHERE entry.owner = ? AND entry.account = ? AND at >= ? AND at < ? ORDER BY entry.seq",
        (call.account, call.target, first, after),
    )
    content = camt053.write(
        now=call.clock, day=day, account=account, groups=_grouped(rows),
        opening=accounts.balance(call.database, account, before=first),
        closing=accounts.balance(call.database, account, before=after),
    )  # fmt: skip
    return Response(200, content.encode(), "application/xml")


def _grouped(rows: list[Row]) -> list[list[Row]]:
    """Entries as they are booked: payments of a part that is booked together make one."""
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        together = row["kind"] == "paid" and row["together"]
        key = ("part", row["file"], row["part"]) if together else ("entry", row["seq"])
        groups.setdefault(key, []).append(row)
    return list(groups.values())
