"""Balance and balance transactions: what the provider owes the account, and since when it can be paid out."""

from __future__ import annotations

import json
from collections import defaultdict

from sandbox.psp.call import Call, Object
from sandbox.psp.lists import page
from sandbox.reporting import runs


def current(transaction: Object, now: int) -> Object:
    """The transaction with its status as of ``now``."""
    transaction["status"] = "available" if transaction["available_on"] <= now else "pending"
    return transaction


def retrieve_transaction(call: Call) -> Object:
    """``GET /v1/balance_transactions/{id}``."""
    call.params.close()
    return current(call.load("balance_transaction", call.target, param="id")[0], call.now)


def list_transactions(call: Call) -> Object:
    """``GET /v1/balance_transactions``, by type, source or currency, or those an automatic payout settled."""
    params = call.params
    payout, within = params.text("payout"), None
    if payout is not None:
        runs.need_automatic(call, payout)
        within = ("seq IN (SELECT seq FROM movement WHERE payout = ?)", payout)
    filters = {
        "subtype": params.text("type"),
        "source": params.text("source"),
        "json_extract(body, '$.currency')": params.text("currency"),
    }
    found = page(call, "balance_transaction", filters, within=within)
    for transaction in found["data"]:
        current(transaction, call.now)
    return found


def retrieve(call: Call) -> Object:
    """``GET /v1/balance``: sums of net amounts per currency, available and pending."""
    call.params.close()
    sums: dict[str, dict[str, int]] = {"available": defaultdict(int), "pending": defaultdict(int)}
    rows = call.database.rows(
        "SELECT body FROM object WHERE account = ? AND type = 'balance_transaction' AND type <> 'event'",
        (call.account,),
    )
    for row in rows:
        transaction = current(json.loads(row["body"]), call.now)
        sums[transaction["status"]][transaction["currency"]] += transaction["net"]
    currencies = sorted({*sums["available"], *sums["pending"]}) or ["usd"]
    return {
        "object": "balance",
        "available": [_amount(sums["available"][code], code) for code in currencies],
        "connect_reserved": [{"amount": 0, "currency": code} for code in currencies],
        "livemode": False,
        "pending": [_amount(sums["pending"][code], code) for code in currencies],
    }


def available(call: Call, currency: str) -> int:
    """What the call's account can pay out of now, in minor units."""
    row = call.database.one(
        "SELECT coalesce(sum(json_extract(body, '$.net')), 0) AS net FROM object WHERE account = ?"
        " AND type = 'balance_transaction' AND type <> 'event' AND json_extract(body, '$.currency') = ?"
        " AND json_extract(body, '$.available_on') <= ?",
        (call.account, currency, call.now),
    )
    return 0 if row is None else int(row["net"])


def _amount(amount: int, currency: str) -> Object:
    return {"amount": amount, "currency": currency, "source_types": {"card": amount}}
