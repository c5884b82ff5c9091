"""The differences that are planted: which kinds, how many, and on what. No payment carries two."""

from bisect import bisect_right
from collections.abc import Callable
from itertools import accumulate
from random import Random
from typing import NamedTuple

from tests.months.days import Days, next_business
from tests.months.draws import Draws
from tests.months.operations import WHOLE, Schedule
from tests.months.options import Options
from tests.months.payments import Payment, Payments
from tests.months.seller_payouts import SellerPayouts

__all__ = ["BANK_PLANTS", "KINDS", "Kind", "Plant", "Plants"]

# From this size on there is at least one of each kind.
_ONE_OF_EACH = 1_000


class Kind(NamedTuple):
    """A kind of plant: how many in a million payments, and what is to be said about it.

    `expected` is a class of breaks, or "none" for what is legitimate or only a matter of time. `category` is
    A (posted by rule), B (adjusted by hand) or C (investigated). `also` are classes that may rightly be
    reported beside it, about the same payment. `on` says what it is planted on: a payment, a batch, a payout
    of ours, or nothing that exists. `batches` is how many later batches it needs, `room` how many more
    business days the month must have for it to be seen.
    """

    name: str
    per_million: int
    expected: str = "none"
    category: str = ""
    on: str = "payment"
    batches: int = 0
    also: tuple[str, ...] = ()
    within_tolerance: bool = False
    room: int = 0


KINDS = {
    kind.name: kind
    for kind in (
        Kind("missing_external", 200, "MISSING_EXTERNAL", "B"),
        Kind("missing_internal", 200, "MISSING_INTERNAL", "A"),
        Kind("amount_one_unit", 100, "AMOUNT_MISMATCH", "A", within_tolerance=True),
        Kind("amount", 100, "AMOUNT_MISMATCH", "B"),
        Kind("fee", 100, "FEE_DIFFERENCE", "A"),
        Kind("fx_rate", 20, "FX_DIFFERENCE", "B", on="fx"),
        Kind("currency", 20, "CURRENCY_MISMATCH", "B"),
        Kind("status", 20, "STATUS_MISMATCH", "B"),
        Kind("duplicate", 80, "DUPLICATE_EXTERNAL", "B"),
        Kind("duplicate_next_file", 20, "DUPLICATE_EXTERNAL", "B", batches=1),
        Kind("reference_collision", 10, "REFERENCE_COLLISION", "C"),
        Kind("damaged_reference", 20, "UNKNOWN", "C", also=("MISSING_EXTERNAL", "MISSING_INTERNAL")),
        Kind("two_captures", 200),
        Kind("late_to_next_file", 2_000, batches=1),
        Kind("late_past_sla", 20, "LATE", "B", batches=8),
        Kind("refund_before_payment", 200),
        Kind("time_zone_edge", 1_000, on="edge"),
        Kind("unknown_chargeback", 20, "MISSING_INTERNAL", "C", on="nothing"),
        Kind("unknown_type", 5, "UNKNOWN", "C", on="nothing"),
        Kind("reserve", 10, on="nothing", batches=3),
        Kind("batch_total", 3, "BATCH_TOTAL_MISMATCH", "C", on="batch"),
        Kind("credit_split", 3, on="batch"),
        Kind("credit_merged", 3, on="batch", batches=1),
        Kind("unknown_bank_credit", 3, "MISSING_INTERNAL", "C", on="bank"),
        Kind("batch_not_banked", 3, "MISSING_EXTERNAL", "B", on="batch", room=5),
        Kind("batch_over", 3, "BATCH_TOTAL_MISMATCH", "C", on="batch"),
        Kind("credit_twice", 3, "DUPLICATE_EXTERNAL", "B", on="batch", room=1),
        Kind("unknown_bank_debit", 3, "MISSING_INTERNAL", "C", on="bank"),
        Kind("payout_not_shown", 30, "MISSING_EXTERNAL", "B", on="payout", room=5),
        Kind("payout_amount", 30, "AMOUNT_MISMATCH", "B", on="payout"),
        Kind("payout_twice", 30, "DUPLICATE_EXTERNAL", "B", on="payout", room=1),
        Kind("statement_missing", 0, "SEQUENCE_GAP", "C", on="statement"),
        Kind("statement_sum", 0, "BALANCE_MISMATCH", "C", on="statement"),
    )
}
# Only where they are asked for.
BANK_PLANTS = frozenset(
    [
        "batch_not_banked", "batch_over", "credit_twice", "unknown_bank_debit", "payout_not_shown",
        "payout_amount", "payout_twice",
    ]
)  # fmt: skip


