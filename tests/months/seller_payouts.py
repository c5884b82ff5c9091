"""What we pay to sellers: our payouts through the bank, and those that come back."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import NamedTuple

from tests.months.days import Days, is_business, next_business
from tests.months.draws import Draws
from tests.months.options import Options
from tests.months.payments import Payments

__all__ = ["Payout", "Return", "SellerPayouts"]

_PAYOUT = 3
_LONGEST_RETURN = 40
_REASONS = ("AC01", "AC04", "AC06", "MS03", "AM04")


class Payout(NamedTuple):
    """A payout to a seller, sent on a business day; `batch` is the collective order it is in, or empty.

    Amounts are what a seller of that rank earns in a week, times 0.6, on the average: who plays them as
    traffic gives the sellers a balance first.
    """

    at: datetime
    reference: str
    seller: str
    name: str
    account: str
    amount_minor: int
    currency: str
    batch: str


class Return(NamedTuple):
    """A payout that came back, on the business day `day`: the bank credits it with the reference it had."""

    day: date
    payout: Payout
    reason: str


def iban(number: int) -> str:
    """Return a German account number with its check digits (ISO 13616)."""
    account = f"50050000{number:010d}"
    check = 98 - int(f"{account}131400") % 97
    return f"DE{check:02d}{account}"


class SellerPayouts:
    """The payouts of each business day, made when they are asked for; only returned ones are kept."""

    def __init__(self, options: Options, draws: Draws, days: Days, payments: Payments) -> None:
        self._options, self._draws, self._days, self._payments = options, draws, days, payments
        bounds = payments.seller_bounds
        self._shares = [high - low for low, high in zip([0, *bounds], bounds, strict=False)]
        self.returns: dict[int, list[Return]] = {}
        self.returned_before: dict[int, list[Payout]] = {}
        for day in range(days.first - _LONGEST_RETURN - 5, days.last + 1):
            if is_business(day):
                self._find_returns(day)

    def count(self, day: int) -> int:
        """Return how many payouts a business day has: a tenth of the payments of a usual day, to 2,000."""
        if self._options.payouts_per_day is not None:
            return self._options.payouts_per_day
        return max(4, min(2_000, self._options.size // 300))

    def in_batches(self, day: int) -> int:
        """Return how many payouts of a day, from the first, are booked in collective orders; 7 of 10."""
        return self.count(day) * 7 // 10

    def of(self, day: int) -> Iterator[Payout]:
        """Yield the payouts of a business day."""
        for number in range(self.count(day)):
            yield self.payout(day, number)

    def payout(self, day: int, number: int) -> Payout:
        """Return one payout of a business day."""
        word = self._draws.words(_PAYOUT, day, number)
        rank = (5 * number + (day - 1) % 7) % len(self._shares)
        week = self._shares[rank] * self._options.size * 7 // 30 * 9_000 >> 32
        amount = max(100, week * (50 + word[0] % 21) // 100)
        batch = ""
        if number < self.in_batches(day):
            batch = f"PB{date.fromordinal(day):%y%m%d}-{1 + number // self._options.batch_of_payouts}"
        return Payout(
            at=self._days.moment(day, number + 1, 2 * self.count(day) + 2),
            reference=f"PO{date.fromordinal(day):%y%m%d}{number:06d}",
            seller=f"seller-{rank:05d}",
            name=f"Seller {rank:05d} GmbH",
            account=iban(rank),
            amount_minor=amount,
            currency=self._options.currency,
            batch=batch,
        )

    def events(self, day: int) -> list[Payout]:
        """Return the payouts sent on a day; before the month only those that come back in it."""
        if day < self._days.first:
            return self.returned_before.get(day, [])
        return list(self.of(day)) if is_business(day) else []

    def _find_returns(self, day: int) -> None:
        """0.4 % come back after 1 to 5 days, 0.02 % after 20 to 40."""
        rng = self._draws.plan("returns", day)
        for number in range(self.count(day)):
            chance = rng.random()
            if chance >= 0.0042:
                continue
            lag = 1 + int(rng.random() * 5) if chance < 0.004 else 20 + int(rng.random() * 21)
            back = day + lag if is_business(day + lag) else next_business(day + lag)
            if self._days.first <= back <= self._days.last:
                payout = self.payout(day, number)
                reason = _REASONS[int(rng.random() * len(_REASONS))]
                self.returns.setdefault(back, []).append(Return(date.fromordinal(back), payout, reason))
                if day < self._days.first:
                    self.returned_before.setdefault(day, []).append(payout)
