"""The proof: what the orders, the provider, the books, the wallets and the bank say of the same money."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ops.demo_day.money import EXPONENTS, minor_of, text_of
from ops.demo_day.night import everything
from ops.demo_day.world import World

COLUMNS = ("orders", "provider", "books", "wallets", "bank")
# Kinds of journal entries, by what they are in the provider's words.
CAPTURED = ("payment_captured", "wallet_topped_up", "wallet_top_up_pending", "overpayment_received")
REFUNDED = ("refund_accepted", "overpayment_refunded", "refund_failed")
DISPUTED = ("dispute_opened", "dispute_won")
REVERSED = ("charge_reversed", "wallet_top_up_returned")
# The accounts behind the wallets.
GUARDED = (
    "seller_pending", "seller_available", "seller_reserve", "seller_dispute_hold", "seller_payout_hold",
    "seller_receivable", "wallet_available", "wallet_pending", "wallet_held", "bonus_available",
    "bonus_held",
)  # fmt: skip
ENTRIES_OF_PROVIDER = {
    "captured": ("charge.captured",),
    "refunded": ("refund.succeeded", "refund.failed"),
    "disputed": ("dispute.withdrawn", "dispute.reinstated"),
    "reversed": ("charge.reversed",),
}
OPENING = 1_000_000


@dataclass
class Row:
    """One figure as those say it who know it, in minor units; `named` is what the open breaks explain of it."""

    what: str
    values: dict[str, int]
    named: int = 0
    why: str = ""

    @property
    def holds(self) -> bool:
        """Whether all say the same, or differ by what is named."""
        found = set(self.values.values())
        return len(found) < 2 or max(found) - min(found) == self.named


@dataclass
class Proof:
    """The rows of each currency."""

    rows: dict[str, list[Row]] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        """Whether every row does."""
        return all(row.holds for rows in self.rows.values() for row in rows)

    def totals(self) -> dict[str, dict[str, dict[str, int]]]:
        """The figures alone, to be compared with those of another run of the same seed."""
        return {unit: {row.what: row.values for row in rows} for unit, rows in self.rows.items()}

    def lines(self) -> Iterable[str]:
        """A table for people."""
        for unit, rows in self.rows.items():
            yield f"{unit:<22}" + "".join(f"{name:>16}" for name in COLUMNS)
            for row in rows:
                cells = [text_of(row.values[name], unit) if name in row.values else "" for name in COLUMNS]
                mark = "=" if row.holds else "DIFFERS"
                yield f"  {row.what:<20}" + "".join(f"{cell:>16}" for cell in cells) + f"  {mark} {row.why}"
            yield ""


class Witnesses:
    """Everybody who is asked, once."""

    def __init__(self, world: World, late: Iterable[tuple[str, int]]) -> None:
        self.world = world
        books = world.manage_json("demo_day", "books", world.merchant)
        self.balances: Mapping[str, Mapping[str, int]] = books["balances"]
        self.movements: list[tuple[str, str, str, int]] = [tuple(each) for each in books["movements"]]
        self.breaks: list[dict[str, Any]] = books["breaks"]
        self.journal = world.ask(f"journal?account={world.facts['psp_key']}")["data"]
        self.orders = everything(world, "/v1/payments")
        self.refunds = everything(world, "/v1/refunds")
        self.disputes = everything(world, "/v1/disputes")
        self.payouts = everything(world, "/v1/payouts")
        self.accounts = world.ask(f"bank/accounts?owner={world.facts['bank_key']}")["data"]
        self.late = list(late)
        self._wallets: list[dict[str, Any]] | None = None

    def moved(self, unit: str, role: str, kinds: Iterable[str] | None = None) -> int:
        """What entries of these kinds moved on a role: debits less credits."""
        wanted = None if kinds is None else set(kinds)
        return sum(
            amount
            for currency, name, kind, amount in self.movements
            if currency == unit and name == role and (wanted is None or kind in wanted)
        )

    def provider(self, unit: str, *kinds: str) -> int:
        """What the provider's journal of effects says."""
        return sum(
            int(each["amount"])
            for each in self.journal
            if each["kind"] in kinds and each["currency"] == unit.lower()
        )

    def wallets(self) -> list[dict[str, Any]]:
        """Every wallet of sellers and buyers, by API."""
        if self._wallets is None:
            sellers = {each["seller_account"] for each in everything(self.world, "/v1/sellers")}
            buyers = {each.split("/")[1] for each in self._buyers()}
            paths = [f"/v1/sellers/{each}/wallets" for each in sorted(sellers)]
            paths += [f"/v1/buyers/{each}/wallets" for each in sorted(buyers)]
            self._wallets = [wallet for path in paths for wallet in self.world.api.get(path)["data"]]
        return self._wallets

    def _buyers(self) -> list[str]:
        return [f"buyers/{each}" for each in self.world.buyers]


