"""What crosses to other apps: frozen values, never rows. Amounts are minor units."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from reconciliation.closing.types import DayAtDesk, DayData, Obstacle
from reconciliation.desk.by_rule import RuledBreak
from reconciliation.desk.candidates import LineCandidate, MovementCandidate
from reconciliation.desk.finding import FoundBreak
from reconciliation.desk.line_page import LineAtDesk
from reconciliation.desk.movements import MovementAtDesk
from reconciliation.desk.proofs import ProofLine, Proofs
from reconciliation.desk.rules_page import DryRunData, RuleAtDesk
from reconciliation.desk.runs import BatchInTransit, RunAtDesk, RunPage
from reconciliation.matching.types import BreakData
from reconciliation.resolving.types import (
    AdjustmentData,
    AgeBucket,
    BreakDetail,
    BreakFilters,
    BreakPage,
    BreakRow,
    BulkResult,
    HistoryData,
    Prepared,
    ProposedLine,
)
from reconciliation.rules.types import RuleData, RuleDraft
from reconciliation.sources.types import SourceData, SourceSettings

__all__ = [
    "AdjustmentData",
    "AgeBucket",
    "BankLineData",
    "BatchInTransit",
    "BreakData",
    "BreakDetail",
    "BreakFilters",
    "BreakPage",
    "BreakRow",
    "BulkResult",
    "ChangeData",
    "DayAtDesk",
    "DayData",
    "DryRunData",
    "FileData",
    "FoundBreak",
    "HistoryData",
    "LineAtDesk",
    "LineCandidate",
    "LineData",
    "MovementAtDesk",
    "MovementCandidate",
    "Obstacle",
    "Prepared",
    "ProofLine",
    "Proofs",
    "ProposedLine",
    "ReceivedFile",
    "RuleAtDesk",
    "RuleData",
    "RuleDraft",
    "RuledBreak",
    "RunAtDesk",
    "RunPage",
    "SourceData",
    "SourceSettings",
    "StatementData",
]


@dataclass(frozen=True)
class ReceivedFile:
    """What became of a body that was handed in: the file it is kept as, now or since an earlier time.

    `is_new` is False for a body that the source sent before; `status` is the file's state now.
    """

    file_id: UUID
    is_new: bool
    status: str


@dataclass(frozen=True)
class FileData:
    """A file: what it is about, how far it came, and what was declared and counted of it."""

    id: UUID
    public_id: str
    merchant_id: UUID
    source_id: UUID
    source_name: str
    kind: str
    name: str
    size: int
    packing: str
    sha256: str
    origin: str
    received_by: str
    received_at: datetime
    status: str
    document: str
    version: int | None
    supersedes_id: UUID | None
    sequence: int | None
    period_from: date | None
    period_to: date | None
    staged_lines: int
    lines_count: int | None
    quarantined_count: int
    totals: Mapping[str, Any]
    refusal: Mapping[str, Any] | None
    published_at: datetime | None


@dataclass(frozen=True)
class LineData:
    """One line of a settlement file."""

    id: int
    line_no: int
    kind: str
    raw_kind: str
    reference: str
    related: str
    merchant_reference: str
    batch: str
    currency: str
    gross_minor: int
    fee_minor: int
    net_minor: int
    business_date: date
    occurred_at: datetime | None
    local_time: str
    quarantine: str
    raw: str | None


@dataclass(frozen=True)
class BankLineData:
    """One line of a bank statement; `parent` is set for what is inside a collective booking."""

    id: int
    line_no: int
    parent: int | None
    amount_minor: int
    currency: str
    booked_on: date
    value_on: date | None
    bank_reference: str
    end_to_end: str
    batch_reference: str
    code: str
    is_reversal: bool
    return_reason: str
    counterparty: str
    counterparty_account: str
    text: str
    quarantine: str


@dataclass(frozen=True)
class StatementData:
    """One bank statement; `held_because` says why it does not count yet."""

    id: UUID
    merchant_id: UUID
    source_id: UUID
    file_id: UUID
    kind: str
    account: str
    currency: str
    document: str
    version: int
    sequence: int | None
    period_from: date
    period_to: date
    opening_minor: int | None
    closing_minor: int | None
    lines_count: int
    total_minor: int
    status: str
    held_because: str


@dataclass(frozen=True)
class ChangeData:
    """One line in which a version differs from the one before it; `what` names the fields that differ."""

    kind: str
    before: int | None
    after: int | None
    what: tuple[str, ...]
