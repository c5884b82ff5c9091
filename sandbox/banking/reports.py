"""``/bank/reports``: what the bank answers to files, in the order in which it answered."""

from __future__ import annotations

from sandbox.banking import pain002
from sandbox.banking.errors import BankError, reply
from sandbox.banking.payments import Row
from sandbox.psp.call import Call
from sandbox.server import Response
from sandbox.timestamps import iso

PAGE = 100


def on_file(
    call: Call, file: Row, *, count: int | None = None, total: str | None = None, code: str | None = None,
    text: str = "",
) -> None:  # fmt: skip
    """Write the technical answer to a file: accepted, or refused with ``code`` and ``text``."""
    number = _next(call)
    content = pain002.on_file(
        number=number, now=call.clock, file=file, count=count, total=total, code=code, text=text
    )
    _store(call, number, file, content)


def on_payments(call: Call, rows: list[Row]) -> None:
    """Write what became of transactions, which all stand in one file."""
    file = call.database.one("SELECT * FROM bank_file WHERE id = ?", (rows[0]["file"],))
    assert file is not None
    number = _next(call)
    _store(call, number, file, pain002.on_payments(number=number, now=call.clock, file=file, rows=rows))


def _next(call: Call) -> int:
    row = call.database.one("SELECT coalesce(max(seq), 0) + 1 AS n FROM bank_report")
    return 1 if row is None else int(row["n"])


def _store(call: Call, number: int, file: Row, content: str) -> None:
    stem = file["name"].rpartition(".")[0] or file["name"]
    call.database.execute(
        "INSERT INTO bank_report (seq, owner, name, at, content) VALUES (?, ?, ?, ?, ?)",
        (number, call.account, f"{stem}.pain002.{number}.xml", call.clock, content),
    )


def list_after(call: Call) -> Response:
    """``GET /bank/reports?after=``: reports after a number, oldest first."""
    after = str(call.params.values.get("after", "0"))
    if not after.isdigit():
        raise BankError(400, "after_invalid", "after is a number.", param="after")
    rows = call.database.rows(
        "SELECT seq, name, at, content FROM bank_report WHERE owner = ? AND seq > CAST(? AS INTEGER)"
        " ORDER BY seq LIMIT ?",
        (call.account, after, PAGE + 1),
    )
    data = [{**row, "at": iso(row["at"])} for row in rows[:PAGE]]
    return reply(200, {"data": data, "has_more": len(rows) > PAGE})
