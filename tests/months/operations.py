"""What happens to payments after their capture: which, when, and in which batch; and who is booked late."""

from typing import NamedTuple

from tests.months.days import Days, next_business
from tests.months.draws import Draws, distinct, geometric
from tests.months.options import Options
from tests.months.payments import Payments

__all__ = ["WHOLE", "Operation", "Schedule"]

WHOLE = 1_000_000
# How far back a payment may be that still moves: a chargeback, its reversal, and a second chargeback.
_HISTORY = 75 + 90 + 30


class Operation(NamedTuple):
    """A movement of an earlier payment. `movement` names it as `references` does; `part` is of WHOLE."""

    movement: str
    day: int
    share: int  # when in the day, of 2**16
    batch: int
    captured_on: int
    number: int
    part: int


class Plan(NamedTuple):
    """What is special about the payments of a day: those booked a day late, and the histories of others."""

    late: frozenset[int]
    histories: dict[int, list[Operation]]

    @property
    def numbers(self) -> set[int]:
        return {*self.late, *self.histories}


class Schedule:
    """The operations that a month sees: one small record for each is kept, about 3 % of the payments."""

    def __init__(self, options: Options, draws: Draws, days: Days, payments: Payments) -> None:
        self._options, self._draws, self._days, self._payments = options, draws, days, payments
        self._late: dict[int, frozenset[int]] = {}
        self.by_day: dict[int, list[Operation]] = {}
        self.by_batch: dict[int, list[Operation]] = {}
        # Payments from before the month that move in it, by day.
        self.touched: dict[int, set[int]] = {}
        for day in range(days.first - _HISTORY, days.last + 1):
            self._add(day, self.plan(day))

    def late(self, day: int) -> frozenset[int]:
        """Return the numbers of a day's payments that are booked one business day late."""
        if day not in self._late:
            self._late[day] = self.plan(day).late
        return self._late[day]

    def carried_in(self) -> list[int]:
        """Return the days before the month of which some payment is settled in it."""
        first = self._days.business[0]
        day = found = self._days.first
        while next_business(self._days.settles(day)) >= first:
            found, day = day, day - 1
        return list(range(found, self._days.first))

    def _add(self, day: int, plan: Plan) -> None:
        for number, history in plan.histories.items():
            if not any(op.batch >= self._days.business[0] and op.day <= self._days.last for op in history):
                continue
            if day < self._days.first:
                self.touched.setdefault(day, set()).add(number)
            for op in history:
                self.take(op)

    def take(self, op: Operation) -> None:
        """Add an operation to the month."""
        if op.day <= self._days.last:
            self.by_day.setdefault(op.day, []).append(op)
            if self._days.business[0] <= op.batch <= self._days.business[-1]:
                self.by_batch.setdefault(op.batch, []).append(op)

    def operation(self, movement: str, day: int, share: int, of: tuple[int, int], part: int) -> Operation:
        """Return an operation on a payment; its batch is that of the next business day."""
        return Operation(movement, day, share, next_business(day), *of, part)

    def plan(self, day: int) -> Plan:
        """Return what is special about the payments of a day."""
        rng = self._draws.plan("plan", day)
        volume, taken = self._days.volume(day), set[int]()

        def some(per_mille_of_mille: int) -> list[int]:
            whole, rest = divmod(volume * per_mille_of_mille, WHOLE)
            return distinct(rng, whole + (rng.random() * WHOLE < rest), volume, taken)

        late = frozenset(some(5_000))
        refunded, disputed = some(30_000), some(1_500)
        histories: dict[int, list[Operation]] = {}
        for number in refunded:
            histories[number] = self._refunds(day, number, [rng.random() for _ in range(8)])
        for number in disputed:
            chances = [rng.random() for _ in range(8)]
            # The rate is of card payments.
            if self._payments[day, number].method.kind == "card":
                histories[number] = self._disputes(day, number, chances)
        return Plan(late, histories)

    def _refunds(self, day: int, number: int, u: list[float]) -> list[Operation]:
        """70 % whole, 30 % in part; of all, 5 % in two parts; 1 % fail within ten days."""
        # Never before the payment is settled: those that are early are planted, and known.
        first = max(day + geometric(u[0]), self._days.settles(day))
        share, of = int(u[1] * 65_536), (day, number)
        part = WHOLE if u[2] < 0.7 else 50_000 + int(u[3] * 400_000)
        found = [self.operation("refund1", first, share, of, min(part, WHOLE // 2) if u[4] < 0.05 else part)]
        if u[4] < 0.05:
            second = min(first + 1 + geometric(u[5]), day + 120)
            found.append(
                self.operation("refund2", max(second, first), share, of, 50_000 + int(u[6] * 400_000))
            )
        elif u[7] < 0.01:
            found.append(self.operation("refund_failure1", first + 1 + int(u[7] * 1_000), share, of, part))
        return found

    def _disputes(self, day: int, number: int, u: list[float]) -> list[Operation]:
        """20 to 75 days late; 30 % won 40 to 90 days later; of all, 5 % once more within 30 days."""
        share, of = int(u[0] * 65_536), (day, number)
        opened = day + 20 + int(u[1] * 56)
        found = [self.operation("dispute", opened, share, of, WHOLE)]
        if u[2] < 0.3:
            won = opened + 40 + int(u[3] * 51)
            found.append(self.operation("dispute_reversal", won, share, of, WHOLE))
            if u[2] < 0.05:
                found.append(self.operation("second_dispute", won + 1 + int(u[4] * 30), share, of, WHOLE))
        return found
