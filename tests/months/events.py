"""Our own side: what the marketplace did and was told, as plain records in the order of time.

References are the provider's own: `reference` is the object (Stripe ch_, re_, dp_; Adyen's PSP or
modification reference), `transaction` the booking of it (Stripe txn_; Adyen's modification reference), which
a settlement file names too. Amounts are positive minor units. `expected_on` is the business day whose batch
should have it.
"""

from collections.abc import Iterator
from datetime import date, datetime
from typing import NamedTuple

from tests.months.days import Days
from tests.months.lines import Lines, part_of
from tests.months.operations import Operation, Schedule
from tests.months.options import Options
from tests.months.payments import Payment, Payments, references
from tests.months.plants import Plants
from tests.months.prices import PriceTable
from tests.months.seller_payouts import Payout, SellerPayouts

__all__ = [
    "Capture", "Chargeback", "ChargebackReversal", "Decline", "Event", "Events", "Payout", "Refund",
    "RefundFailure",
]  # fmt: skip


class Decline(NamedTuple):
    """An attempt that failed, expired or was given up. No file may have it."""

    at: datetime
    order: str
    merchant_reference: str
    seller: str
    reference: str
    amount_minor: int
    currency: str
    method: str
    brand: str
    funding: str


class Capture(NamedTuple):
    """A captured payment. `settlement_minor` and `fee_minor` are what prices and the quoted rate make expect.

    `rate` is from `currency` to `settlement_currency`, "1" where they are the same.
    """

    at: datetime
    order: str
    merchant_reference: str
    seller: str
    reference: str
    transaction: str
    amount_minor: int
    currency: str
    method: str
    brand: str
    funding: str
    settlement_minor: int
    settlement_currency: str
    rate: str
    fee_minor: int
    expected_on: date


class Refund(NamedTuple):
    """A refund that the provider accepted; `payment` is the `reference` of the capture."""

    at: datetime
    order: str
    reference: str
    transaction: str
    payment: str
    amount_minor: int
    currency: str
    is_full: bool
    expected_on: date


class RefundFailure(NamedTuple):
    """A refund that came back. `refund` is its `reference`."""

    at: datetime
    order: str
    reference: str
    transaction: str
    refund: str
    payment: str
    amount_minor: int
    currency: str
    expected_on: date


class Chargeback(NamedTuple):
    """A chargeback, with the provider's fee in the settlement currency; `round` is 2 for a second one."""

    at: datetime
    order: str
    reference: str
    transaction: str
    payment: str
    amount_minor: int
    currency: str
    fee_minor: int
    round: int
    expected_on: date


class ChargebackReversal(NamedTuple):
    """A chargeback that was won: the money is back, the fee is not. `chargeback` is its `reference`."""

    at: datetime
    order: str
    reference: str
    transaction: str
    chargeback: str
    payment: str
    amount_minor: int
    currency: str
    expected_on: date


Event = Decline | Capture | Refund | RefundFailure | Chargeback | ChargebackReversal | Payout


