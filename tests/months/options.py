"""What a month is asked to be."""

from dataclasses import dataclass, field
from datetime import date

__all__ = ["EXPONENTS", "Options", "Shape", "major"]

# ISO 4217 minor units of the currencies that a month can be made in; two where it is not named.
EXPONENTS = {"JPY": 0, "KRW": 0, "CLP": 0, "KWD": 3, "BHD": 3, "TND": 3}
PROFILES = ("stripe", "adyen")
ORDERS = ("natural", "reversed", "shuffled")


@dataclass(frozen=True)
class Shape:
    """How the provider's files are written; the rows in them are the same whatever it says.

    `order` is natural, reversed or shuffled. A gzip body is the same for the same zlib; everything else is
    the same on every machine.
    """

    shuffled_columns: bool = False
    optional_columns: bool = False
    bom: bool = False
    crlf: bool = False
    metadata_breaks: bool = False
    gzip: bool = False
    order: str = "natural"

    def __post_init__(self) -> None:
        if self.order not in ORDERS:
            raise ValueError(f"order is one of {', '.join(ORDERS)}, not {self.order!r}")


@dataclass(frozen=True)
class Options:
    """The arguments of a month: the same ones give the same bytes.

    `size` is the number of payments captured in the month. `month` is "2026-10". `per` is "day" (one
    settlement file for each business day) or "month". `second_currency` is what a tenth of the buyers pay in,
    or empty. `zone` is the provider's: its day begins and its batch is cut at midnight there.
    `file_faults` adds a statement that is missing and one that does not add up; they stop an importer.
    `bank_plants` adds the differences that only the bank's statements show: credits that never come, come
    twice or are too high, payouts at another amount, and debits that nobody knows.
    """

    seed: int
    size: int
    month: str
    profile: str = "stripe"
    plants: bool = True
    market: str = "eu"
    currency: str = "EUR"
    second_currency: str = "USD"
    zone: str = "Europe/Amsterdam"
    per: str = "day"
    bank_format: str = "camt.053"
    file_faults: bool = False
    bank_plants: bool = False
    sellers: int = 20_000
    payouts_per_day: int | None = None
    batch_of_payouts: int = 1_000
    shape: Shape = field(default_factory=Shape)

    def __post_init__(self) -> None:
        if self.size < 1 or self.size > 20_000_000:
            raise ValueError("size is between 1 and 20,000,000")
        for name, allowed in (
            ("profile", PROFILES),
            ("market", ("eu", "us")),
            ("per", ("day", "month")),
            ("bank_format", ("camt.053", "mt940")),
        ):
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} is one of {', '.join(allowed)}, not {getattr(self, name)!r}")
        if self.second_currency == self.currency:
            raise ValueError("the second currency is the first one")
        date.fromisoformat(f"{self.month}-01")

    @property
    def other_currency(self) -> str:
        """A currency that is not the main one: the second, or some other."""
        return self.second_currency or ("USD" if self.currency != "USD" else "EUR")


def major(minor: int, currency: str) -> str:
    """Return minor units as files write them: digits, a point, as many decimals as the currency has."""
    places = EXPONENTS.get(currency, 2)
    if not places:
        return str(minor)
    sign, digits = ("-", str(-minor)) if minor < 0 else ("", str(minor))
    digits = digits.rjust(places + 1, "0")
    return f"{sign}{digits[:-places]}.{digits[-places:]}"
