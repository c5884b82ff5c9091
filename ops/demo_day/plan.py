"""What happens on the day, drawn from the seed alone: who buys what of whom, how it is paid, how it ends.

Nothing here knows the time or what the system answers, so the totals of a day are those of its seed. Of every
course there is at least one where the day is long enough.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from ops.demo_day.money import in_currency

Drawn = TypeVar("Drawn")

# Of a thousand checkouts. What is not named here is paid at once by card.
SHARES = {
    "instant": 110, "hosted": 90, "hosted_again": 12, "balance": 50, "secured": 50, "secured_failed": 8,
    "declined": 45, "second_try": 30, "captured": 30, "captured_part": 15, "voided": 10, "reserved": 3,
    "refunded": 25, "refunded_part": 30, "refunded_to_wallet": 5, "refund_fails": 3, "refund_pends": 3,
    "refund_refused": 2, "balance_refunded": 4, "dispute_won": 3, "dispute_lost": 3, "inquiry": 2,
    "saved": 8, "reversed": 2, "late": 2, "charged_in_silence": 2, "silence": 2, "reset": 3, "error_500": 2,
    "broken_answer": 2, "left": 5, "canceled": 4, "mixed": 8, "delivered": 10, "top_up_reversed": 1,
    "bonus": 2, "points": 2,
}  # fmt: skip
USUAL = "paid"
CARDS = ("pm_card_visa", "pm_card_mastercard", "pm_card_visa_debit", "pm_card_amex", "pm_card_discover")
INSTANT = "pm_card_bypassPending"
DECLINES = (
    "pm_card_chargeDeclined", "pm_card_chargeDeclinedInsufficientFunds", "pm_card_chargeDeclinedLostCard",
    "pm_card_chargeDeclinedExpiredCard", "pm_card_chargeDeclinedIncorrectCvc", "pm_card_radarBlock",
)  # fmt: skip
# Courses that are not played in dollars alone.
ABROAD = (
    USUAL,
    "instant",
    "hosted",
    "secured",
    "declined",
    "captured",
    "voided",
    "refunded",
    "refunded_part",
)
CURRENCIES = (("USD", 70), ("EUR", 18), ("JPY", 7), ("KWD", 5))
BASKETS = ((1, 70), (2, 20), (3, 7), (4, 3))
# Courses about one charge of one order, whatever the basket would be.
ALONE = (
    "captured", "captured_part", "voided", "reserved", "top_up_reversed", "delivered", "reversed",
)  # fmt: skip
# Nobody knows before the night how they end; the seller is one who is not paid out meanwhile.
UNCLEAR = ("charged_in_silence", "silence", "reset", "error_500", "broken_answer")
PATIENT = "gale-kites"
# Nothing of his is released before the proof, so the fee of a dispute that he loses is a debt.
OF_PATIENT = (*UNCLEAR, "dispute_lost")
# Amounts that the sandbox answers in its own way.
MAGIC = {"error_500": 990_040, "broken_answer": 990_050}
FROM_WALLET = ("balance", "balance_refunded")
# Prices of shops, in cents.
POINTS = (
    499, 650, 799, 990, 1290, 1499, 1795, 1990, 2499, 2645, 2990, 3490, 3999, 4495, 4990, 5499, 5990, 6900,
    7999, 8900, 9980, 11900, 12900, 14900, 17900, 19900, 22900, 24999, 29900, 34900, 39900, 54985, 104435,
)  # fmt: skip
LEAST, MOST = 250, 500_000


@dataclass(frozen=True)
class SellerPlan:
    """A seller: how long he waits for his money, how he is paid out, and where to."""

    account: str
    commission_bps: int
    delay_days: int
    schedule: str = "manual"
    number: str = ""
    reserve_bps: int = 0


@dataclass(frozen=True)
class OrderPlan:
    """One seller's part of a checkout, in minor units."""

    reference: str
    seller: str
    minor: int
    currency: str


@dataclass(frozen=True)
class Buy:
    """One checkout and what becomes of it. `part` is per mille: of what is captured or given back in part."""

    number: int
    course: str
    buyer: str
    card: str
    orders: tuple[OrderPlan, ...]
    part: int

    @property
    def checkout(self) -> str:
        """The store's name for it."""
        return f"day-{self.number}"

    @property
    def currency(self) -> str:
        """That of its first order."""
        return self.orders[0].currency

    @property
    def minor(self) -> int:
        """What all orders of the first one's currency cost."""
        return sum(each.minor for each in self.orders if each.currency == self.currency)


