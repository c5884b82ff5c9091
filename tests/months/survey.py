"""One pass over all lines: what each batch adds up to and pays, and on which record each plant is."""

from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from tests.months.days import Days
from tests.months.draws import Draws
from tests.months.lines import Line, Lines
from tests.months.options import Options

__all__ = ["Batch", "Sum", "Survey"]


@dataclass
class Sum:
    """The sum of the lines of a kind, in minor units."""

    count: int = 0
    gross: int = 0
    fee: int = 0
    net: int = 0

    def add(self, line: Line) -> None:
        fee = line.fee.total
        self.count += 1
        self.gross += line.gross_minor
        self.fee += fee
        self.net += line.gross_minor - fee


@dataclass
class Batch:
    """A batch: its lines summed, and what it pays to the bank. `records` counts all records in its file.

    Where its lines come to less than nothing, Stripe takes the difference from the bank (a negative payout),
    Adyen carries it to the next batch.
    """

    day: date
    number: int
    payout_reference: str
    trace: str
    carried_in: int = 0
    payout: int = 0
    carried_out: int = 0
    records: int = 0
    kinds: dict[str, Sum] = field(default_factory=dict)

    def total(self) -> Sum:
        """Return the sum of all kinds."""
        found = Sum()
        for each in self.kinds.values():
            found.count += each.count
            found.gross += each.gross
            found.fee += each.fee
            found.net += each.net
        return found


class Place(NamedTuple):
    """Where a planted line is: the batch, and which record of the batch, from 0, in the natural order."""

    batch: int
    record: int
    line: Line


class Survey:
    """What the pass found, by batch and by plant."""

    def __init__(self, options: Options, draws: Draws, days: Days, lines: Lines) -> None:
        self.batches: dict[int, Batch] = {}
        self.places: dict[int, list[Place]] = {}
        carries = options.profile == "adyen"
        carried = 0
        year, month = map(int, options.month.split("-"))
        for place, day in enumerate(days.business):
            token = draws.digest(7, day, 0).hex()
            batch = Batch(
                day=date.fromordinal(day),
                number=(year - 2000) * 300 + month * 25 + place,
                payout_reference=f"po_1{token[:22]}",
                trace=f"{int(token[22:36], 16) % 10**10:010d}",
                carried_in=carried,
            )
            before = 1 if carried else 0
            for record, line in enumerate(lines.of(day), before):
                batch.kinds.setdefault(line.kind, Sum()).add(line)
                if line.plant >= 0:
                    self.places.setdefault(line.plant, []).append(Place(day, record, line))
                batch.records = record + 1
            left = carried + batch.total().net
            carried = left if carries and left < 0 else 0
            batch.payout, batch.carried_out = left - carried, carried
            batch.records += carries and left != 0
            self.batches[day] = batch
