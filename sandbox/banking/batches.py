"""``/bank/v1/batches``: up to 250 payments at once; each reference pays once, ever."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from sandbox.banking import accounts, amounts, magic, payees, payments, settling
from sandbox.banking.errors import BankError, reason, reply
from sandbox.database import dump
from sandbox.psp.call import Call
from sandbox.server import Response
from sandbox.timestamps import iso

Row = dict[str, Any]

LIMIT = 250
REFERENCE = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
FIELDS = {"ref_code", "payee_ref", "amount", "currency", "remittance"}


def create(call: Call) -> Response:
    """Take a batch. The same batch again is answered as the first time, another under its name is refused."""
    ref, items = _shape(call.params.values)
    mark = fingerprint(call.params.values)
    known = _find(call, ref)
    if known is not None:
        if known["fingerprint"] != mark:
            raise BankError(409, "batch_ref_reused", "This batch_ref was used for another batch.")
        return reply(200, json.loads(known["answer"]), Idempotent_Replayed="true")
    results = [_take(call, ref, item) for item in items]
    answer = {"batch_ref": ref, "created_at": iso(call.clock), "payments": results}
    call.database.execute(
        "INSERT INTO bank_batch (owner, ref, fingerprint, created, answer) VALUES (?, ?, ?, ?, ?)",
        (call.account, ref, mark, call.clock, dump(answer)),
    )
    return reply(201, answer)


def retrieve(call: Call) -> Response:
    """``GET /bank/v1/batches/{batch_ref}``: what was answered for each payment, and how each is now."""
    known = _find(call, call.target)
    if known is None:
        raise BankError(404, "not_found", "There is no such batch.")
    answer = json.loads(known["answer"])
    for item in answer["payments"]:
        row = payments.by_ref(call.database, call.account, item["ref_code"])
        assert row is not None, item
        item["payment"] = payments.shown(row)
    return reply(200, answer)


def fingerprint(values: Any) -> str:
    """What must be equal for two orders to be the same."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def _find(call: Call, ref: str) -> Row | None:
    return call.database.one(
        "SELECT * FROM bank_batch WHERE owner = ? AND ref = ?", (call.account, ref)
    )  # fmt: skip


def _shape(values: Row) -> tuple[str, list[Row]]:
    """Batch reference and payments; whatever has not the shape refuses the whole batch."""
    ref, items = values.get("batch_ref"), values.get("payments")
    if not isinstance(ref, str) or REFERENCE.fullmatch(ref) is None:
        raise BankError(
            400, "parameter_invalid", "batch_ref has 1 to 64 letters, digits and _.:-", param="batch_ref"
        )
    if not isinstance(items, list) or not items:
        raise BankError(
            400, "parameter_invalid", "payments is a list of at least one payment.", param="payments"
        )
    if len(items) > LIMIT:
        raise BankError(
            400, "too_many_payments", f"A batch holds at most {LIMIT} payments.", param="payments"
        )
    for place, item in enumerate(items):
        within = f"payments[{place}]."
        if not isinstance(item, dict) or set(item) - FIELDS:
            names = ", ".join(sorted(FIELDS))
            raise BankError(400, "parameter_invalid", f"A payment has {names}.", param=within[:-1])
        for name in ("ref_code", "payee_ref"):
            if not isinstance(item.get(name), str) or REFERENCE.fullmatch(item[name]) is None:
                raise BankError(
                    400, "parameter_invalid", f"{name} has 1 to 64 letters, digits and _.:-",
                    param=within + name,
                )  # fmt: skip
        currency, amount = item.get("currency"), item.get("amount")
        if currency not in amounts.CURRENCIES:
            raise BankError(
                400, "parameter_invalid", "currency is a code of ISO 4217.", param=within + "currency"
            )
        if not isinstance(amount, str) or amounts.minor(amount, currency) is None:
            raise BankError(
                400, "parameter_invalid", "amount is a decimal text with the currency's decimals.",
                param=within + "amount",
            )  # fmt: skip
        payees.text({"remittance": "-", **item}, "remittance", within=within)
    return ref, items


def _take(call: Call, batch: str, item: Row) -> Row:
    """Accept or reject one payment; a reference that was used before pays nothing."""
    mark = fingerprint(item)
    known = payments.by_ref(call.database, call.account, item["ref_code"])
    if known is not None:
        status = "duplicate" if known["fingerprint"] == mark else "conflict"
        return _result(status, known)
    amount = amounts.minor(item["amount"], item["currency"])
    assert amount is not None
    payee = payees.find(call.database, call.account, item["payee_ref"])
    account = accounts.ensure(call, accounts.of_payables(item["currency"]), item["currency"])
    plan = magic.plan_of(
        number=payee["number"] if payee else "", name=payee["name"] if payee else "", amount=amount,
        usual=call.database.setting("bank_outcome", "paid"),
    )  # fmt: skip
    refused = _refused(payee, item, amount) or plan.refused or _short(call, account, amount)
    facts = {
        "source": "api", "batch": batch, "ref": item["ref_code"], "fingerprint": mark,
        "payee": item["payee_ref"], "name": payee["name"] if payee else "",
        "number": payee["number"] if payee else "", "debtor": account["id"], "amount": amount,
        "currency": item["currency"], "remittance": item.get("remittance", ""),
    }  # fmt: skip
    row = payments.insert(call, facts, plan, refused=refused)
    payments.tell(call, row)
    if refused is None:
        settling.schedule(call, settling.PAYMENT, row["id"])
    return _result("rejected" if refused else "accepted", row)


def _refused(payee: Row | None, item: Row, amount: int) -> str | None:
    if payee is None:
        return "BE06"
    if not payee["payable"]:
        return str(json.loads(payee["reasons"])[0])
    if payee["currency"] != item["currency"]:
        return "AM03"
    return "AM01" if amount == 0 else None


def _short(call: Call, account: Row, amount: int) -> str | None:
    short = accounts.available(call.database, account) < amount + account["fee"]
    return "AM04" if short else None


def _result(status: str, row: Row) -> Row:
    return {
        "ref_code": row["ref"], "status": status,
        "reason": reason(row["reason"]) if status == "rejected" else None, "payment": payments.shown(row),
    }  # fmt: skip
