"""What resolving hands to those who show breaks. Amounts are minor units; a debit is positive."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

__all__ = [
    "AdjustmentData",
    "AgeBucket",
    "BreakDetail",
    "BreakFilters",
    "BreakPage",
    "BreakRow",
    "BulkResult",
    "HistoryData",
    "NoteData",
    "Prepared",
    "ProposedLine",
]


@dataclass(frozen=True)
class ProposedLine:
    """One line of the entry that is proposed: which account, what it moves by, and what it clears.

    `owner` is the account of the seller whose money it is, empty for none.
    """

    role: str
    provider: str | None
    currency: str
    amount_minor: int
    clearing_key: str | None
    owner: str = ""

    @property
    def debit_minor(self) -> int:
        """The amount where it is a debit, else 0."""
        return max(self.amount_minor, 0)

    @property
    def credit_minor(self) -> int:
        """The amount where it is a credit, as a positive number, else 0."""
        return max(-self.amount_minor, 0)


@dataclass(frozen=True)
class AdjustmentData:
    """An entry that is proposed or posted for a break.

    `template` is A1 … A10, one of the bank's (B4 …), "match", "unmatch", or "none" for an explanation without
    an entry. While it is PROPOSED, `approval_id` is the approval that waits for a second person.
    """

    id: UUID
    template: str
    status: str
    automatic: bool
    amount_minor: int
    currency: str
    effective_date: date
    reason: str
    lines: tuple[ProposedLine, ...]
    parameters: Mapping[str, Any]
    maker: str
    checker: str
    approval_id: UUID | None
    entry_id: int | None
    rule_name: str
    rule_version: int | None
    reverses_id: UUID | None
    evidence: Mapping[str, Any]
    evidence_digest: str
    created_at: datetime
    posted_at: datetime | None


@dataclass(frozen=True)
class Prepared:
    """What a person may propose as it stands: a template, its parameters, and the entry it would be."""

    template: str
    amount_minor: int
    lines: tuple[ProposedLine, ...]


@dataclass(frozen=True)
class NoteData:
    """What somebody wrote about a break."""

    by: str
    text: str
    at: datetime


@dataclass(frozen=True)
class HistoryData:
    """One change of a break's state."""

    from_state: str
    to_state: str
    reason: str
    actor: str
    at: datetime


@dataclass(frozen=True)
class BreakRow:
    """A break in a list; `age_days` counts from when it was found."""

    id: UUID
    public_id: str
    break_class: str
    category: str
    status: str
    side: str
    source_name: str
    currency: str
    amount_minor: int
    summary: str
    owner: str
    rule_name: str
    business_date: date
    created_at: datetime
    due_at: datetime
    age_days: int
    is_overdue: bool


@dataclass(frozen=True)
class BreakFilters:
    """Which breaks of a queue are wanted; what is empty does not narrow."""

    break_class: str = ""
    source_id: UUID | None = None
    currency: str = ""
    owner: str = ""
    status: str = ""
    is_overdue: bool | None = None
    first_day: date | None = None
    last_day: date | None = None
    found_since: datetime | None = None
    found_before: datetime | None = None


@dataclass(frozen=True)
class BreakPage:
    """One page of a queue, the most urgent first; `after` is where the next one begins, None at the end."""

    rows: tuple[BreakRow, ...]
    after: str | None


@dataclass(frozen=True)
class BreakDetail:
    """All that is known of a break.

    `line` and `movement` are its two sides, None where there is none. `open_minor` is what psp_clearing still
    has open under `clearing_key` because of it. `offers` are the templates that can be proposed now,
    `prepared` the one that its rule names. `explanation` says what was tried.
    """

    row: BreakRow
    line: Mapping[str, Any] | None
    movement: Mapping[str, Any] | None
    clearing_key: str
    open_minor: int
    explanation: Mapping[str, Any]
    offers: tuple[str, ...]
    prepared: Prepared | None
    adjustments: tuple[AdjustmentData, ...]
    notes: tuple[NoteData, ...]
    history: tuple[HistoryData, ...]
    pending: tuple[Mapping[str, Any], ...] = ()
    resolution: str = ""


@dataclass(frozen=True)
class BulkResult:
    """What became of many at once: ids of what was done, and why the others were refused."""

    done: tuple[UUID, ...] = ()
    refused: Mapping[UUID, str] = field(default_factory=dict)


@dataclass(frozen=True)
class AgeBucket:
    """How many breaks of a category are this old and not resolved, and what is at stake in one currency."""

    category: str
    bucket: str
    currency: str
    count: int
    value_minor: int
