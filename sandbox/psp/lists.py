"""Lists with cursor pagination and filters, newest first, and expansion of ids into objects."""

from __future__ import annotations

import json
from typing import Any

from sandbox.database import place_of
from sandbox.psp.call import Call, Object
from sandbox.psp.errors import invalid

BOUNDS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}

PREFIXES = {
    "pi_": "payment_intent",
    "ch_": "charge",
    "cus_": "customer",
    "pm_": "payment_method",
    "re_": "refund",
    "txn_": "balance_transaction",
    "dp_": "dispute",
    "file_": "file",
    "acct_": "account",
    "tr_": "transfer",
    "trr_": "transfer_reversal",
    "po_": "payout",
}


def page(
    call: Call, type_: str, filters: dict[str, str | None], *, types: list[str] | None = None,
    within: tuple[str, str] | None = None, moments: dict[str, str] | None = None,
) -> Object:  # fmt: skip
    """One page of the account's objects of a type. Filters name columns; ``None`` filters nothing.

    ``within`` is one more condition with its value; ``moments`` name parameters that bound a moment as
    ``created`` does, with their columns.
    """
    params = call.params
    limit = params.integer("limit")
    if limit is not None and not 1 <= limit <= 100:
        raise invalid("limit must be between 1 and 100", param="limit", code="parameter_invalid_integer")
    after, before = params.text("starting_after"), params.text("ending_before")
    where: list[str] = ["account = ?", "type = ?"]
    if type_ != "event":
        where.append("type <> 'event'")  # lets SQLite use the index, which leaves events out
    values: list[Any] = [call.account, type_]
    for column, value in filters.items():
        if value is not None:
            where.append(f"{column} = ?")
            values.append(value)
    if types is not None:
        where.append(f"subtype IN ({', '.join('?' * len(types))})")
        values += types
    if within is not None:
        where.append(within[0])
        values.append(within[1])
    for name, column in {"created": "created", **(moments or {})}.items():
        _moment(call, name, column, where, values)
    params.close()
    for cursor, sign, name in ((after, "<", "starting_after"), (before, ">", "ending_before")):
        if cursor is not None:
            call.load(type_, cursor, param=name)
            where.append(f"seq {sign} ?")
            values.append(place_of(cursor))
    size = limit or 10
    order = "ASC" if before is not None else "DESC"
    sql = f"SELECT body FROM object WHERE {' AND '.join(where)} ORDER BY seq {order} LIMIT ?"  # noqa: S608 - columns are ours
    rows = [json.loads(row["body"]) for row in call.database.rows(sql, (*values, size + 1))]
    data = rows[:size]
    if before is not None:
        data.reverse()
    return {"object": "list", "data": data, "has_more": len(rows) > size, "url": call.path}


def _moment(call: Call, param: str, column: str, where: list[str], values: list[Any]) -> None:
    if not call.params.given(param):
        return
    asked = call.params.values[param]
    bounds = asked if isinstance(asked, dict) else {"": asked}
    for name, value in bounds.items():
        sign = BOUNDS.get(name, "=" if name == "" else "")
        if not sign or not str(value).isdigit():
            raise invalid("Invalid timestamp or bound", param=param)
        where.append(f"{column} {sign} ?")
        values.append(int(value))


def expand(call: Call, obj: Object, paths: list[str]) -> Object:
    """Replace ids by their objects along ``a.b.c`` paths, as ``expand[]`` asks."""
    for path in paths:
        _walk(call, obj, path.split("."), path)
    return obj


def _walk(call: Call, node: Any, parts: list[str], path: str) -> None:
    if not parts:
        return
    if isinstance(node, list):
        for item in node:
            _walk(call, item, parts, path)
        return
    if not isinstance(node, dict):
        return
    if parts[0] not in node:
        raise invalid(f"This property cannot be expanded ({path}).", param="expand")
    value = node[parts[0]]
    if isinstance(value, str):
        for prefix, type_ in PREFIXES.items():
            if value.startswith(prefix):
                node[parts[0]] = call.load(type_, value, param="expand")[0]
                break
        else:
            raise invalid(f"This property cannot be expanded ({path}).", param="expand")
    _walk(call, node[parts[0]], parts[1:], path)
