"""Automatic payouts: each night what is available of each currency goes to the merchant's bank.

A payout names every balance transaction it settles; together with its own they add up to nothing. A negative
balance is debited. Nights that the clock leapt over are made up for one by one, each with its own date.
"""

from __future__ import annotations

from dataclasses import replace

from sandbox.psp import payouts, transfers
from sandbox.psp.call import Call, Object
from sandbox.settlement import movements, schedule
from sandbox.timestamps import span

ARRIVES_AFTER = 86_400
DESCRIPTION = "STRIPE PAYOUT"


def night(call: Call, day: str) -> None:
    """By the clock: ``day`` begins, and the account is paid out as it stands at that moment."""
    midnight, tomorrow = span(day)
    if schedule.of(call.database, call.account).interval != "daily":
        return
    settle(at(call, midnight), until=int(midnight))
    schedule.await_night(call, tomorrow)


def at(call: Call, moment: float) -> Call:
    """The same call at a moment that the clock may have passed: what it books has the date of that moment."""
    return replace(call, now=int(moment), clock=moment)


def settle(call: Call, *, until: int) -> list[Object]:
    """Pay out what was available at a moment, in each currency; the payouts made."""
    sums = movements.open_sums(call, until=until)
    return [
        _pay_out(call, currency=currency, amount=net, until=until) for currency, net in sums.items() if net
    ]


def _pay_out(call: Call, *, currency: str, amount: int, until: int) -> Object:
    bank = f"ba_{call.account.removeprefix('acct_')}"
    payout = payouts.new(
        call, amount=amount, currency=currency, bank=bank, arrives=call.now + ARRIVES_AFTER
    )  # fmt: skip
    payout.update(automatic=True, description=DESCRIPTION, reconciliation_status="in_progress")
    movements.settle(call, currency=currency, until=until, payout=payout["id"])
    payout["balance_transaction"] = transfers.book(
        call, payout, amount=-amount, kind="payout", category="payout"
    )
    movements.settle_itself(call, payout["balance_transaction"], payout["id"])
    call.insert(payout, {"number": ""})
    transfers.note(call, "account_payout.created", payout, amount=-amount)
    call.remind(due=call.clock + payouts.LEAVES_AFTER, kind=payouts.LEAVES, target=payout["id"])
    call.remind(due=payout["arrival_date"], kind=payouts.ARRIVES, target=payout["id"])
    call.emit("payout.created", payout)
    payout["reconciliation_status"] = "completed"
    call.save(payout)
    call.emit("payout.reconciliation_completed", payout)
    return payout
