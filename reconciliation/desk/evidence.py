"""From the books to files: lines matched to a payment or payout, and the line, file or break of an entry."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from reconciliation.models import Adjustment, BankStatement, Match, SettlementFile

__all__ = ["FileBehind", "break_behind", "file_behind", "lines_of_subjects", "statement_behind"]


@dataclass(frozen=True)
class FileBehind:
    """A file that entries were posted from."""

    id: UUID
    public_id: str
    name: str
    version: int | None
    sha256: str


def lines_of_subjects(*, subjects: Collection[UUID], limit: int = 50) -> list[int]:
    """Return the lines of files that are matched to these payments, refunds, disputes or payouts."""
    rows = Match.objects.filter(subject_id__in=list(subjects), live=True, line_id__isnull=False)
    return sorted({line for line in rows.values_list("line_id", flat=True)[:limit] if line is not None})


def file_behind(*, merchant_id: UUID, source_ref: str) -> FileBehind | None:
    """Return the settlement file that an entry of a file names (file:version:…); None for any other text."""
    key = _key(source_ref.partition(":")[0])
    row = SettlementFile.objects.filter(merchant_id=merchant_id, pk=key).first()
    if row is None:
        return None
    return FileBehind(row.id, row.public_id, row.name, row.version, bytes(row.sha256).hex())


def statement_behind(*, merchant_id: UUID, source_ref: str) -> UUID | None:
    """Return the key of the bank statement that an entry names, if the merchant has it."""
    rows = BankStatement.objects.filter(merchant_id=merchant_id, pk=_key(source_ref))
    return rows.values_list("pk", flat=True).first()


def break_behind(*, merchant_id: UUID, source_ref: str) -> str:
    """Return the dsc_… id of the break that an adjustment explains; empty where there is no such one."""
    rows = Adjustment.objects.filter(merchant_id=merchant_id, pk=_key(source_ref))
    row = rows.select_related("discrepancy").first()
    return row.discrepancy.public_id if row else ""


def _key(text: str) -> UUID:
    """Return the key in a reference; of any other text one that nothing has."""
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)
