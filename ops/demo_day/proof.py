"""The proof: what the orders, the provider, the books, the wallets and the bank say of the same money."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
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
# Breaks about money that a report has put on the way to the bank and that the provider did not pay out.
NAMED = ("BATCH_TOTAL_MISMATCH",)
ENTRIES_OF_PROVIDER = {
    "captured": ("charge.captured",),
    "refunded": ("refund.succeeded", "refund.failed"),
    "disputed": ("dispute.withdrawn", "dispute.reinstated"),
    "reversed": ("charge.reversed",),
}


@dataclass
class Row:
    """One figure as those say it who know it, in minor units; `named` is what open breaks explain."""

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
        books = world.office("books")
        self.balances: Mapping[str, Mapping[str, int]] = books["balances"]
        self.movements: list[tuple[str, str, str, int]] = [tuple(each) for each in books["movements"]]
        self.breaks: list[dict[str, Any]] = books["breaks"]
        [settling] = world.ask("settlement_accounts")["data"]
        self.journal = world.ask(f"journal?account={settling['account']}")["data"]
        self.accounts = world.ask(f"bank/accounts?owner={settling['bank']}")["data"]
        self.bank = world.ask(f"journal?account={settling['bank']}")["data"]
        self.fees = self._fees(settling["account"])
        self.orders = everything(world, "/v1/payments")
        self.refunds = everything(world, "/v1/refunds")
        self.disputes = everything(world, "/v1/disputes")
        self.payouts = everything(world, "/v1/payouts")
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
        return _total(self.journal, unit, kinds)

    def at_bank(self, unit: str, *kinds: str) -> int:
        """What the bank's says."""
        return _total(self.bank, unit, kinds)

    def _fees(self, account: str) -> dict[str, int]:
        """The provider's fees by currency, by its own figures; those of disputes are in its journal."""
        fees: dict[str, int] = {}
        day = self.world.opened_on
        while day <= self.world.now.date():
            for each in self.world.ask(f"settlement?account={account}&day={day}")["data"]:
                unit = each["currency"].upper()
                for category, figures in each["categories"].items():
                    if not category.startswith("dispute"):
                        fees[unit] = fees.get(unit, 0) + int(figures["fee"])
            day += timedelta(days=1)
        return fees

    def wallets(self) -> list[dict[str, Any]]:
        """Every wallet of sellers and buyers, by API."""
        if self._wallets is None:
            sellers = {each["seller_account"] for each in everything(self.world, "/v1/sellers")}
            paths = [f"/v1/sellers/{each}/wallets" for each in sorted(sellers)]
            paths += [f"/v1/buyers/{each}/wallets" for each in sorted(self.world.buyers)]
            self._wallets = [wallet for path in paths for wallet in self.world.api.get(path)["data"]]
        return self._wallets


def _total(entries: Iterable[Mapping[str, Any]], unit: str, kinds: Iterable[str]) -> int:
    wanted = set(kinds)
    return sum(
        int(each["amount"])
        for each in entries
        if each["kind"] in wanted and str(each["currency"]).upper() == unit
    )


def prove(witnesses: Witnesses) -> Proof:
    """Let each witness say its figure of each currency."""
    units = [unit for unit in EXPONENTS if witnesses.balances.get(unit)]
    return Proof(
        {unit: [*_at_the_provider(witnesses, unit), *_at_the_bank(witnesses, unit)] for unit in units}
    )


def _at_the_provider(seen: Witnesses, unit: str) -> list[Row]:
    said = {what: {"provider": seen.provider(unit, *kinds)} for what, kinds in ENTRIES_OF_PROVIDER.items()}
    said["captured"]["books"] = seen.moved(unit, "psp_clearing", CAPTURED)
    said["refunded"]["books"] = seen.moved(unit, "refunds_in_transit", REFUNDED)
    said["disputed"]["books"] = seen.moved(unit, "psp_clearing", DISPUTED)
    said["reversed"]["books"] = seen.moved(unit, "psp_clearing", REVERSED)
    for what, minor in _orders(seen, unit).items():
        said[what]["orders"] = minor
    net = {name: sum(values[name] for values in said.values()) for name in ("orders", "provider", "books")}
    return [*(Row(what, values) for what, values in said.items()), Row("net at the provider", net)]


