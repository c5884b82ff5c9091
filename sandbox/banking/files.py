"""``/bank/files``: payment orders dropped as files, read a moment later, decided at the bank's next step."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import Any

from sandbox.banking import accounts, amounts, checks, magic, pain001, payments, reports, settling
from sandbox.banking.errors import BankError, reply
from sandbox.banking.pain001 import Line, Order, Refusal
from sandbox.psp.call import Call
from sandbox.server import Response
from sandbox.timestamps import iso

Row = dict[str, Any]

#: The alarm that lets a received file be read.
READ = "bank_file_read"


def put(call: Call) -> Response:
    """Receive a file. The same bytes under the same name are the same file; other bytes are refused."""
    content: bytes = call.params.values["content"]
    if not content:
        raise BankError(400, "empty", "The file is empty.")
    digest = hashlib.sha256(content).hexdigest()
    known = _find(call, call.target)
    if known is not None:
        if known["sha256"] != digest:
            raise BankError(409, "name_reused", "There is another file with this name.")
        return reply(200, shown(known))
    cursor = call.database.execute(
        "INSERT INTO bank_file (owner, name, sha256, content, received, state)"
        " VALUES (?, ?, ?, ?, ?, 'received')",
        (call.account, call.target, digest, content, call.clock),
    )
    call.remind(due=call.clock, kind=READ, target=str(cursor.lastrowid))
    return reply(201, shown(_file(call, int(cursor.lastrowid or 0))))


def retrieve(call: Call) -> Response:
    """``GET /bank/files/{name}``."""
    row = _find(call, call.target)
    if row is None:
        raise BankError(404, "not_found", "There is no file with this name.")
    return reply(200, shown(row))


def shown(row: Row) -> Row:
    """The file without its bytes. ``state`` is received, refused, accepted or settled."""
    return {
        "name": row["name"], "sha256": row["sha256"], "bytes": len(row["content"]),
        "received_at": iso(row["received"]), "state": row["state"], "msg_id": row["msg_id"],
        "reason": row["reason"],
    }  # fmt: skip


def read_by_clock(call: Call, target: str) -> None:
    """Read a received file: take its payments, or refuse it as a whole."""
    file = _file(call, int(target))
    try:
        order = pain001.read(file["content"])
        file |= {"msg_id": order.msg_id, "version": order.version}
        _check(call, order)
    except Refusal as error:
        file["msg_id"] = file["msg_id"] or error.msg_id
        file["version"] = file["version"] or error.version
        _mark(call, file, "refused", reason=error.code)
        reports.on_file(call, file, code=error.code, text=str(error))
        return
    _mark(call, file, "accepted")
    total = sum((Decimal(line.amount) for line in order.lines), Decimal(0))
    reports.on_file(call, file, count=len(order.lines), total=str(total))
    rejected = [row for line in order.lines if (row := _take(call, file, line))["state"] == "rejected"]
    settling.report_of(call, list(rejected))
    settling.schedule(call, settling.FILE, file["id"])


def _check(call: Call, order: Order) -> None:
    """What makes the bank refuse the whole order."""
    known = call.database.one(
        "SELECT name FROM bank_file WHERE owner = ? AND msg_id = ? AND state <> 'refused'",
        (call.account, order.msg_id),
    )
    if known is not None:
        raise Refusal("AM05", f"MsgId {order.msg_id} was in the file {known['name']}.")
    for line in order.lines:
        if not checks.good_iban(line.debtor):
            raise Refusal("AC02", "The IBAN of the account that shall pay is wrong.")
        if line.currency not in amounts.CURRENCIES:
            raise Refusal("FF01", f"{line.currency or 'An amount without Ccy'} is no currency.")
        if amounts.minor(line.amount, line.currency, exact=False) is None:
            raise Refusal("AM12", f"{line.amount} is no amount in {line.currency}.")


def _take(call: Call, file: Row, line: Line) -> Row:
    """Store one transaction: submitted, or rejected at once."""
    amount = amounts.minor(line.amount, line.currency, exact=False)
    assert amount is not None
    currency = line.debtor_currency if line.debtor_currency in amounts.CURRENCIES else line.currency
    account = accounts.ensure(call, line.debtor, str(currency))
    usual = call.database.setting("bank_outcome", "paid")
    plan = magic.plan_of(number=line.account, name=line.name, amount=amount, usual=usual)
    refused = (
        "AC01" if not checks.good_iban(line.account)
        else "AM03" if line.currency != account["currency"]
        else "AM01" if amount == 0
        else plan.refused
    )  # fmt: skip
    facts = {
        "source": "file", "batch": file["msg_id"], "ref": line.end_to_end, "fingerprint": file["sha256"],
        "file": file["id"], "part": line.part, "together": int(line.together), "name": line.name,
        "number": line.account, "debtor": line.debtor, "amount": amount, "currency": line.currency,
        "remittance": line.remittance,
    }  # fmt: skip
    return payments.insert(call, facts, plan, refused=refused)


def _find(call: Call, name: str) -> Row | None:
    return call.database.one(
        "SELECT * FROM bank_file WHERE owner = ? AND name = ?", (call.account, name)
    )  # fmt: skip


def _file(call: Call, identifier: int) -> Row:
    row = call.database.one("SELECT * FROM bank_file WHERE id = ?", (identifier,))
    assert row is not None, identifier
    return row


def _mark(call: Call, file: Row, state: str, *, reason: str | None = None) -> None:
    call.database.execute(
        "UPDATE bank_file SET state = ?, reason = ?, msg_id = ?, version = ? WHERE id = ?",
        (state, reason, file["msg_id"], file["version"], file["id"]),
    )