class Plant(NamedTuple):
    """One planted difference: on payment (or payout) `[day, number]`, or on the batch (or bank day) `day`.

    `chance` is what its figures are drawn from. `batch` is where its extra or late row goes.
    """

    index: int
    kind: Kind
    day: int
    number: int
    batch: int
    chance: float

    @property
    def id(self) -> str:
        return f"plant-{self.index:06d}"


class Plants:
    """All plants of a month: by payment, by the batch of their extra rows, and of the bank."""

    def __init__(
        self, options: Options, draws: Draws, days: Days, payments: Payments, schedule: Schedule,
        payouts: SellerPayouts,
    ) -> None:  # fmt: skip
        self._options, self._draws, self._days, self._payments = options, draws, days, payments
        self.all: list[Plant] = []
        self.on_payments: dict[int, dict[int, Plant]] = {}
        self.by_batch: dict[int, list[Plant]] = {}
        self.on_batches: dict[int, Plant] = {}
        self.bank: dict[int, list[Plant]] = {}
        self.payouts: dict[tuple[int, int], Plant] = {}
        self.statements: dict[int, Plant] = {}
        self._schedule, self._our_payouts = schedule, payouts
        self._numbers: dict[int, set[int]] = {}
        if options.plants:
            self._reached = [
                0, *accumulate(days.volume(day) for day in range(days.first, days.last + 1))
            ]  # fmt: skip
            for kind in KINDS.values():
                if options.bank_plants or kind.name not in BANK_PLANTS:
                    self._plant(kind)
        if options.file_faults:
            for name, day in zip(("statement_missing", "statement_sum"), days.business[-2:], strict=True):
                self.statements[day] = self._new(KINDS[name], day, -1, day, 0.5)
        self._numbers.clear()

    def _count(self, kind: Kind) -> int:
        if not kind.per_million or (kind.name == "fx_rate" and not self._options.second_currency):
            return 0
        count = (kind.per_million * self._options.size + WHOLE // 2) // WHOLE
        if kind.on in ("batch", "bank"):
            count = min(count, 3)
        return max(count, 1) if self._options.size >= _ONE_OF_EACH else count

    def _new(self, kind: Kind, day: int, number: int, batch: int, chance: float) -> Plant:
        plant = Plant(len(self.all), kind, day, number, batch, chance)
        self.all.append(plant)
        return plant

    def _plant(self, kind: Kind) -> None:
        rng = self._draws.plan("plants", kind.name)
        place: Callable[[Kind, Random], None] = {
            "batch": self._on_batch, "bank": self._at_bank, "nothing": self._on_nothing,
            "payout": self._on_payout,
        }.get(kind.on, self._on_payment)  # fmt: skip
        for _ in range(self._count(kind)):
            place(kind, rng)

    def _on_payment(self, kind: Kind, rng: Random) -> None:
        while True:
            day, number = self._anywhere(rng, kind)
            own = self._settled_in(day, kind)
            if own and number not in self._taken(day) and self._fits(kind, self._payments[day, number]):
                break
        self._taken(day).add(number)
        batch = (
            next_business(self._days.settles(day), kind.batches) if kind.batches else self._days.settles(day)
        )
        plant = self._new(kind, day, number, batch, rng.random())
        self.on_payments.setdefault(day, {})[number] = plant
        if kind.batches:
            self.by_batch.setdefault(batch, []).append(plant)
        if kind.name == "refund_before_payment":
            self._schedule.take(self._schedule.operation("refund1", day, 65_535, (day, number), WHOLE))

    def _anywhere(self, rng: Random, kind: Kind) -> tuple[int, int]:
        if kind.on == "edge":
            # Within an hour of midnight, in the zone of the provider: the first and the last of a day.
            day = self._days.first + int(rng.random() * (self._days.last - self._days.first + 1))
            volume = self._days.volume(day)
            edge = max(2, volume // 60)
            number = int(rng.random() * edge)
            return day, number if rng.random() < 0.5 else volume - 1 - number
        place = int(rng.random() * self._options.size)
        found = bisect_right(self._reached, place) - 1
        return self._days.first + found, place - self._reached[found]

    def _settled_in(self, day: int, kind: Kind) -> bool:
        return next_business(self._days.settles(day), kind.batches) <= self._days.business[-1]

    def _taken(self, day: int) -> set[int]:
        if day not in self._numbers:
            self._numbers[day] = self._schedule.plan(day).numbers
        return self._numbers[day]

    def _fits(self, kind: Kind, payment: Payment) -> bool:
        if kind.on == "edge":
            begin, length = self._days.midnight(payment.day)
            second = (payment.at - begin).total_seconds()
            return second < 3600 or second >= length - 3600
        if kind.on == "fx":
            return payment.currency != self._options.currency and payment.amount_minor >= 1000
        # No earlier attempt for the same order, which would be a second reason to look at it.
        plain = payment.currency == self._options.currency and not payment.declines
        return plain and payment.amount_minor >= 1000

    def _on_nothing(self, kind: Kind, rng: Random) -> None:
        """A row of no payment, on a day and in its next batch; a reserve is released `batches` later."""
        batches = self._days.business[1 : len(self._days.business) - kind.batches]
        batch = batches[int(rng.random() * len(batches))]
        plant = self._new(kind, batch - 1, -1 - len(self.all), batch, rng.random())
        self.by_batch.setdefault(batch, []).append(plant)
        if kind.batches:
            self.by_batch.setdefault(next_business(batch, kind.batches), []).append(plant)

    def _on_batch(self, kind: Kind, rng: Random) -> None:
        """A batch whose credit is in a statement of the month, and that no other plant is on."""
        free = [
            batch
            for batch in self._days.business[:-1]
            if all(next_business(batch, more) not in self.on_batches for more in range(kind.batches + 1))
            and next_business(batch, kind.batches + kind.room + 1) <= self._days.business[-1]
        ]
        if not free:
            return
        batch = free[int(rng.random() * len(free))]
        plant = self._new(kind, batch, -1, batch, rng.random())
        for more in range(kind.batches + 1):
            self.on_batches[next_business(batch, more)] = plant

    def _at_bank(self, kind: Kind, rng: Random) -> None:
        day = self._days.business[int(rng.random() * (len(self._days.business) - 2))]
        self.bank.setdefault(day, []).append(self._new(kind, day, -1, day, rng.random()))

    def _on_payout(self, kind: Kind, rng: Random) -> None:
        """A payout that the bank books by itself, and that does not come back."""
        days = [
            day for day in self._days.business if next_business(day, kind.room) <= self._days.business[-1]
        ]
        back = {each.payout.reference for found in self._our_payouts.returns.values() for each in found}
        while True:
            day = days[int(rng.random() * len(days))]
            first, count = self._our_payouts.in_batches(day), self._our_payouts.count(day)
            number = first + int(rng.random() * (count - first))
            free = (day, number) not in self.payouts
            if free and self._our_payouts.payout(day, number).reference not in back:
                break
        self.payouts[day, number] = self._new(kind, day, number, day, rng.random())
