"""Transfers from a platform's balance to its connected accounts, and their reversals.

Only what is available can be transferred. The money is the connected account's at once; a reversal takes it
from that account's balance again.
"""

from __future__ import annotations

from typing import Any

from sandbox.psp import accounts, balances, charges
from sandbox.psp.call import Call, Object
from sandbox.psp.currencies import THREE_DECIMAL
from sandbox.psp.errors import ApiError, invalid
from sandbox.psp.lists import page
from sandbox.psp.params import Params

SOURCE_TYPES = {"bank_account", "card", "fpx"}
#: Reversals that a transfer shows.
SHOWN = 10


def moved_amount(params: Params, currency: str) -> int:
    """An amount between balances: no least one, and in three-decimal currencies it ends in 0."""
    amount = params.positive("amount")
    if amount is None:
        raise invalid("Missing required param: amount.", param="amount", code="parameter_missing")
    if currency in THREE_DECIMAL and amount % 10:
        raise invalid(
            f"Amounts in {currency} have three decimals and the last digit must be 0",
            param="amount",
            code="parameter_invalid_integer",
        )
    return amount


def book(call: Call, moved: Object, *, amount: int, kind: str, category: str) -> str:
    """Book one movement of the call's account that is available at once; its id."""
    booked = charges.balance_transaction(
        call, amount=amount, fee=0, currency=moved["currency"], type_=kind, category=category,
        source=moved["id"], instant=True,
    )  # fmt: skip
    return str(booked["id"])


def need_balance(call: Call, amount: int, currency: str) -> None:
    """Refuse more than the call's account has available; kept under the key, as execution has begun."""
    if balances.available(call, currency) < amount:
        raise ApiError(
            400, "invalid_request_error", "There are insufficient available funds in this account.",
            code="balance_insufficient", saved=True,
        )  # fmt: skip


def note(call: Call, kind: str, moved: Object, *, amount: int) -> None:
    """Write a movement of money into the journal under the object's id."""
    call.effect(kind, amount=amount, currency=moved["currency"], charge={"payment_intent": None, **moved})


def create(call: Call) -> Object:
    """``POST /v1/transfers``: amount, currency, destination, transfer_group, description, metadata."""
    params = call.params
    currency = params.currency()
    amount = moved_amount(params, currency)
    destination = params.required("destination")
    group, description = params.text("transfer_group", limit=255), params.text("description")
    source_type = params.choice("source_type", SOURCE_TYPES, "card")
    metadata = params.metadata()
    params.close()
    account, _ = call.load("account", destination, param="destination")
    if account["capabilities"]["transfers"] != accounts.ACTIVE:
        raise ApiError(
            400, "invalid_request_error", "The destination account needs the capability transfers.",
            code="insufficient_capabilities_for_transfer", saved=True,
        )  # fmt: skip
    need_balance(call, amount, currency)
    identifier = call.new_id("tr")
    payment = {"id": call.new_id("py"), "currency": currency}
    transfer: Object = {
        "id": identifier,
        "object": "transfer",
        "amount": amount,
        "amount_reversed": 0,
        "balance_transaction": None,
        "created": call.now,
        "currency": currency,
        "description": description,
        "destination": destination,
        "destination_payment": payment["id"],
        "livemode": False,
        "metadata": metadata,
        "reversals": {
            "object": "list",
            "data": [],
            "has_more": False,
            "url": f"/v1/transfers/{identifier}/reversals",
        },
        "reversed": False,
        "source_transaction": None,
        "source_type": source_type,
        "transfer_group": group,
    }
    transfer["balance_transaction"] = book(
        call, transfer, amount=-amount, kind="transfer", category="transfer"
    )
    book(accounts.on(call, destination), payment, amount=amount, kind="payment", category="charge")
    call.insert(transfer)
    note(call, "transfer.created", transfer, amount=-amount)
    call.emit("transfer.created", transfer)
    return transfer


def create_reversal(call: Call) -> Object:
    """``POST /v1/transfers/{id}/reversals``: all that is left, or ``amount`` of it."""
    params = call.params
    amount, metadata = params.positive("amount"), params.metadata()
    params.close("description", "refund_application_fee")
    return reverse(call, call.target, amount=amount, metadata=metadata)


def reverse(call: Call, identifier: str, *, amount: int | None, metadata: dict[str, str]) -> Object:
    """Take a transfer back from the connected account, all that is left of it or an amount."""
    transfer, _ = call.load("transfer", identifier, param="id")
    left = transfer["amount"] - transfer["amount_reversed"]
    amount = left if amount is None else amount
    if not 0 < amount <= left:
        raise ApiError(
            400, "invalid_request_error", f"There are {left} left of this transfer to reverse.",
            param="amount", saved=True,
        )  # fmt: skip
    there = accounts.on(call, transfer["destination"])
    need_balance(there, amount, transfer["currency"])
    returned = {"id": call.new_id("pyr"), "currency": transfer["currency"]}
    book(there, returned, amount=-amount, kind="payment_refund", category="refund")
    reversal: Object = {
        "id": call.new_id("trr"),
        "object": "transfer_reversal",
        "amount": amount,
        "balance_transaction": None,
        "created": call.now,
        "currency": transfer["currency"],
        "destination_payment_refund": returned["id"],
        "metadata": metadata,
        "source_refund": None,
        "transfer": identifier,
    }
    reversal["balance_transaction"] = book(
        call, reversal, amount=amount, kind="transfer_refund", category="transfer_reversal"
    )
    call.insert(reversal)
    transfer["amount_reversed"] += amount
    transfer["reversed"] = transfer["amount_reversed"] == transfer["amount"]
    known = [reversal, *transfer["reversals"]["data"]]
    transfer["reversals"].update(data=known[:SHOWN], has_more=len(known) > SHOWN)
    call.save(transfer)
    note(call, "transfer.reversed", transfer, amount=amount)
    call.emit("transfer.reversed", transfer)
    return reversal


def retrieve(call: Call) -> Object:
    """``GET /v1/transfers/{id}``."""
    call.params.close()
    return call.load("transfer", call.target, param="id")[0]


def update(call: Call) -> Object:
    """``POST /v1/transfers/{id}``: metadata only."""
    transfer, _ = call.load("transfer", call.target, param="id")
    transfer["metadata"] = call.params.metadata(transfer["metadata"])
    call.params.close()
    call.save(transfer)
    call.emit("transfer.updated", transfer)
    return transfer


def list_all(call: Call) -> Object:
    """``GET /v1/transfers``, by transfer_group or destination when asked."""
    params = call.params
    filters: dict[str, Any] = {
        "json_extract(body, '$.transfer_group')": params.text("transfer_group"),
        "json_extract(body, '$.destination')": params.text("destination"),
    }
    return page(call, "transfer", filters)


def list_reversals(call: Call) -> Object:
    """``GET /v1/transfers/{id}/reversals``."""
    call.load("transfer", call.target, param="id")
    return page(call, "transfer_reversal", {"json_extract(body, '$.transfer')": call.target})
