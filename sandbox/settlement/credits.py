"""What the merchant's bank books of payouts: one entry each, with the payout's id and trace in its text."""

from __future__ import annotations

from dataclasses import replace

from sandbox.banking import accounts
from sandbox.psp.call import Call, Object
from sandbox.settlement import schedule

#: Kind of these entries; the journal of effects calls it ``payout.settlement``.
KIND = "settlement"


def text_of(payout: Object) -> str:
    """What the bank's statement says about a payout."""
    return f"STRIPE PAYOUT {payout['id']} {payout['trace_id']['value'] or ''}".rstrip()


def book(call: Call, payout: Object, amount: int) -> None:
    """Book ``amount`` minor units of a payout, negative when taken, on the account that the merchant named.

    Nothing happens for an account without a bank here: its payouts end at a bank that nobody sees.
    """
    settlement = schedule.of(call.database, call.account)
    if settlement.owner is None:
        return
    there = replace(call, account=settlement.owner)
    account = accounts.ensure(there, settlement.place(payout["currency"]), payout["currency"].upper())
    facts = {"end_to_end_id": payout["id"], "payout": payout["id"]}
    entry = accounts.book(there, account, KIND, amount, text=text_of(payout), facts=facts)
    call.database.execute(
        "INSERT INTO bank_settlement (entry, account, payout) VALUES (?, ?, ?)",
        (entry, call.account, payout["id"]),
    )
