"""What the steps of matching hand to each other, and to those who read them. Amounts are minor units."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from reconciliation.breaks import BreakClass

__all__ = [
    "BreakData",
    "Finding",
    "MatchData",
    "Movement",
    "MovementKey",
    "OpenLine",
    "Pairing",
    "RuleChoice",
]


class MovementKey(NamedTuple):
    """The name of a movement for good."""

    subject_kind: str
    subject_id: UUID
    nth: int


class Movement(NamedTuple):
    """A movement of ours, as the views of pay-in and pay-out tell of it; signed as the provider signs it.

    `state` is final (a line must come), unknown (a line may come), or none (a line contradicts us).
    """

    key: MovementKey
    kind: str
    reference: str
    merchant_reference: str
    clearing_key: str
    currency: str
    amount_minor: int
    state: str


class OpenLine(NamedTuple):
    """A line that is not matched yet. `minor` is what it moves by; `name` what the provider calls that."""

    id: int
    line_no: int
    kind: str
    raw_kind: str
    reference: str
    name: str
    merchant_reference: str
    batch: str
    currency: str
    minor: int
    gross_minor: int
    fee_minor: int
    original_currency: str
    original_minor: int | None
    business_date: date
    occurred_at: datetime | None
    quarantine: str

    def minor_in(self, currency: str) -> int | None:
        """Return what the line says in a currency, None if it says nothing in that."""
        if currency == self.currency:
            return self.minor
        return self.original_minor if currency == self.original_currency else None


class Pairing(NamedTuple):
    """A line and a movement that are the same; they differ by `difference_minor`, line less movement."""

    line_id: int
    movement: Movement
    how: str
    rule: str
    difference_minor: int = 0
    group_key: str = ""
    line_part: int = 0
    movement_part: int = 0


@dataclass(frozen=True)
class Finding:
    """Something that is wrong with a line or a movement: what a break is opened of.

    `steps` say, in order, what was tried and why it did not fit, with the figures of both sides. `conditions`
    are what rules may ask about it, beside its class and amount.
    """

    break_class: BreakClass
    key: str
    currency: str
    amount_minor: int
    summary: str
    business_date: date
    steps: tuple[Mapping[str, Any], ...] = ()
    side: str = "psp"
    line_id: int | None = None
    movement: MovementKey | None = None
    clearing_key: str = ""
    conditions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RuleChoice:
    """What is done with a break: by which rule, or by none (then `name` is empty and it is investigated).

    `action` is the template of an entry (A1 … A10), or empty. Of category A it is posted by the rule, within
    the caps, in minor units of the break's currency; of B it is prepared for a person.
    """

    name: str
    version: int | None
    category: str
    action: str
    cap_line_minor: int
    cap_day_minor: int
    sla_hours: int
    owner_role: str
    note: str = ""


@dataclass(frozen=True)
class BreakData:
    """A break as others read it; `explanation` is all that is known of it."""

    id: UUID
    public_id: str
    merchant_id: UUID
    source_id: UUID | None
    run_id: UUID | None
    file_id: UUID | None
    break_class: str
    category: str
    side: str
    line_id: int | None
    subject_kind: str
    subject_id: UUID | None
    clearing_key: str
    currency: str
    amount_minor: int
    summary: str
    explanation: Mapping[str, Any]
    rule_name: str
    rule_version: int | None
    owner: str
    business_date: date
    due_at: datetime
    status: str
    resolution: str


@dataclass(frozen=True)
class MatchData:
    """A match that holds; `expected` ones have no line yet."""

    id: int
    run_id: UUID
    side: str
    line_id: int | None
    subject_kind: str
    subject_id: UUID
    nth: int
    how: str
    rule: str
    group_key: str
    clearing_key: str
    amount_minor: int
    difference_minor: int
    clear_by: date | None
