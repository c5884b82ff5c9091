"""A payment, made from its day and its number."""

from bisect import bisect_right
from datetime import date, datetime
from functools import lru_cache
from struct import Struct
from typing import NamedTuple

from tests.months.days import Days
from tests.months.draws import Draws, amounts, zipf
from tests.months.options import EXPONENTS, Options
from tests.months.prices import Method, PriceTable

__all__ = ["Payment", "Payments", "references", "scale"]

_PAYMENT = 1
_WORDS = Struct(">9I")


class Payment(NamedTuple):
    """A captured payment. Amounts in minor units; `gross_minor` is what the provider settles it at.

    `rate` is from `currency` to the settlement currency in hundred-millionths. `declines` is 0, or 1 for an
    attempt that failed before, or 2 for a failed attempt of another order at about this time.
    """

    day: int
    number: int
    at: datetime
    token: str
    digits: str
    order: str
    seller: int
    amount_minor: int
    currency: str
    rate: int
    gross_minor: int
    method: Method
    declines: int


class References(NamedTuple):
    """What the provider calls a movement: the object, the booking of it, and the payment it belongs to."""

    reference: str
    transaction: str
    charge: str
    intent: str


# The letter of the token, Stripe's prefix of the object, and the first digit of Adyen's reference.
_MOVEMENTS = {
    "charge": ("", "ch", "7"),
    "second_charge": ("b", "ch", "6"),
    "refund1": ("r", "re", "5"),
    "refund2": ("s", "re", "4"),
    "refund_failure1": ("t", "re", "3"),
    "refund_failure2": ("u", "re", "2"),
    "dispute": ("d", "dp", "1"),
    "dispute_reversal": ("w", "dp", "9"),
    "second_dispute": ("e", "dp", "0"),
}


def references(profile: str, token: str, digits: str, movement: str) -> References:
    """Return the references of a movement of a payment, as the provider of this profile makes them.

    Stripe: an object (ch_, re_, dp_), a balance transaction (txn_) and the charge. Adyen: the PSP reference
    of the payment, and a modification reference for everything after it, the capture too.
    """
    letter, prefix, first = _MOVEMENTS[movement]
    if profile == "stripe":
        charge = f"ch_3{token}"
        thing = {"ch": charge, "re": f"re_3{token}{movement[-1]}", "dp": f"dp_1{token}{letter}"}[prefix]
        return References(thing, f"txn_3{token}{letter}", charge, f"pi_3{token}")
    modification = f"{first}8{digits}"
    charge = f"88{digits}"
    return References(charge if prefix == "ch" else modification, modification, charge, "")


class Payments:
    """All payments that there are, each at `[day, number]`, none of them kept."""

    def __init__(self, options: Options, draws: Draws, days: Days, prices: PriceTable) -> None:
        self._draws, self._days, self._prices = draws, days, prices
        self._options = options
        self.sellers = min(options.sellers, max(20, options.size // 20))
        self.seller_bounds = zipf(self.sellers)
        self._scale_second = scale(options.second_currency)
        self._scale = scale(options.currency)
        # No local method takes the second currency, so that others take more of it: a tenth of all.
        foreign = sum(method.weight for method in prices.methods if method.kind != "local")
        self._second = 2**32 * 100 // foreign if options.second_currency else 0
        self._shift = EXPONENTS.get(options.currency, 2) - EXPONENTS.get(options.second_currency, 2)
        self._date = lru_cache(maxsize=512)(lambda day: date.fromordinal(day).strftime("%y%m%d"))

    def __getitem__(self, place: tuple[int, int]) -> Payment:
        day, number = place
        digest = self._draws.digest(_PAYMENT, day, number)
        word = _WORDS.unpack_from(digest)
        hundredths = amounts(word[0], word[1])
        currency, rate, scale = self._options.currency, 100_000_000, self._scale
        method = self._prices.drawn(word[3])
        if word[4] < self._second and method.kind != "local":
            currency, scale = self._options.second_currency, self._scale_second
            # Within 0.3 % of the reference rate, to eight digits.
            rate = self._prices.reference_rate(day) * (997_000_000 + word[5] % 6_000_001) // 1_000_000_000
        amount = max(1, hundredths * scale[0] // scale[1])
        return Payment(
            day=day,
            number=number,
            at=self._days.moment(day, (number << 32) + word[6], self._days.volume(day) << 32),
            token=digest[40:51].hex(),
            digits=f"{day % 10_000:04d}{number:07d}{word[7] % 1000:03d}",
            order=f"ORD-{self._date(day)}-{number:07d}",
            seller=bisect_right(self.seller_bounds, word[2]),
            amount_minor=amount,
            currency=currency,
            rate=rate,
            gross_minor=amount if currency == self._options.currency else self.settled(amount, rate),
            method=method,
            # 12 of 100 attempts fail, half of them before one that does not.
            declines=(1 if word[8] % 2 else 2) if word[8] < 585_684_539 else 0,
        )

    def settled(self, amount_minor: int, rate: int) -> int:
        """Return an amount of the second currency in the first one, half up, away from zero."""
        value = abs(amount_minor) * rate * 10 ** max(self._shift, 0)
        whole = (value + 50_000_000 * 10 ** max(-self._shift, 0)) // (
            100_000_000 * 10 ** max(-self._shift, 0)
        )
        return -whole if amount_minor < 0 else whole


def scale(currency: str) -> tuple[int, int]:
    """Return what turns hundredths into minor units; a yen buys what a cent does."""
    return (10, 1) if EXPONENTS.get(currency, 2) == 3 else (1, 1)
