"""Whether an account pays itself out every night, and which accounts of the bank its payouts reach."""

from __future__ import annotations

import json
from dataclasses import dataclass

from sandbox.banking import accounts as bank_accounts
from sandbox.database import Database, dump
from sandbox.psp.call import Call
from sandbox.timestamps import day_of, span

INTERVALS = ("manual", "daily")
#: Alarm: a new day begins, and what is available is paid out.
NIGHT = "payout_night"


@dataclass(frozen=True, slots=True)
class Settlement:
    """How an account settles: ``owner`` is a customer of the bank, ``places`` its accounts by currency."""

    account: str
    interval: str
    owner: str | None
    places: dict[str, str]

    def place(self, currency: str) -> str:
        """The account of the bank for a currency: the named one, or the one that pays sellers from there."""
        return self.places.get(currency, bank_accounts.of_payables(currency.upper()))

    def describe(self) -> dict[str, object]:
        """As the control API shows it."""
        return {
            "account": self.account, "interval": self.interval, "bank": self.owner, "accounts": self.places
        }  # fmt: skip


def of(database: Database, account: str) -> Settlement:
    """How an account settles; by hand and to no bank when nobody said."""
    row = database.one("SELECT * FROM settlement_account WHERE account = ?", (account,))
    if row is None:
        return Settlement(account, "manual", None, {})
    return Settlement(account, row["interval"], row["owner"], json.loads(row["places"]))


def every(database: Database) -> list[Settlement]:
    """All that was said."""
    rows = database.rows("SELECT account FROM settlement_account ORDER BY account")
    return [of(database, row["account"]) for row in rows]


def change(
    call: Call, *, interval: str | None, owner: str | None, places: dict[str, str] | None
) -> Settlement:
    """Say how the call's account settles; what is ``None`` stays. Wrong wishes: ValueError."""
    known = of(call.database, call.account)
    if interval not in (None, *INTERVALS):
        raise ValueError(f"interval must be one of {', '.join(INTERVALS)}")
    if owner is not None and not owner.startswith("bank_"):
        raise ValueError("bank is bank_… or a key of the bank")
    found = Settlement(
        call.account, interval or known.interval, owner or known.owner,
        known.places if places is None else {code.lower(): place for code, place in places.items()},
    )  # fmt: skip
    call.database.execute(
        "INSERT OR REPLACE INTO settlement_account (account, interval, owner, places) VALUES (?, ?, ?, ?)",
        (found.account, found.interval, found.owner, dump(found.places)),
    )
    if found.interval == "daily":
        await_night(call, span(day_of(call.clock))[1])
    return found


def await_night(call: Call, midnight: float) -> None:
    """Let the account be paid out at a midnight, unless a night is awaited already."""
    row = call.database.one("SELECT 1 FROM alarm WHERE account = ? AND kind = ?", (call.account, NIGHT))
    if row is None:
        call.remind(due=midnight, kind=NIGHT, target=day_of(midnight))
