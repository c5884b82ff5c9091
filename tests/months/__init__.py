"""A month of a marketplace, made up: what happened, the files about it, and the answers.

    from tests.months import month

    october = month(seed=1, size=10_000, month="2026-10", profile="stripe")
    for event in october.events(): ...            # our side: Capture, Refund, Chargeback, Payout, …
    for file in october.psp_files(): file.write(out)   # the provider's settlement files
    for file in october.bank_files(): file.write(out)  # the bank's statements
    for answer in october.answer_key(): ...       # what is planted, and what is to be found
    for day in october.days(): ...                # totals by batch
    october.books().balances                      # what is posted for it, by account
    october.price_table.fee(method, gross_minor)  # what the provider may charge

Everything is a stream, and a function of the arguments: the same ones give the same bytes on any machine.
Measured with `python3 -m tests.months --seed 1 --size 1000000 --month 2026-10 --out DIR`, which writes all of
it (940 MB): 62 s of one processor, 43 MB of memory at the most; with `--size 10000` 0.8 s and 25 MB.
Nothing of the product is imported, so that the two cannot be wrong in the same way.

What is simple here on purpose: one settlement currency; a batch on each business day of TARGET, credited by
the bank on the next one; the month opens with nothing in transit to the bank. A payment in the second
currency is converted once, and its refunds go at its own rate. The files hold the batches of the month's
business days: the payments of the days before it are among the events, those of its last days in no file.
"""

from collections.abc import Iterator
from datetime import date
from functools import cached_property
from random import Random
from typing import Any, BinaryIO

from tests.months import camt, mt940
from tests.months.adyen import Adyen
from tests.months.answers import Answers
from tests.months.bank import Bank, Statement
from tests.months.books import Books, Open
from tests.months.days import Days
from tests.months.draws import Draws
from tests.months.events import (
    Capture,
    Chargeback,
    ChargebackReversal,
    Decline,
    Event,
    Events,
    Payout,
    Refund,
    RefundFailure,
    rate_text,
)
from tests.months.lines import Lines
from tests.months.operations import Schedule
from tests.months.options import Options, Shape
from tests.months.payments import Payments, scale
from tests.months.plants import BANK_PLANTS, KINDS, Plants
from tests.months.prices import PriceTable
from tests.months.seller_payouts import Return, SellerPayouts
from tests.months.sheets import File, Row, write_rows
from tests.months.stripe import Stripe
from tests.months.survey import Survey

__all__ = [
    "BANK_PLANTS", "KINDS", "Books", "Capture", "Chargeback", "ChargebackReversal", "Decline", "Event",
    "File", "Month", "Options", "Payout", "Refund", "RefundFailure", "Return", "Shape", "month",
]  # fmt: skip


def month(
    seed: int, size: int, month: str, profile: str = "stripe", plants: bool = True, **more: Any
) -> "Month":
    """Return a month of `size` captured payments. Raises ValueError for arguments that make none.

    `profile` is stripe or adyen. More arguments are the fields of `Options`; `shape` is a `Shape`.
    """
    return Month(Options(seed, size, month, profile, plants, **more))


