"""``/bank/v1/payees``: who can be paid, and where."""

from __future__ import annotations

import json
import re
from typing import Any

from sandbox.banking import amounts, checks, payments
from sandbox.banking.errors import BankError, reason, reply
from sandbox.banking.magic import UNPAYABLE
from sandbox.database import Database, dump
from sandbox.psp.call import Call
from sandbox.server import Response

Row = dict[str, Any]

COUNTRY = re.compile(r"[A-Z]{2}")
NUMBER = re.compile(r"[0-9]{4,17}")


def text(values: Row, name: str, *, limit: int = 140, within: str = "") -> str:
    """A text that must be there."""
    value = values.get(name)
    if not isinstance(value, str) or not 1 <= len(value) <= limit or not value.isprintable():
        raise BankError(
            400, "parameter_invalid", f"{name} is a text of 1 to {limit} characters.", param=within + name
        )
    return value


def put(call: Call) -> Response:
    """Store a payee, new or changed; a wrong account number makes it not payable, and is no error."""
    values = call.params.values
    row = {"owner": call.account, "ref": call.target, "name": text(values, "name"), **_account(values)}
    row["currency"], row["country"] = text(values, "currency"), text(values, "country")
    if row["currency"] not in amounts.CURRENCIES:
        raise BankError(400, "parameter_invalid", "currency is a code of ISO 4217.", param="currency")
    if COUNTRY.fullmatch(row["country"]) is None:
        raise BankError(400, "parameter_invalid", "country is a code of ISO 3166.", param="country")
    known = find(call.database, call.account, call.target)
    frozen = None if known is None else known["frozen"]
    why = _faults(row, frozen)
    row |= {"payable": int(not why), "reasons": dump(why), "frozen": frozen}
    call.database.execute(
        f"INSERT OR REPLACE INTO bank_payee ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})",  # noqa: S608
        tuple(row.values()),
    )
    if known is None or known != row:
        payments.emit(call, "payee.changed", call.target, shown(row))
    return reply(201 if known is None else 200, shown(row))


def _account(values: Row) -> Row:
    account = values.get("account")
    if not isinstance(account, dict) or account.get("type") not in ("iban", "us_account"):
        raise BankError(
            400, "parameter_invalid", "account has the type iban or us_account.", param="account.type"
        )
    if account["type"] == "iban":
        iban = text(account, "iban", limit=42, within="account.").replace(" ", "").upper()
        return {"kind": "iban", "number": iban, "routing": None}
    number = text(account, "account_number", limit=17, within="account.")
    routing = text(account, "routing_number", limit=9, within="account.")
    return {"kind": "us_account", "number": number, "routing": routing}


def _faults(row: Row, frozen: str | None) -> list[str]:
    """Why a payee cannot be paid."""
    if row["kind"] == "iban":
        good = checks.good_iban(row["number"])
    else:
        good = checks.good_routing(row["routing"]) and NUMBER.fullmatch(row["number"]) is not None
    found = [] if good else ["AC01"]
    if row["number"].endswith(UNPAYABLE):
        found.append("AC06")
    return [*found, frozen] if frozen else found


def freeze(call: Call, *, why: str | None) -> Row:
    """Make a payee not payable, or payable again as far as its account is right."""
    known = find(call.database, call.account, call.target)
    if known is None:
        raise BankError(404, "not_found", "There is no such payee.")
    reasons = _faults(known, why)
    call.database.execute(
        "UPDATE bank_payee SET frozen = ?, payable = ?, reasons = ? WHERE owner = ? AND ref = ?",
        (why, int(not reasons), dump(reasons), call.account, call.target),
    )
    changed = find(call.database, call.account, call.target)
    assert changed is not None
    payments.emit(call, "payee.changed", call.target, shown(changed))
    return shown(changed)


def find(database: Database, owner: str, ref: str) -> Row | None:
    """A payee of an owner."""
    return database.one("SELECT * FROM bank_payee WHERE owner = ? AND ref = ?", (owner, ref))


def retrieve(call: Call) -> Response:
    """``GET /bank/v1/payees/{payee_ref}``."""
    row = find(call.database, call.account, call.target)
    if row is None:
        raise BankError(404, "not_found", "There is no such payee.")
    return reply(200, shown(row))


def shown(row: Row) -> Row:
    """The payee as the API writes it: of the account only its last digits."""
    return {
        "payee_ref": row["ref"], "name": row["name"], "is_payable": bool(row["payable"]),
        "reasons": [reason(code) for code in json.loads(row["reasons"])],
        "account": {"type": row["kind"], "last4": row["number"][-4:]}, "currency": row["currency"],
        "country": row["country"],
    }  # fmt: skip
