"""What the bank books on each business day: the provider's payouts, ours, returns, fees, and plants."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import NamedTuple

from tests.months.days import Days, next_business
from tests.months.options import Options
from tests.months.plants import Plant, Plants
from tests.months.prices import PriceTable
from tests.months.seller_payouts import Payout, SellerPayouts, iban
from tests.months.survey import Batch, Survey

__all__ = ["Bank", "Booking", "Statement"]

PROVIDER_ACCOUNT = iban(9_000_000_001)
OWN_ACCOUNT = iban(9_000_000_002)


class Booking(NamedTuple):
    """One booked entry; the amount is positive for money that comes in, in minor units.

    `code` is the bank transaction code (domain, family, sub-family). A collective booking has `count`
    payments, which `details()` yields.
    """

    amount_minor: int
    code: tuple[str, str, str]
    reference: str
    text: str
    end_to_end: str = ""
    counterparty: str = ""
    account: str = ""
    return_reason: str = ""
    batch: str = ""
    count: int = 0
    details: Callable[[], Iterator[Payout]] | None = None
    plant: int = -1
    settles: tuple[int, ...] = ()  # the batches that the provider pays with it


@dataclass(frozen=True)
class Statement:
    """The statement of one business day."""

    day: date
    number: int
    opening_minor: int
    closing_minor: int
    bookings: Callable[[], Iterator[Booking]]


class Bank:
    """The bookings of a month on our account, by business day."""

    def __init__(
        self, options: Options, days: Days, survey: Survey, plants: Plants, payouts: SellerPayouts,
        prices: PriceTable, text: Callable[[Batch], str], provider: str,
    ) -> None:  # fmt: skip
        self._options, self._days, self._survey, self._plants = options, days, survey, plants
        self._payouts, self.prices, self._text, self._provider = payouts, prices, text, provider
        # What is credited once more, on the bank day after; it settles nothing.
        self.again: dict[int, list[Booking]] = {}
        self.credits = self._credits()

    def _credits(self) -> dict[int, list[Booking]]:
        """Return what the provider pays on each bank day: the day after the batch, as a rule."""
        found: dict[int, list[Booking]] = {}
        merged: list[Batch] = []
        for day, batch in self._survey.batches.items():
            plant = self._plants.on_batches.get(day)
            kind = plant.kind.name if plant else ""
            here = found.setdefault(next_business(day), [])
            index = plant.index if plant else -1
            if kind == "credit_merged" and not merged:
                merged.append(batch)
                continue
            if not batch.payout or kind == "batch_not_banked":
                continue
            if kind == "credit_merged":
                here.append(self._credit([*merged, batch], merged[0].payout + batch.payout, 0, index))
                merged.clear()
            elif kind == "credit_split" and plant:
                first = batch.payout * (300 + int(plant.chance * 400)) // 1000
                here.append(self._credit([batch], first, 0, index))
                here.append(self._credit([batch], batch.payout - first, 1, index))
            else:
                here.append(self._credit([batch], batch.payout - self.short(plant, batch), 0, index))
                if kind == "credit_twice":
                    second = self._credit([batch], batch.payout, 1, index)
                    self.again.setdefault(next_business(day, 2), []).append(second)
        return found

    def short(self, plant: Plant | None, batch: Batch) -> int:
        """Return by how much the bank's credit of a batch is less than what the batch pays."""
        off = max(1, batch.payout * (1 + int(plant.chance * 40)) // 1000) if plant else 0
        return {"batch_total": off, "batch_over": -off}.get(plant.kind.name if plant else "", 0)

    def _credit(self, batches: list[Batch], amount: int, part: int, plant: int) -> Booking:
        last = batches[-1]
        return Booking(
            amount_minor=amount,
            code=("PMNT", "RCDT" if amount > 0 else "RDDT", "ESCT" if amount > 0 else "ESDD"),
            reference=f"CR{last.day:%y%m%d}{last.number:06d}{part}",
            text=" / ".join(self._text(batch) for batch in batches),
            end_to_end=last.trace,
            counterparty=self._provider,
            account=PROVIDER_ACCOUNT,
            plant=plant,
            settles=tuple(batch.day.toordinal() for batch in batches),
        )

    def bookings(self, day: int) -> Iterator[Booking]:
        """Yield the bookings of a business day."""
        yield from self.credits.get(day, ())
        yield from self.again.get(day, ())
        yield from self._paid_out(day)
        for back in self._payouts.returns.get(day, ()):
            yield self._returned(back.payout, back.reason, f"RT{back.payout.reference[2:]}")
        yield from self._unknown(day)
        yield self._fee(day)

    def notable(self, day: int) -> Iterator[Booking]:
        """Yield the bookings of a day that may carry a plant."""
        yield from self.credits.get(day, ())
        yield from self.again.get(day, ())
        yield from self._unknown(day)
        for (sent, number), plant in self._plants.payouts.items():
            if sent == day:
                yield from self._single(self._payouts.payout(sent, number), plant)
        yield from self._paid_again(day)

    def _unknown(self, day: int) -> Iterator[Booking]:
        for plant in self._plants.bank.get(day, ()):
            amount = self.prices.minor(4_200 + int(plant.chance * 90_000))
            if plant.kind.name == "unknown_bank_debit":
                yield Booking(
                    -amount, ("PMNT", "RDDT", "ESDD"), f"UD{plant.index:08d}", "Insurance premium 0815",
                    counterparty="I. Unknown", account=iban(plant.index + 7_000_000_000), plant=plant.index,
                )  # fmt: skip
                continue
            yield Booking(
                amount, ("PMNT", "RCDT", "ESCT"), f"UN{plant.index:08d}", "Invoice 4711 thank you",
                counterparty="M. Unknown", account=iban(plant.index + 7_000_000_000), plant=plant.index,
            )  # fmt: skip

    def _paid_out(self, day: int) -> Iterator[Booking]:
        """Yield our payouts: collective orders with one booking each, then single ones."""
        together = self._payouts.in_batches(day)
        for batch, group in groupby(
            (self._payouts.payout(day, number) for number in range(together)), key=lambda each: each.batch
        ):
            amount = count = 0
            for payout in group:
                amount, count = amount + payout.amount_minor, count + 1
            first = (int(batch.split("-")[1]) - 1) * self._options.batch_of_payouts
            yield Booking(
                -amount, ("PMNT", "ICDT", "ESCT"), f"DB{batch[2:]}", f"Collective order {batch}", batch=batch,
                count=count, details=self._details(day, first, count),
            )  # fmt: skip
        for number in range(together, self._payouts.count(day)):
            payout = self._payouts.payout(day, number)
            yield from self._single(payout, self._plants.payouts.get((day, number)))
        yield from self._paid_again(day)

    def _paid_again(self, day: int) -> Iterator[Booking]:
        """Yield the payouts of the bank day before that are booked once more."""
        for (sent, number), plant in self._plants.payouts.items():
            if plant.kind.name == "payout_twice" and next_business(sent) == day:
                payout = self._payouts.payout(sent, number)
                yield self._booked(payout, payout.amount_minor, f"D2{payout.reference[2:]}", plant.index)

    def _single(self, payout: Payout, plant: Plant | None) -> Iterator[Booking]:
        """Yield the booking of one payout, as what is planted on it makes it."""
        name = plant.kind.name if plant else ""
        if name == "payout_not_shown":
            return
        amount = payout.amount_minor + (self.off(plant, payout) if plant and name == "payout_amount" else 0)
        yield self._booked(payout, amount, f"DB{payout.reference[2:]}", plant.index if plant else -1)

    def payout(self, plant: Plant) -> Payout:
        """Return the payout that a plant is on."""
        return self._payouts.payout(plant.day, plant.number)

    def off(self, plant: Plant, payout: Payout) -> int:
        """Return by how much more, or less, the bank pays than a payout is."""
        less = max(1, payout.amount_minor // 4)
        return self.prices.minor(1_000) if plant.chance < 0.5 else -less

    @staticmethod
    def _booked(payout: Payout, amount: int, reference: str, plant: int) -> Booking:
        return Booking(
            -amount, ("PMNT", "ICDT", "ESCT"), reference, f"Payout {payout.reference}", payout.reference,
            payout.name, payout.account, plant=plant,
        )  # fmt: skip

    def _details(self, day: int, first: int, count: int) -> Callable[[], Iterator[Payout]]:
        return lambda: (self._payouts.payout(day, number) for number in range(first, first + count))

    @staticmethod
    def _returned(payout: Payout, reason: str, reference: str) -> Booking:
        return Booking(
            payout.amount_minor, ("PMNT", "ICDT", "RRTN"), reference, f"Return of payout {payout.reference}",
            payout.reference, payout.name, payout.account, reason,
        )  # fmt: skip

    def _fee(self, day: int) -> Booking:
        amount = self.prices.minor(150 + 2 * self._payouts.count(day))
        text = f"Account charges {date.fromordinal(day)}"
        return Booking(-amount, ("ACMT", "MDOP", "CHRG"), f"FE{date.fromordinal(day):%y%m%d}", text)

    def statements(self) -> Iterator[Statement]:
        """Yield the statements of the month: each opens with what the one before closed with."""
        balance = self.prices.minor(max(100_000_000, self._options.size * 9_000))
        first_of_year = date(int(self._options.month[:4]), 1, 1).toordinal()
        number = sum(1 for day in range(first_of_year, self._days.first) if self._is_bank_day(day))
        for day in self._days.business:
            number += 1
            plant = self._plants.statements.get(day)
            opening, balance = balance, balance + sum(each.amount_minor for each in self.bookings(day))
            if plant and plant.kind.name == "statement_missing":
                continue
            wrong = 1_00 if plant else 0
            yield Statement(date.fromordinal(day), number, opening, balance + wrong, self._of(day))

    def _of(self, day: int) -> Callable[[], Iterator[Booking]]:
        return lambda: self.bookings(day)

    @staticmethod
    def _is_bank_day(day: int) -> bool:
        return next_business(day - 1) == day