class Month:
    """One month; see `month`."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self._draws = Draws(options.seed)
        self._days = Days(options.month, options.size, options.zone)
        self.price_table = PriceTable(options.profile, options.market, self._draws, scale(options.currency))
        self._payments = Payments(options, self._draws, self._days, self.price_table)
        self._schedule = Schedule(options, self._draws, self._days, self._payments)
        self._payouts = SellerPayouts(options, self._draws, self._days, self._payments)
        self._plants = Plants(options, self._draws, self._days, self._payments, self._schedule, self._payouts)
        self._lines = Lines(
            options, self._days, self._payments, self._schedule, self._plants, self.price_table
        )
        self._sheet = (Stripe if options.profile == "stripe" else Adyen)(options, self._days)
        self._bank_format = camt if options.bank_format == "camt.053" else mt940

    @cached_property
    def _survey(self) -> Survey:
        return Survey(self.options, self._draws, self._days, self._lines)

    @cached_property
    def _bank(self) -> Bank:
        provider = "Stripe Payments Europe" if self.options.profile == "stripe" else "Adyen N.V."
        return Bank(
            self.options, self._days, self._survey, self._plants, self._payouts, self.price_table,
            self._sheet.bank_text, provider,
        )  # fmt: skip

    @cached_property
    def _answers(self) -> Answers:
        names = {day: self._file_name(day) for day in self._days.business}
        return Answers(
            self.options, self._draws, self._days, self._payments, self._plants, self._survey, self._bank,
            names, self._statement_name,
        )  # fmt: skip

    def events(self) -> Iterator[Event]:
        """Yield what happened on our side, in the order of time; the first may be months before."""
        return iter(
            Events(
                self.options, self._days, self._payments, self._schedule, self._plants, self.price_table,
                self._lines, self._payouts,
            )
        )  # fmt: skip

    def psp_files(self) -> Iterator[File]:
        """Yield the provider's settlement files, by business day, or the one of the month."""
        if self.options.per == "month":
            last = date.fromordinal(self._days.business[-1])
            yield File(self._file_name(0), last, self._writer(-1, self._days.business))
            return
        for day in self._days.business:
            yield File(self._file_name(day), date.fromordinal(day), self._writer(day, [day]))

    def bank_files(self) -> Iterator[File]:
        """Yield the bank's statements, one for each business day."""
        for statement in self._bank.statements():
            yield File(self._bank_format.name(statement), statement.day, self._statement_writer(statement))

    def answer_key(self) -> Iterator[dict[str, Any]]:
        """Yield one answer for each plant.

        `expected` is the class of the break, or "none" where nothing may be reported; `also` are classes that
        may rightly be reported beside it about the same payment. `where` lists the lines: file, record (from
        1, without the header) and, where no value has line breaks, the line of the file. Amounts are minor
        units; `postings` is by account role, debit positive.
        """
        return self._answers.breaks()

    def days(self) -> Iterator[dict[str, Any]]:
        """Yield the totals of each batch, by kind of line too; see `Answers.days`."""
        return self._answers.days()

    def books(self) -> Books:
        """Return what the month's files and statements leave in the books; see `Books`."""
        every = (line for day in self._days.business for line in self._lines.of(day))
        books = Books(self.options.currency, self._plants.all, every)
        books.add_bank(self._bank, self._days.business)
        return books

    def open_clearing(self, books: Books) -> Open:
        """Return what psp_clearing then has open, our own bookings included; see `Books.still_open`."""
        return books.still_open(self.events(), date.fromordinal(self._days.business[0]))

    def counts(self) -> dict[str, int]:
        """Return how many plants there are of each kind."""
        return self._answers.counts()

    def returns(self) -> Iterator[Return]:
        """Yield the payouts that came back in the month: no plants, but in the bank's statements."""
        for day in sorted(self._payouts.returns):
            yield from self._payouts.returns[day]

    def rates(self) -> Iterator[dict[str, str]]:
        """Yield the reference rates of the second currency, from the first payment that the files have."""
        if not self.options.second_currency:
            return
        for day in range(self._schedule.carried_in()[0], self._days.last + 1):
            yield {
                "day": str(date.fromordinal(day)),
                "from": self.options.second_currency,
                "to": self.options.currency,
                "rate": rate_text(self.price_table.reference_rate(day)),
            }

    def _file_name(self, day: int) -> str:
        ending = ".gz" if self.options.shape.gzip else ""
        if self.options.per == "month":
            kind = "payout_reconciliation" if self.options.profile == "stripe" else "settlement_detail_report"
            return f"{kind}-{self.options.month}.csv{ending}"
        return self._sheet.name(self._survey.batches[day]) + ending

    def _statement_name(self, day: date) -> str:
        return self._bank_format.name(Statement(day, 0, 0, 0, lambda: iter(())))

    def _rows(self, days: list[int]) -> Iterator[Row]:
        for day in days:
            yield from self._sheet.rows(self._survey.batches[day], self._lines.of(day))

    def _writer(self, file: int, days: list[int]) -> Any:
        def chance(what: str) -> Random:
            return self._answers.row_order(file) if what == "rows" else self._draws.plan("shape", what)

        def write(out: BinaryIO) -> None:
            write_rows(out, self._sheet.header, self._rows(days), self.options.shape, chance)

        return write

    def _statement_writer(self, statement: Statement) -> Any:
        return lambda out: self._bank_format.write(out, statement, self.options.currency)
