"""The lines of the provider's batches: the truth, and what is planted in it."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import NamedTuple

from tests.months.days import Days, previous_business
from tests.months.operations import WHOLE, Operation, Schedule
from tests.months.options import Options
from tests.months.payments import Payment, Payments, References, references
from tests.months.plants import Plant, Plants
from tests.months.prices import Fee, Method, PriceTable

__all__ = ["NO_METHOD", "Line", "Lines", "part_of"]

NO_METHOD = Method("", "", "", "", "", 0)
_NO_FEE = Fee(0)


class Line(NamedTuple):
    """One line of a batch, before it is written. Amounts are signed minor units; gross - fee = net.

    `facing_…` is what the buyer saw, `rate` from there to the settlement currency in hundred-millionths.
    `plant` is the index of what is planted in it, or -1.
    """

    kind: str
    at: datetime
    refs: References
    merchant_reference: str
    facing_currency: str
    facing_minor: int
    rate: int
    gross_minor: int
    fee: Fee
    method: Method = NO_METHOD
    charged_at: datetime | None = None
    text: str = ""
    plant: int = -1

    @property
    def net_minor(self) -> int:
        return self.gross_minor - self.fee.total


def part_of(amount_minor: int, part: int) -> int:
    """Return a part (of WHOLE) of an amount, at least one minor unit."""
    return max(1, amount_minor * part // WHOLE)


class Lines:
    """The lines of each batch, made when they are asked for."""

    def __init__(
        self,
        options: Options,
        days: Days,
        payments: Payments,
        schedule: Schedule,
        plants: Plants,
        prices: PriceTable,
    ) -> None:
        self._options, self._days, self._payments = options, days, payments
        self._schedule, self._plants, self._prices = schedule, plants, prices
        self._months_invoice = days.business[0]

    def of(self, batch: int) -> Iterator[Line]:
        """Yield the lines of the batch of a business day, without what the batch itself pays or carries."""
        count = 0
        for line in self._all(batch):
            count += 1
            yield line
        at = self._days.midnight(batch)[0]
        name = f"{date.fromordinal(batch):%Y%m%d}"
        amount = self._prices.minor(2 * count)
        if amount:
            yield self._own_row("fee", at, f"fee{name}", -amount, text=f"Transaction Fees {name}")
        if batch == self._months_invoice:
            yield self._own_row(
                "network_cost", at, f"inv{name}", -self._prices.minor(4_900), text=f"Invoice {name}"
            )

    def _all(self, batch: int) -> Iterator[Line]:
        for day in self._days.settled_by(batch):
            late, planted = self._schedule.late(day), self._plants.on_payments.get(day, {})
            for number in range(self._days.volume(day)):
                if number in planted:
                    yield from self._planted(planted[number], batch)
                elif number not in late:
                    yield self.charge(self._payments[day, number])
        for day in self._days.settled_by(previous_business(batch)):
            for number in sorted(self._schedule.late(day)):
                yield self.charge(self._payments[day, number])
        for op in self._schedule.by_batch.get(batch, ()):
            yield self._operation(op)
        for plant in self._plants.by_batch.get(batch, ()):
            yield from self._planted(plant, batch)

    def charge(self, payment: Payment, movement: str = "charge") -> Line:
        """Return the line of a payment as it should be."""
        return Line(
            kind="charge",
            at=payment.at,
            refs=references(self._options.profile, payment.token, payment.digits, movement),
            merchant_reference=payment.order,
            facing_currency=payment.currency,
            facing_minor=payment.amount_minor,
            rate=payment.rate,
            gross_minor=payment.gross_minor,
            fee=self._prices.fee(payment.method, payment.gross_minor),
            method=payment.method,
            charged_at=payment.at,
        )

    def halves(self, payment: Payment) -> tuple[Payment, Payment]:
        """Return the two captures that a planted payment was made in."""
        first = payment.amount_minor // 2
        return tuple(
            payment._replace(amount_minor=amount, gross_minor=amount)
            for amount in (first, payment.amount_minor - first)
        )  # type: ignore[return-value]

    def _operation(self, op: Operation) -> Line:
        payment = self._payments[op.captured_on, op.number]
        kind = op.movement.rstrip("12")
        fee = _NO_FEE
        if kind == "refund":
            fee = self._prices.refund_fee(payment.method)
        elif kind in ("dispute", "second_dispute"):
            fee = self._prices.chargeback_fee
        sign = -1 if kind in ("refund", "dispute", "second_dispute") else 1
        facing = sign * part_of(payment.amount_minor, op.part)
        same = payment.currency == self._options.currency
        planted = self._plants.on_payments.get(op.captured_on, {}).get(op.number)
        return Line(
            kind=kind,
            at=self._days.moment(op.day, op.share, 65_536),
            refs=references(self._options.profile, payment.token, payment.digits, op.movement),
            merchant_reference=payment.order,
            facing_currency=payment.currency,
            facing_minor=facing,
            rate=payment.rate,
            gross_minor=facing if same else self._payments.settled(facing, payment.rate),
            fee=fee,
            method=payment.method,
            charged_at=payment.at,
            plant=planted.index if planted else -1,
        )

    def _planted(self, plant: Plant, batch: int) -> Iterator[Line]:
        """Yield what a plant puts into a batch, its own payment included."""
        name = plant.kind.name
        if plant.kind.on == "nothing":
            yield self._of_nothing(plant, batch)
            return
        payment = self._payments[plant.day, plant.number]
        true = self.charge(payment)
        own = batch == self._days.settles(plant.day)
        if name == "missing_external" or (name.startswith("late_") and own):
            return
        if name == "two_captures":
            first, second = self.halves(payment)
            yield self.charge(first)._replace(plant=plant.index)
            yield self.charge(second, "second_charge")._replace(plant=plant.index)
            return
        if name in ("duplicate", "reference_collision") or (name == "duplicate_next_file" and own):
            yield true
            if name == "duplicate_next_file":
                return
        yield self._changed(plant, payment, true)._replace(plant=plant.index)

    def _changed(self, plant: Plant, payment: Payment, true: Line) -> Line:
        name, gross = plant.kind.name, true.gross_minor
        if name == "amount_one_unit":
            return _with_gross(true, gross + (1 if plant.chance < 0.5 else -1))
        if name == "amount":
            more = 1 + int(gross * (0.05 + 0.4 * plant.chance))
            return _with_gross(true, gross + more if int(plant.chance * 1000) % 2 else gross - more)
        if name == "fee":
            parts = list(true.fee)
            place = max(range(4), key=lambda each: parts[each])
            parts[place] += max(2, parts[place] // 3) + int(plant.chance * 50)
            return true._replace(fee=Fee(*parts))
        if name == "fx_rate":
            rate = payment.rate * (940 + int(plant.chance * 20)) // 1000
            return true._replace(rate=rate, gross_minor=self._payments.settled(payment.amount_minor, rate))
        if name == "currency":
            rate = self._prices.reference_rate(plant.day)
            other, settled = self._options.other_currency, self._payments.settled(payment.amount_minor, rate)
            return true._replace(facing_currency=other, rate=rate, gross_minor=settled)
        if name == "reference_collision":
            letters = references(self._options.profile, payment.token, payment.digits, "second_charge")
            return _with_gross(true, gross + 1700)._replace(
                refs=true.refs._replace(transaction=letters.transaction)
            )
        if name == "damaged_reference":
            damaged = f"8.8{payment.digits[:8]}E+15"
            return true._replace(refs=References(damaged, damaged, damaged, ""))
        return true

    def _of_nothing(self, plant: Plant, batch: int) -> Line:
        at = self._days.moment(plant.day, int(plant.chance * 65_536), 65_536)
        digits = f"{plant.day % 10_000:04d}{9_000_000 + plant.index:07d}042"
        amount = self._prices.minor(2_000 + int(plant.chance * 20_000))
        if plant.kind.name == "unknown_chargeback":
            refs = references(self._options.profile, f"{plant.index:022x}", digits, "dispute")
            currency = self._options.currency
            return Line(
                "dispute", at, refs, f"ORD-{plant.index:013d}", currency, -amount, 100_000_000, -amount,
                self._prices.chargeback_fee, self._prices.methods[0], at, plant=plant.index,
            )  # fmt: skip
        if plant.kind.name == "reserve":
            kind, sign = ("reserve_hold", -1) if batch == plant.batch else ("reserve_release", 1)
            at = self._days.midnight(batch)[0]
            return self._own_row(kind, at, f"rsv{kind[8]}{plant.index:08d}", sign * amount, plant=plant.index)
        return self._own_row("unknown_type", at, f"unk{plant.index:08d}", amount, plant=plant.index)

    def _own_row(
        self, kind: str, at: datetime, name: str, amount: int, *, text: str = "", plant: int = -1
    ) -> Line:
        refs = (
            References("", f"txn_1{name}", "", "")
            if self._options.profile == "stripe"
            else References("", "", "", "")
        )
        return Line(
            kind, at, refs, "", self._options.currency, amount, 100_000_000, amount, _NO_FEE,
            text=text or name, plant=plant,
        )  # fmt: skip


def _with_gross(line: Line, gross_minor: int) -> Line:
    return line._replace(gross_minor=gross_minor, facing_minor=gross_minor)