def prove(witnesses: Witnesses) -> Proof:
    """Let each witness say its figure of each currency."""
    units = [unit for unit in EXPONENTS if witnesses.balances.get(unit)]
    return Proof({unit: [*_at_the_provider(witnesses, unit), *_at_the_bank(witnesses, unit)] for unit in units})


def _at_the_provider(seen: Witnesses, unit: str) -> list[Row]:
    said = {
        what: {"provider": seen.provider(unit, *kinds)} for what, kinds in ENTRIES_OF_PROVIDER.items()
    }
    said["captured"]["books"] = seen.moved(unit, "psp_clearing", CAPTURED)
    said["refunded"]["books"] = seen.moved(unit, "refunds_in_transit", REFUNDED)
    said["disputed"]["books"] = seen.moved(unit, "psp_clearing", DISPUTED)
    said["reversed"]["books"] = seen.moved(unit, "psp_clearing", REVERSED)
    for what, minor in _orders(seen, unit).items():
        said[what]["orders"] = minor
    net = {
        name: sum(values[name] for values in said.values()) for name in ("orders", "provider", "books")
    }
    return [*(Row(what, values) for what, values in said.items()), Row("net at the provider", net)]


def _orders(seen: Witnesses, unit: str) -> dict[str, int]:
    """What orders, top-ups, refunds and disputes say by API, and late payments that no order has."""
    at_provider = [
        each for each in seen.orders if each["currency"] == unit and each["psp"]["reference"]
    ]
    top_ups = seen.world.top_ups if unit == "USD" else []
    late = sum(minor for currency, minor in seen.late if currency == unit)
    to_wallets = sum(minor for currency, minor in seen.world.to_wallets if currency == unit)

    def total(things: Iterable[Mapping[str, Any]], name: str) -> int:
        return sum(minor_of(each[name], unit) for each in things)

    taken = 0
    for each in seen.disputes:
        if each["currency"] == unit and each["status"] in ("OPEN", "EVIDENCE_SENT", "ACCEPTED", "LOST", "WON"):
            lost = 0 if each["status"] == "WON" else minor_of(each["amount"], unit)
            taken += lost + minor_of(each["fee"], unit)
    return {
        "captured": total(at_provider, "captured") + total(top_ups, "amount") + late,
        "refunded": to_wallets - total(at_provider, "refunded") - late,
        "disputed": -taken,
        "reversed": -total(at_provider, "reversed") - total(top_ups, "reversed"),
    }


def _at_the_bank(seen: Witnesses, unit: str) -> list[Row]:
    """What the provider paid out, what the bank holds, what sellers were paid, what is owed."""
    arrived = sum(
        int(each["amount"])
        for each in seen.world.ask(f"journal?account={seen.world.facts['bank_key']}")["data"]
        if each["kind"] == "payout.settlement" and each["currency"].upper() == unit
    )
    deposited = seen.moved(unit, "bank", ("settlement_deposited",))
    account = [each for each in seen.accounts if each["currency"].upper() == unit]
    held = sum(minor_of(str(each["balance"]), unit) for each in account)
    owed = -sum(seen.balances[unit].get(role, 0) for role in GUARDED)
    return [
        Row("deposited", {"bank": arrived, "books": deposited}),
        Row("balance", {"bank": held, "books": seen.balances[unit].get("bank", 0)}),
        Row("owed to owners", {"wallets": _in_wallets(seen, unit), "books": owed}),
    ]


def _in_wallets(seen: Witnesses, unit: str) -> int:
    return sum(
        minor_of(each["pending"], unit) + minor_of(each["available"], unit) + minor_of(each["held"], unit)
        - minor_of(each["receivable"], unit)
        for each in seen.wallets()
        if each["currency"] == unit
    )  # fmt: skip
