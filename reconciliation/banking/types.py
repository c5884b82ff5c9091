"""What the steps of reading a bank statement hand to each other. Minor units; positive comes in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple
from uuid import UUID, uuid5

from reconciliation.matching.types import Finding

__all__ = [
    "BankEntry",
    "BankPosition",
    "Batch",
    "Known",
    "Named",
    "Part",
    "Read",
    "Sending",
    "batch_subject",
    "line_subject",
]

# Batches and lines of statements have no UUID of their own.
_NAMES = UUID("a3b1c0de-52d4-4a4e-8a0f-6f0d5c1b7e11")


class BankEntry(NamedTuple):
    """One line of a statement; with a `parent` it is inside that line's booking."""

    id: int
    line_no: int
    parent: int | None
    amount_minor: int
    currency: str
    booked_on: date
    bank_reference: str
    end_to_end: str
    batch_reference: str
    code: str
    is_reversal: bool
    return_reason: str
    counterparty: str
    text: str
    quarantine: str


class Sending(NamedTuple):
    """A sending of a payout; its amount is positive. `state` is as in the view of movements."""

    id: UUID
    payout_id: UUID
    reference: str
    batch_reference: str
    channel_id: UUID
    currency: str
    amount_minor: int
    state: str


class Batch(NamedTuple):
    """A batch of a provider, by its key in what is in transit.

    `open_minor` is what the bank has still to show of it; None while no file has reported it. `parts` is the
    next number that a line of it gets, `banked` what lines have paid of it so far.
    """

    key: str
    name: str
    provider: str
    source_id: UUID
    open_minor: int | None
    parts: int = 0
    banked: tuple[int, ...] = ()


class Part(NamedTuple):
    """What a line, or a part of it, is: it moves `amount_minor` of something that we know.

    The line has `difference_minor` more than that; `rule` says how it was found and what the difference is.
    """

    line_id: int
    subject_kind: str
    subject_id: UUID
    clearing_key: str
    amount_minor: int
    difference_minor: int
    rule: str
    group_key: str = ""
    line_part: int = 0
    movement_part: int = 0


class Named(NamedTuple):
    """A line that names batches of a provider."""

    entry: BankEntry
    batches: tuple[Batch, ...]


@dataclass(frozen=True)
class Known:
    """What lines of a statement may be.

    Sendings are known by their references, in small letters, and by that of what they were sent in; `paid`
    and `returned` are those that were found before, with the booking that they were found in. `batches` are
    those that a line names, `by_amount` those in transit. `earlier` are lines that a reversal may be of, the
    newest last. `charges` are the last parts of bank codes that say that the bank takes something for itself,
    `tolerance` is the most that it keeps of one booking.
    """

    sendings: Mapping[str, Sending]
    sent_together: Mapping[str, Sequence[Sending]]
    paid: Mapping[UUID, int]
    returned: Mapping[UUID, int]
    batches: Mapping[int, tuple[Batch, ...]]
    by_amount: Mapping[int, tuple[Batch, ...]]
    earlier: Sequence[BankEntry]
    charges: frozenset[str]
    tolerance: int
    currency: str


@dataclass
class Read:
    """What became of lines. Of a line without parts a finding says what is wrong; it waits in suspense.

    `reversed` are earlier lines that the bank took back, by the line that takes back. `strangers` are
    payouts that we never sent, `contradicted` are those that cannot have been paid: by finding.
    """

    parts: list[Part] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    reversed: dict[int, int] = field(default_factory=dict)
    strangers: list[Finding] = field(default_factory=list)
    contradicted: dict[str, UUID] = field(default_factory=dict)


@dataclass(frozen=True)
class BankPosition:
    """A bank account at the end of a day: what its statement closes with, and what the books say.

    `statement_day` is the last day of the statement that is meant, `is_posted` whether the books have it.
    """

    source_id: UUID
    account: str
    currency: str
    day: date
    statement_day: date
    closing_minor: int
    books_minor: int
    is_posted: bool

    @property
    def difference_minor(self) -> int:
        """What the books have more than the bank."""
        return self.books_minor - self.closing_minor


def batch_subject(key: str) -> UUID:
    """Return what stands for a batch where a movement has a UUID."""
    return uuid5(_NAMES, f"batch:{key}")


def line_subject(line_id: int) -> UUID:
    """Return what stands for a line where a movement has a UUID."""
    return uuid5(_NAMES, f"line:{line_id}")