def _orders(seen: Witnesses, unit: str) -> dict[str, int]:
    """What orders, top-ups, refunds and disputes say by API, and late payments that no order has."""
    at_provider = [each for each in seen.orders if each["currency"] == unit and each["psp"]["reference"]]
    top_ups = seen.world.top_ups if unit == "USD" else []
    late = sum(minor for currency, minor in seen.late if currency == unit)
    to_wallets = sum(minor for currency, minor in seen.world.to_wallets if currency == unit)

    def total(things: Iterable[Mapping[str, Any]], name: str) -> int:
        return sum(minor_of(each[name], unit) for each in things)

    taken = 0
    for each in seen.disputes:
        if each["currency"] == unit and each["status"] in (
            "OPEN",
            "EVIDENCE_SENT",
            "ACCEPTED",
            "LOST",
            "WON",
        ):
            lost = 0 if each["status"] == "WON" else minor_of(each["amount"], unit)
            taken += lost + minor_of(each["fee"], unit)
    return {
        "captured": total(at_provider, "captured") + total(top_ups, "amount") + late,
        "refunded": to_wallets - total(at_provider, "refunded") - late,
        "disputed": -taken,
        "reversed": -total(at_provider, "reversed") - total(top_ups, "reversed"),
    }


def _at_the_bank(seen: Witnesses, unit: str) -> list[Row]:
    """What the provider kept and paid out, what sellers were paid, what the bank holds, what is owed."""
    balances = seen.balances[unit]
    fees, deposited = seen.fees.get(unit, 0), seen.at_bank(unit, "payout.settlement")
    net = sum(seen.provider(unit, *kinds) for kinds in ENTRIES_OF_PROVIDER.values())
    waiting = balances.get("psp_clearing", 0) + balances.get("psp_settlement_in_transit", 0)
    paid = [
        each
        for each in seen.payouts
        if each["currency"] == unit and each["status"] in ("SENT", "PAID", "RETURNED")
    ]
    back = [each for each in paid if each["status"] == "RETURNED"]
    sums = [sum(minor_of(each["amount"], unit) for each in some) for some in (paid, back)]
    open_sums = [
        each
        for each in seen.breaks
        if each["currency"] == unit and each["class"] in NAMED and each["status"] != "RESOLVED"
    ]
    held = sum(
        minor_of(str(each["balance"]), unit) for each in seen.accounts if each["currency"].upper() == unit
    )
    owed = -sum(balances.get(role, 0) for role in GUARDED)
    return [
        Row("fees", {"provider": fees, "books": balances.get("psp_fee", 0)}),
        Row("deposited", {"bank": deposited, "books": seen.moved(unit, "bank", ("settlement_deposited",))}),
        Row(
            "left at the provider",
            {"provider": net - fees - deposited, "books": waiting},
            named=sum(each["amount_minor"] for each in open_sums),
            why=", ".join(f"{each['id']}: {each['summary']}" for each in open_sums),
        ),
        Row(
            "paid to sellers",
            {
                "orders": sums[0] - sums[1],
                "bank": -seen.at_bank(unit, "payout.paid", "payout.returned"),
                "books": -seen.moved(unit, "bank", ("payouts_paid", "payout_return_received")),
            },
        ),
        Row("balance", {"bank": held, "books": balances.get("bank", 0)}),
        Row("owed to owners", {"wallets": _in_wallets(seen, unit), "books": owed}),
    ]


def _in_wallets(seen: Witnesses, unit: str) -> int:
    return sum(
        minor_of(each["pending"], unit) + minor_of(each["available"], unit) + minor_of(each["held"], unit)
        - minor_of(each["receivable"], unit)
        for each in seen.wallets()
        if each["currency"] == unit
    )  # fmt: skip
