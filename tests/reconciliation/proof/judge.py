"""What was found of a month against its answer key: each break by its side, class, name and amount."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from reconciliation.models import Discrepancy
from tests.months import KINDS, Decline, Payout
from tests.reconciliation.proof.naming import Names
from tests.reconciliation.proof.whole import Whole

__all__ = ["Found", "Verdict", "breaks_of", "judge"]

_BANK_KINDS = frozenset(name for name, kind in KINDS.items() if kind.on in ("batch", "bank", "payout"))


class Found(NamedTuple):
    """A break, as it is called outside; the amount is what is at stake, in minor units."""

    side: str
    it_is: str
    name: str
    minor: int


@dataclass(frozen=True)
class Verdict:
    """What was planted, what was reported, and how far they are the same."""

    planted: Counter[Found]
    reported: Counter[Found]
    missed: Counter[Found]
    wrong: Counter[Found]

    @property
    def recall(self) -> float:
        """The share of what was planted that was found."""
        return 1 - self.missed.total() / self.planted.total()

    @property
    def precision(self) -> float:
        """The share of what was reported that is so."""
        return 1 - self.wrong.total() / self.reported.total()

    def __str__(self) -> str:
        return (
            f"{self.planted.total()} planted, {self.reported.total()} reported;"
            f" recall {self.recall:.4f}, precision {self.precision:.4f};"
            f" missed {dict(self.missed)}, wrong {dict(self.wrong)}"
        )


def judge(whole: Whole) -> Verdict:
    """Hold the breaks of a month that was taken in against its answer key."""
    planted = Counter(each for answer in whole.month.answer_key() for each in _expected(answer))
    reported = Counter(breaks_of(whole))
    missed, more = planted - reported, reported - planted
    may = _allowed(whole)
    wrong = Counter(
        {each: count for each, count in more.items() if (each.side, each.it_is, each.name) not in may}
    )
    return Verdict(planted, reported, missed, wrong)


def breaks_of(whole: Whole) -> Iterator[Found]:
    """Yield every break that there is or was."""
    rows = list(Discrepancy.objects.filter(merchant_id=whole.merchant_id).order_by("pk"))
    names = Names(whole.merchant_id)
    movements = names.of_movements(row.subject_id for row in rows if row.subject_id)
    for row in rows:
        minor = _sure(row.break_class, row.amount_minor)
        yield Found(row.side, row.break_class, names.of_break(row, movements), minor)


def _sure(it_is: str, minor: int) -> int:
    """What is at stake; of a rate, the distance to the agreed one, which both sides round their way."""
    return 0 if it_is == "FX_DIFFERENCE" else minor


def _expected(answer: dict[str, Any]) -> Iterator[Found]:
    it_is, stake = answer["expected"], abs(answer["at_stake_minor"])
    if it_is == "none":
        return
    if answer["kind"] in _BANK_KINDS:
        yield Found("bank", it_is, _name_at_bank(answer), stake)
        return
    # A line whose reference is destroyed says nothing but what it was told as ours.
    is_damaged = answer["kind"] == "damaged_reference"
    name = answer["order"] if is_damaged else answer["reference"] or answer["transaction"]
    yield Found("psp", it_is, name, _sure(it_is, stake))
    if it_is == "LATE":
        yield Found("psp", "MISSING_EXTERNAL", name, stake)  # Until its line came.


def _name_at_bank(answer: dict[str, Any]) -> str:
    if answer["kind"] in ("batch_total", "batch_over", "batch_not_banked"):
        return str(answer["batches"][0])
    return str(answer["where"][0]["reference"] if answer["where"] else answer["reference"])


def _allowed(whole: Whole) -> set[tuple[str, str, str]]:
    """What may rightly be said beside the plants: of what is damaged, and of what the files end before."""
    may = {
        ("psp", each, answer["reference"]) for answer in whole.month.answer_key() for each in answer["also"]
    }
    last = max(file.day for file in whole.month.psp_files())
    found = (each for each in whole.month.events() if not isinstance(each, Decline | Payout))
    return may | {("psp", "MISSING_EXTERNAL", each.reference) for each in found if each.expected_on == last}
