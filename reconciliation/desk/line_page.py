"""One line of a file for those who ask what became of it: the line, its raw record, its file and its run."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from core.errors import NotFound
from core.models import Approval
from reconciliation.desk.bodies import record_at
from reconciliation.matching.kinds import SELF_EXPLAINED
from reconciliation.matching.reading import explain_line
from reconciliation.models import BankLine, ReconciliationRun, SettlementFile, SettlementLine
from reconciliation.resolving.facts import file_of_line
from reconciliation.resolving.rematching import UNMATCH

__all__ = ["LineAtDesk", "line_at_desk", "unmatchings_of"]

_PENDING = 200
_HIDDEN = ("RECEIVED", "STAGING", "REFUSED", "DUPLICATE")


@dataclass(frozen=True)
class LineAtDesk:
    """A line of either side; a bank's has its amount as `net_minor` alone.

    `record` is the line of the file where it begins, as the file has it; empty where the file is not made of
    lines. `explains_itself` says that a line of its kind has no movement of ours: a fee, a payout.
    """

    id: int
    merchant_id: UUID
    side: str
    line_no: int
    kind: str
    raw_kind: str
    reference: str
    related: str
    merchant_reference: str
    batch: str
    currency: str
    gross_minor: int | None
    fee_minor: int | None
    net_minor: int
    original: tuple[int, str] | None
    business_date: Any
    occurred_at: Any
    quarantine: str
    text: str
    record: str
    explains_itself: bool
    file_id: UUID
    file_public_id: str
    file_name: str
    file_status: str
    file_version: int | None
    file_sha256: str
    source_name: str
    run_id: UUID | None
    run_status: str
    explanation: Mapping[str, Any]


def line_at_desk(*, line_id: int) -> LineAtDesk:
    """Return a line of a published file with all that is known of it. Raises NotFound."""
    file = file_of_line(line_id) if 0 < line_id < 1 << 62 else None
    if file is None or file.status in _HIDDEN:
        raise NotFound()
    is_bank = file.source.kind == "bank"
    row: SettlementLine | BankLine | None = (
        BankLine.objects.filter(pk=line_id).first()
        if is_bank
        else SettlementLine.objects.filter(pk=line_id).first()
    )
    if row is None:
        raise NotFound()
    run = ReconciliationRun.objects.filter(file_id=file.id).first()
    side = "bank" if is_bank else "psp"
    return LineAtDesk(
        **(_of_bank(row) if isinstance(row, BankLine) else _of_provider(row)),
        side=side,
        record=_record(file, row),
        file_id=file.id,
        file_public_id=file.public_id,
        file_name=file.name,
        file_status=file.status,
        file_version=file.version,
        file_sha256=bytes(file.sha256).hex(),
        source_name=file.source.name,
        run_id=run.id if run else None,
        run_status=run.status if run else "",
        explanation=explain_line(line_id=line_id, side=side),
    )


def unmatchings_of(*, line_id: int, merchant_id: UUID) -> list[Approval]:
    """Return what waits for a second person's yes to taking the match of a line back, oldest first."""
    waiting = Approval.objects.filter(merchant_id=merchant_id, action=UNMATCH, status="PENDING").order_by(
        "pk"
    )
    return [
        each
        for each in waiting[:_PENDING]
        if any(match["line"] == line_id for match in each.instruction["matches"])
    ]


def _record(file: SettlementFile, row: SettlementLine | BankLine) -> str:
    kept = getattr(row, "raw", None)
    if kept:
        return str(kept)
    record = record_at(file, row.line_no)
    # What is not made of lines has its whole text in a few: that is no record of one entry.
    return "" if record.lstrip().startswith("<") else record


def _of_provider(row: SettlementLine) -> dict[str, Any]:
    same = (
        "id", "merchant_id", "line_no", "kind", "raw_kind", "reference", "related", "merchant_reference",
        "batch", "currency", "gross_minor", "fee_minor", "net_minor", "business_date", "occurred_at",
        "quarantine",
    )  # fmt: skip
    original = (row.original_minor, row.original_currency) if row.original_minor is not None else None
    return {
        **{name: getattr(row, name) for name in same},
        "original": original,
        "text": "",
        "explains_itself": row.kind in SELF_EXPLAINED and not row.quarantine,
    }


def _of_bank(row: BankLine) -> dict[str, Any]:
    return {
        "id": row.id,
        "merchant_id": row.merchant_id,
        "line_no": row.line_no,
        "kind": "bank",
        "raw_kind": row.code,
        "reference": row.end_to_end or row.bank_reference,
        "related": row.bank_reference if row.end_to_end else "",
        "merchant_reference": "",
        "batch": row.batch_reference,
        "currency": row.currency,
        "gross_minor": None,
        "fee_minor": None,
        "net_minor": row.amount_minor,
        "original": None,
        "business_date": row.booked_on,
        "occurred_at": None,
        "quarantine": row.quarantine,
        "text": " · ".join(each for each in (row.counterparty, row.text) if each),
        "explains_itself": row.parent is not None,
    }