@dataclass(frozen=True)
class Plan:
    """A whole day."""

    seed: int
    sellers: tuple[SellerPlan, ...]
    buys: tuple[Buy, ...]

    def top_ups(self) -> dict[str, int]:
        """What each buyer brings into his wallet, in cents: what he will spend from it, and some more."""
        sums: dict[str, int] = {}
        for buy in self.buys:
            if buy.course in FROM_WALLET:
                sums[buy.buyer] = sums.get(buy.buyer, 500) + buy.minor
        return sums

    def grants(self) -> list[tuple[str, str, int]]:
        """Buyer, `bonus` or `points`, and how much: for those who pay with it. A point is worth a cent."""
        return [(buy.buyer, buy.course, buy.minor) for buy in self.buys if buy.course in ("bonus", "points")]


# The last digits of an account say what the bank makes of payouts: see docs/reference/sandbox.md.
SELLERS = (
    SellerPlan("dune-shoes", 900, 0, "manual", "200309004"),
    SellerPlan("atlas-maps", 1000, 0, "daily", "200300401"),
    SellerPlan("birch-wood", 800, 0, "manual", "200300402"),
    SellerPlan("cove-prints", 1200, 1, "daily", "200300403"),
    SellerPlan("elm-garden", 1000, 1, "daily", "200309003", 1000),
    SellerPlan("fjord-knits", 700, 0, "manual", "200309001"),
    SellerPlan("gale-kites", 1500, 7, "manual", "200300407"),
    SellerPlan("hill-honey", 1100, 1, "daily", "200300408", 500),
)


def make_plan(*, payments: int, seed: int) -> Plan:
    """Return the day of a seed with so many checkouts."""
    chance = Random(f"{seed}/courses")  # noqa: S311 - a plan, not a secret
    courses = _courses(payments)
    chance.shuffle(courses)
    return Plan(seed, SELLERS, tuple(_buy(seed, number, course) for number, course in enumerate(courses)))


def _courses(payments: int) -> list[str]:
    counted: list[str] = []
    for course, share in SHARES.items():
        counted += [course] * max(1, payments * share // 1000)
    del counted[payments:]
    return [*counted, *[USUAL] * (payments - len(counted))]


def _buy(seed: int, number: int, course: str) -> Buy:
    chance = Random(f"{seed}/buy/{number}")  # noqa: S311 - a plan, not a secret
    currency = _pick(chance, CURRENCIES) if course in ABROAD else "USD"
    count = 1 if course in (*ALONE, *OF_PATIENT) else _pick(chance, BASKETS)
    sellers = [PATIENT] if course in OF_PATIENT else _sellers(chance, count)
    currencies = [currency] * count
    if course == "mixed":
        sellers, currencies = _sellers(chance, 2), ["USD", "EUR"]
    orders = tuple(
        OrderPlan(f"day-{number}-{place}", seller, MAGIC.get(course, in_currency(_cents(chance), unit)), unit)
        for place, (seller, unit) in enumerate(zip(sellers, currencies, strict=True), 1)
    )
    # Some buyers come again and again; who spends from a wallet is one of few.
    buyer = f"buyer-{int(400 * chance.random() ** 2)}"
    if course in FROM_WALLET:
        buyer = f"saver-{chance.randrange(12)}"
    elif course in ("bonus", "points", "saved"):
        buyer = f"{course}-{number}"
    card = chance.choice(DECLINES if course in ("declined", "second_try") else CARDS)
    return Buy(number, course, buyer, card, orders, chance.randrange(100, 900))


def _pick(chance: Random, weighted: Sequence[tuple[Drawn, int]]) -> Drawn:
    return chance.choices([each for each, _ in weighted], [weight for _, weight in weighted])[0]


def _sellers(chance: Random, count: int) -> list[str]:
    """Draw some, each once; the first ones sell the most."""
    ranks = list(range(len(SELLERS)))
    found = []
    for _ in range(count):
        rank = chance.choices(ranks, [1 / (each + 1) for each in ranks])[0]
        ranks.remove(rank)
        found.append(SELLERS[rank].account)
    return found


def _cents(chance: Random) -> int:
    """Return a price: most are those of shops, the others log-normal about 60.00."""
    if chance.random() < 0.6:
        return chance.choice(POINTS)
    return min(max(round(6000 * math.exp(chance.gauss(0, 1))), LEAST), MOST)