class Events:
    """The events of a month, and those before it of payments that the month still has to do with."""

    def __init__(
        self, options: Options, days: Days, payments: Payments, schedule: Schedule, plants: Plants,
        prices: PriceTable, lines: Lines, payouts: SellerPayouts,
    ) -> None:  # fmt: skip
        self._options, self._days, self._payments, self._schedule = options, days, payments, schedule
        self._plants, self._prices, self._lines, self._payouts = plants, prices, lines, payouts

    def __iter__(self) -> Iterator[Event]:
        first = self._days.first
        whole = {
            day for day in self._schedule.carried_in() if self._days.settles(day) >= self._days.business[0]
        }
        some = {day: set(self._schedule.late(day)) for day in self._schedule.carried_in() if day not in whole}
        for day, numbers in self._schedule.touched.items():
            some.setdefault(day, set()).update(numbers)
        early = set(some) | whole | set(self._schedule.by_day) | set(self._payouts.returned_before)
        for day in sorted(each for each in early if each < first):
            numbers = range(self._days.volume(day)) if day in whole else sorted(some.get(day, ()))
            yield from self._day(day, numbers)
        for day in range(first, self._days.last + 1):
            yield from self._day(day, range(self._days.volume(day)))

    def _day(self, day: int, numbers: range | list[int]) -> Iterator[Event]:
        others: list[Event] = [self._operation(op) for op in self._schedule.by_day.get(day, ())]
        others += self._payouts.events(day)
        others.sort(key=lambda event: event.at)
        place = 0
        planted = self._plants.on_payments.get(day, {})
        for number in numbers:
            payment = self._payments[day, number]
            while place < len(others) and others[place].at <= payment.at:
                yield others[place]
                place += 1
            if payment.declines:
                yield self._decline(payment)
            plant = planted.get(number)
            if plant is None:
                yield self._capture(payment, "charge")
            else:
                yield from self._planted(payment, plant.kind.name)
        yield from others[place:]

    def _planted(self, payment: Payment, name: str) -> Iterator[Event]:
        if name == "missing_internal":
            return
        if name == "status":
            refs = references(self._options.profile, payment.token, payment.digits, "charge")
            yield self._failed(payment, payment.order, refs.reference)
        elif name == "two_captures":
            first, second = self._lines.halves(payment)
            yield self._capture(first, "charge")
            yield self._capture(second, "second_charge")
        else:
            yield self._capture(payment, "charge")

    def _capture(self, payment: Payment, movement: str) -> Capture:
        refs = references(self._options.profile, payment.token, payment.digits, movement)
        method = payment.method
        return Capture(
            payment.at, payment.order, payment.order, self._seller(payment), refs.reference, refs.transaction,
            payment.amount_minor, payment.currency, method.name, method.brand, method.funding,
            payment.gross_minor, self._options.currency, rate_text(payment.rate),
            self._prices.fee(method, payment.gross_minor).total,
            date.fromordinal(self._days.settles(payment.day)),
        )  # fmt: skip

    def _decline(self, payment: Payment) -> Decline:
        """A failed attempt: an earlier one for the same order, or one of an order that was given up."""
        order = payment.order if payment.declines == 1 else f"{payment.order}-X"
        token = f"ch_3{payment.token[:-2]}xx" if self._options.profile == "stripe" else f"89{payment.digits}"
        return self._failed(payment, order, token)

    def _failed(self, payment: Payment, order: str, reference: str) -> Decline:
        method = payment.method
        return Decline(
            payment.at, order, order, self._seller(payment), reference, payment.amount_minor,
            payment.currency, method.name, method.brand, method.funding,
        )  # fmt: skip

    def _seller(self, payment: Payment) -> str:
        return f"seller-{payment.seller:05d}"

    def _operation(self, op: Operation) -> Event:
        payment = self._payments[op.captured_on, op.number]
        refs = references(self._options.profile, payment.token, payment.digits, op.movement)
        at = self._days.moment(op.day, op.share, 65_536)
        amount, currency = part_of(payment.amount_minor, op.part), payment.currency
        batch = date.fromordinal(op.batch)
        known = (at, payment.order, refs.reference, refs.transaction)
        if op.movement.startswith("refund_failure"):
            refund = self._other(payment, op.movement.replace("_failure", ""))
            return RefundFailure(*known, refund, refs.charge, amount, currency, batch)
        if op.movement.startswith("refund"):
            is_full = amount == payment.amount_minor
            return Refund(*known, refs.charge, amount, currency, is_full, batch)
        if op.movement == "dispute_reversal":
            return ChargebackReversal(
                *known, self._other(payment, "dispute"), refs.charge, amount, currency, batch
            )
        fee = self._prices.chargeback_fee.total
        return Chargeback(*known, refs.charge, amount, currency, fee, 1 + (op.movement != "dispute"), batch)

    def _other(self, payment: Payment, movement: str) -> str:
        return references(self._options.profile, payment.token, payment.digits, movement).reference


def rate_text(rate: int) -> str:
    """Return a rate in hundred-millionths as files write it: eight digits, or "1"."""
    return "1" if rate == 100_000_000 else f"{rate // 100_000_000}.{rate % 100_000_000:08d}"
