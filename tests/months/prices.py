"""What the provider charges: the price table, by which the fee of every payment is expected."""

from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate
from typing import NamedTuple

from tests.months.draws import Draws

__all__ = ["CHARGEBACK_FEE", "Fee", "Method", "PriceTable"]

# In hundredths, as all fixed prices here.
CHARGEBACK_FEE = 1500


class Method(NamedTuple):
    """A way to pay, with its weight (of 1,000) among payments. `kind` is card, wallet or local."""

    name: str
    kind: str
    brand: str
    funding: str
    country: str
    weight: int


class Fee(NamedTuple):
    """A fee in its parts, in minor units of the settlement currency; blended prices are all commission."""

    commission: int
    markup: int = 0
    scheme: int = 0
    interchange: int = 0

    @property
    def total(self) -> int:
        return self.commission + self.markup + self.scheme + self.interchange


class Price(NamedTuple):
    """One line of the table: a fixed part in hundredths and a rate in millionths of the gross."""

    method: str
    brand: str
    funding: str
    component: str
    fixed: int
    millionths: int


_METHODS = {
    "eu": (
        Method("card", "card", "visa", "debit", "DE", 230),
        Method("card", "card", "visa", "credit", "FR", 130),
        Method("card", "card", "mastercard", "debit", "NL", 140),
        Method("card", "card", "mastercard", "credit", "DE", 100),
        Method("link", "wallet", "", "", "IE", 60),
        Method("paypal", "wallet", "", "", "DE", 80),
        Method("ideal", "local", "", "", "NL", 120),
        Method("bancontact", "local", "", "", "BE", 40),
        Method("sofort", "local", "", "", "DE", 50),
        Method("bank_transfer", "local", "", "", "DE", 50),
    ),
    "us": (
        Method("card", "card", "visa", "debit", "US", 300),
        Method("card", "card", "visa", "credit", "US", 240),
        Method("card", "card", "mastercard", "credit", "US", 200),
        Method("card", "card", "amex", "credit", "US", 90),
        Method("link", "wallet", "", "", "US", 70),
        Method("paypal", "wallet", "", "", "US", 50),
        Method("us_bank_account", "local", "", "", "US", 50),
    ),
}
_CARDS_BLENDED = {"eu": (25, 15_000), "us": (30, 29_000)}
_LOCAL = {
    "link": (25, 12_000), "paypal": (35, 24_900), "ideal": (25, 0), "bancontact": (25, 5_000),
    "sofort": (0, 10_000), "bank_transfer": (20, 0), "us_bank_account": (0, 8_000),
}  # fmt: skip
_REFUND_FEE = {"sofort": 20, "ideal": 20}
_INTERCHANGE = {
    "eu": {"debit": (0, 2_000), "credit": (0, 3_000)},
    "us": {"debit": (10, 15_000), "credit": (10, 20_000)},
}
_SCHEME = {"visa": 500, "mastercard": 800, "amex": 1_500}


class PriceTable:
    """The prices of a profile in a market, and the reference rates of the second currency."""

    def __init__(self, profile: str, market: str, draws: Draws, scale: tuple[int, int]) -> None:
        """`scale` turns hundredths into minor units: multiply by the first, divide by the second."""
        self.methods = _METHODS[market]
        self._up_to = list(accumulate(method.weight for method in self.methods))
        self._draws, self._scale = draws, scale
        self.rows = tuple(self._rows(profile, market))
        self._parts: dict[tuple[str, str, str], list[tuple[int, int, int]]] = {}
        for row in self.rows:
            place = Fee._fields.index(row.component)
            parts = self._parts.setdefault((row.method, row.brand, row.funding), [])
            parts.append((place, self.minor(row.fixed), row.millionths))

    def _rows(self, profile: str, market: str) -> Iterator[Price]:
        for method, kind, brand, funding, _, _ in self.methods:
            if kind != "card":
                yield Price(method, brand, funding, "commission", *_LOCAL[method])
            elif profile == "stripe":
                yield Price(method, brand, funding, "commission", *_CARDS_BLENDED[market])
            else:
                yield Price(method, brand, funding, "markup", 10, 2_000)
                yield Price(method, brand, funding, "scheme", 0, _SCHEME[brand])
                yield Price(method, brand, funding, "interchange", *_INTERCHANGE[market][funding])

    def minor(self, hundredths: int) -> int:
        """Return an amount of this module in minor units of the settlement currency."""
        return hundredths * self._scale[0] // self._scale[1]

    def drawn(self, word: int) -> Method:
        """Return the method that a word of 32 bits falls on."""
        return self.methods[bisect_right(self._up_to, word * 1000 >> 32)]

    def fee(self, method: Method, gross_minor: int) -> Fee:
        """Return the fee of a payment, half up in each part. The gross is in the settlement currency."""
        parts = [0, 0, 0, 0]
        for place, fixed, rate in self._parts[method.name, method.brand, method.funding]:
            parts[place] = fixed + (gross_minor * rate + 500_000) // 1_000_000
        return Fee(*parts)

    def refund_fee(self, method: Method) -> Fee:
        """Return what a refund costs; the fee of the payment is not given back."""
        return Fee(self.minor(_REFUND_FEE.get(method.name, 0)))

    @property
    def chargeback_fee(self) -> Fee:
        """What a chargeback costs, in minor units."""
        return Fee(self.minor(CHARGEBACK_FEE))

    def reference_rate(self, day: int) -> int:
        """Return the reference rate of a day: second currency to first, in hundred-millionths.

        Rates of payments stay within 0.3 % of it.
        """
        word = self._draws.words(9, day, 0)[0]
        return 91_840_000 + word % 700_000
