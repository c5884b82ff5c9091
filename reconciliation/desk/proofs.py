"""What files and statements say of something: the lines it was matched with, those due, and its breaks."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from reconciliation.banking.types import batch_subject
from reconciliation.models import BankLine, Discrepancy, Match, SettlementFile, SettlementLine
from reconciliation.models.lines import LINE_BITS
from reconciliation.posting.keys import batch_key

__all__ = ["BreakOfThis", "DueLine", "ProofLine", "Proofs", "bank_proofs", "proofs_of"]

_MOST = 100
_PSP, _BANK = "psp", "bank"


@dataclass(frozen=True)
class ProofLine:
    """One line that tells of it; minor units. A bank's line has its amount as `net_minor` alone.

    A deposit of the bank pays a whole batch, of which this is one among many.
    """

    line_id: int
    kind: str
    reference: str
    batch: str
    currency: str
    gross_minor: int | None
    fee_minor: int | None
    net_minor: int
    business_date: date
    file_name: str
    source_name: str
    read_at: datetime
    subject_id: UUID


@dataclass(frozen=True)
class DueLine:
    """A movement whose line has not come yet, and until when it is not late."""

    subject_id: UUID
    clear_by: date | None


@dataclass(frozen=True)
class BreakOfThis:
    """A break about it or about a line of it."""

    public_id: str
    summary: str
    status: str
    found_at: datetime


@dataclass(frozen=True)
class Proofs:
    """All of it; `deposits` are the lines of the bank that pay the batches of the provider's lines."""

    lines: tuple[ProofLine, ...]
    deposits: tuple[ProofLine, ...]
    due: tuple[DueLine, ...]
    breaks: tuple[BreakOfThis, ...]


def proofs_of(*, merchant_id: UUID, subject_ids: Collection[UUID]) -> Proofs:
    """Return what the provider's files and the bank say of movements of a merchant, at most 100 of each."""
    matches = list(
        Match.objects.filter(subject_id__in=subject_ids, merchant_id=merchant_id, side=_PSP, live=True)
        .order_by("id")[:_MOST]
    )  # fmt: skip
    subjects = {each.line_id: each.subject_id for each in matches if each.line_id is not None}
    files = _files(subjects)
    rows = SettlementLine.objects.filter(pk__in=subjects).order_by("pk")
    lines = tuple(_line(row, files[row.file_id], subjects[row.id]) for row in rows)
    batches = {
        batch_subject(batch_key(source_id=files[row.file_id].source_id, batch=row.batch)): row.batch
        for row in rows
        if row.batch
    }
    return Proofs(
        lines=lines,
        deposits=bank_proofs(merchant_id=merchant_id, subject_ids=batches, kinds=("batch",)),
        due=tuple(DueLine(each.subject_id, each.clear_by) for each in matches if each.line_id is None),
        breaks=_breaks(merchant_id, subject_ids, subjects),
    )


def bank_proofs(
    *,
    merchant_id: UUID,
    subject_ids: Collection[UUID],
    kinds: Collection[str] = ("sending", "sending_return"),
) -> tuple[ProofLine, ...]:
    """Return the lines of bank statements about sendings of payouts (or what `kinds` says), oldest first."""
    matches = Match.objects.filter(
        subject_id__in=list(subject_ids),
        subject_kind__in=kinds,
        merchant_id=merchant_id,
        side=_BANK,
        live=True,
        line_id__isnull=False,
    )
    subjects = {each.line_id: each.subject_id for each in matches.order_by("id")[:_MOST] if each.line_id}
    rows = list(BankLine.objects.filter(pk__in=list(subjects)).order_by("pk"))
    files = _files(subjects)
    return tuple(_bank_line(row, files[row.file_id], subjects[row.id]) for row in rows)


def _files(line_ids: Collection[int]) -> dict[UUID, SettlementFile]:
    numbers = {line_id >> LINE_BITS for line_id in line_ids}
    rows = SettlementFile.objects.filter(number__in=numbers).select_related("source")
    return {row.id: row for row in rows}


def _line(row: SettlementLine, file: SettlementFile, subject_id: UUID) -> ProofLine:
    return ProofLine(
        line_id=row.id,
        kind=row.kind,
        reference=row.reference,
        batch=row.batch,
        currency=row.currency,
        gross_minor=row.gross_minor,
        fee_minor=row.fee_minor,
        net_minor=row.net_minor,
        business_date=row.business_date,
        file_name=file.name,
        source_name=file.source.name,
        read_at=file.published_at or file.received_at,
        subject_id=subject_id,
    )


def _bank_line(row: BankLine, file: SettlementFile, subject_id: UUID) -> ProofLine:
    return ProofLine(
        line_id=row.id,
        kind="bank",
        reference=row.end_to_end or row.bank_reference,
        batch=row.batch_reference,
        currency=row.currency,
        gross_minor=None,
        fee_minor=None,
        net_minor=row.amount_minor,
        business_date=row.booked_on,
        file_name=file.name,
        source_name=file.source.name,
        read_at=file.published_at or file.received_at,
        subject_id=subject_id,
    )


def _breaks(
    merchant_id: UUID, subject_ids: Collection[UUID], line_ids: Collection[int]
) -> tuple[BreakOfThis, ...]:
    mine = Discrepancy.objects.filter(merchant_id=merchant_id)
    found = {
        row.pk: row
        for rows in (
            mine.filter(subject_id__in=list(subject_ids)),
            mine.filter(line_id__in=list(line_ids), side=_PSP),
        )
        for row in rows.order_by("pk")[:_MOST]
    }
    return tuple(
        BreakOfThis(row.public_id, row.summary, row.status, row.created_at)
        for _key, row in sorted(found.items())
    )
